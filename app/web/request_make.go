package web

import (
	"time"

	"pochi/app/payments"
	"pochi/app/problem"
	"pochi/views"

	"github.com/gofiber/fiber/v2"
)

// lifetimes are how long a request can be paid, by the value of the form's field.
var lifetimes = []struct {
	value, label string
	time.Duration
}{
	{"", "Never", 0},
	{"hour", "In an hour", time.Hour},
	{"day", "In a day", 24 * time.Hour},
	{"week", "In a week", 7 * 24 * time.Hour},
	{"month", "In 30 days", 30 * 24 * time.Hour},
}

func lifetimeOptions() []views.Option {
	out := make([]views.Option, len(lifetimes))
	for i, l := range lifetimes {
		out[i] = views.Option{Value: l.value, Label: l.label}
	}
	return out
}

func (s *Site) makeRequest(c *fiber.Ctx) error {
	form := views.RequestList{
		Account: text(c, "account"), Amount: text(c, "amount"), Description: text(c, "description"), Expires: text(c, "expires"),
	}
	terms, err := s.requestTerms(c, form)
	var made payments.Request
	if err == nil {
		made, err = s.Requests.CreateRequest(c.UserContext(), terms)
	}
	if err != nil {
		errs, ok := formErrors(c, err)
		if !ok {
			return err
		}
		form.Errors = errs
		return s.renderRequests(c, problem.Status(err), form)
	}
	return s.tell(c, "/requests/"+made.ID.String(), "request-made")
}

// requestTerms are what the form says. An account that isn't there is for the service
// to refuse.
func (s *Site) requestTerms(c *fiber.Ctx, form views.RequestList) (payments.RequestTerms, error) {
	terms := payments.RequestTerms{UserID: person(c).ID, AccountID: formID(c, "account"), Description: form.Description}
	account, err := s.Accounts.Find(c.UserContext(), terms.UserID, terms.AccountID)
	switch {
	case problem.CodeOf(err) == problem.NotFound:
		return terms, problem.Field("account", "Choose one of your accounts.").Because(err)
	case err != nil:
		return terms, err
	}
	if terms.Amount, err = typedAmount(form.Amount, account.Asset()); err != nil {
		return terms, problem.Field("amount", "%s", err.Error())
	}
	for _, l := range lifetimes {
		if l.value == form.Expires {
			if l.Duration > 0 {
				terms.ExpiresAt = s.Now().Add(l.Duration)
			}
			return terms, nil
		}
	}
	return terms, problem.Field("expires", "Choose one of these.")
}
