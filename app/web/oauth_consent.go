package web

import (
	"slices"
	"strings"

	"pochi/app/oauth"
	"pochi/views"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"
)

// showConsent asks whether an app may have what it wants.
func (s *Site) showConsent(c *fiber.Ctx) error {
	request, err := s.OAuth.Consents.Consent(c.UserContext(), strings.Clone(c.Query("consent_challenge")))
	if err != nil {
		return err
	}
	if !isSubject(c, request.Subject) {
		return s.consentOfAnother(c, request)
	}
	if len(request.Scopes) == 0 {
		return s.rejectConsent(c, request, oauth.Reason{
			Code:        "invalid_scope",
			Description: "The request names no scope that this wallet knows.",
		})
	}
	AllowFormAction(c, request.FormURLs...)
	can, cannot := abilities(request.Scopes)
	return render(c, fiber.StatusOK, views.Consent(s.page(c, "Allow "+request.App.Name+"?", views.NavNone), views.ConsentPage{
		Action:    pathOAuthConsent,
		Challenge: request.Challenge,
		App:       request.App.Name,
		Host:      request.Host,
		Person:    person(c).Name,
		Email:     person(c).Email,
		Can:       can,
		Cannot:    cannot,
	}))
}

// decideConsent passes the decision on to Hydra, whom it first asks again what
// it is about. Only scopes that the page has shown are granted.
func (s *Site) decideConsent(c *fiber.Ctx) error {
	request, err := s.OAuth.Consents.Consent(c.UserContext(), formValue(c, "consent_challenge"))
	if err != nil {
		return err
	}
	if !isSubject(c, request.Subject) {
		return s.consentOfAnother(c, request)
	}
	switch formValue(c, "decision") {
	case views.DecisionAllow:
		grant := oauth.Grant{Scopes: request.Scopes, Name: person(c).Name}
		to, err := s.OAuth.Consents.AcceptConsent(c.UserContext(), request.Challenge, grant)
		if err != nil {
			return err
		}
		return see(c, to)
	case views.DecisionDeny:
		return s.rejectConsent(c, request, oauth.Reason{Code: "access_denied", Description: "The person did not allow it."})
	default:
		return undecided()
	}
}

func (s *Site) rejectConsent(c *fiber.Ctx, request oauth.ConsentRequest, reason oauth.Reason) error {
	to, err := s.OAuth.Consents.RejectConsent(c.UserContext(), request.Challenge, reason)
	if err != nil {
		return err
	}
	return see(c, to)
}

// consentOfAnother says that whoever the app asked isn't logged in any more,
// and offers to begin again.
func (s *Site) consentOfAnother(c *fiber.Ctx, request oauth.ConsentRequest) error {
	page := views.ErrorPage{
		Status:   fiber.StatusForbidden,
		Title:    "You are logged out",
		Message:  request.App.Name + " asked before that. Nothing was allowed.",
		LinkText: "Log in and continue",
		LinkURL:  request.RestartURL,
	}
	if who := person(c); who.ID != uuid.Nil {
		page.Title = "Somebody else was asked"
		page.Message = "When " + request.App.Name + " asked, somebody else was logged in here. Nothing was allowed."
		page.LinkText = "Continue as " + who.Name
	}
	return s.showMessage(c, page)
}

// abilities says in sentences what the scopes allow, and what they don't.
func abilities(scopes []oauth.Scope) (can, cannot []string) {
	for _, ability := range []struct {
		scope       oauth.Scope
		can, cannot string
	}{
		{oauth.OpenID, "Recognise you when you come back.", ""},
		{oauth.Profile, "See your name and your payment pointers.", "See your name or your payment pointers."},
		{oauth.AccountsRead, "See your accounts and how much is in them.", "See how much you have."},
		{oauth.TransactionsRead, "See your payments: who, when and how much.", "See your other payments."},
		{oauth.PaymentsRequest, "Ask others to pay you, and see whether they did.", ""},
		{oauth.OfflineAccess, "Keep this access while you are away.", ""},
	} {
		switch {
		case slices.Contains(scopes, ability.scope):
			can = append(can, ability.can)
		case ability.cannot != "":
			cannot = append(cannot, ability.cannot)
		}
	}
	return can, append(cannot, "See your e-mail address.", "Move money.")
}
