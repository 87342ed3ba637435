package web

import (
	"strings"

	"pochi/app/accounts"
	"pochi/app/payments"
	"pochi/ledger"
	"pochi/views"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"
)

// requestsPage is how many requests a page lists.
const requestsPage = 20

// showRequests fills in the form for another from the query: account, amount,
// description, expires.
func (s *Site) showRequests(c *fiber.Ctx) error {
	return s.renderRequests(c, fiber.StatusOK, views.RequestList{
		Account: c.Query("account"), Amount: c.Query("amount"), Description: c.Query("description"), Expires: c.Query("expires"),
	})
}

func (s *Site) renderRequests(c *fiber.Ctx, status int, list views.RequestList) error {
	ctx, who := c.UserContext(), person(c)
	all, err := s.Accounts.List(ctx, who.ID)
	if err != nil {
		return err
	}
	before := c.Query("before")
	requests, older, err := s.Requests.Requests(ctx, payments.RequestFilter{UserID: who.ID, Before: before, Limit: requestsPage})
	if err != nil {
		return err
	}
	for _, r := range requests {
		list.Requests = append(list.Requests, views.RequestRow{
			ID: r.ID.String(), Amount: moneyUnlessZero(r.Amount), Description: r.Description, App: r.ClientID != "",
			State: views.RequestState(r.State), Received: moneyUnlessZero(r.Received), Created: moment(r.CreatedAt),
		})
	}
	list.Older, list.Later = older, before != ""
	list.Accounts = accountOptions(all, func(a accounts.Account) string { return a.Asset().Code })
	list.Lifetimes = lifetimeOptions()
	return render(c, status, views.Requests(s.page(c, "Request money", views.NavNone), list))
}

// requestURL is where a request is shown and paid.
func (s *Site) requestURL(r payments.Request) string {
	return s.PublicURL + "/requests/" + r.ID.String()
}

// stillAsked fills in the form that pays a request: what is left of its amount, if it
// has one.
func (s *Site) stillAsked(r payments.Request) string {
	pairs := []string{"to", s.requestURL(r)}
	if left := r.Left(); left.Value > 0 {
		pairs = append(pairs, "amount", left.Decimal(), "side", views.SideReceive)
	}
	return "/send?" + query(pairs...)
}

// typedAmount reads an amount of an account's currency; "" is the zero amount.
func typedAmount(typed string, asset ledger.Asset) (ledger.Amount, error) {
	if typed == "" {
		return ledger.Amount{Asset: asset}, nil
	}
	return ledger.ParseAmount(typed, asset)
}

// isRequest reports whether a payment pointer is the address of a request here.
func (s *Site) isRequest(pointer string) bool {
	return strings.HasPrefix(pointer, s.pointer("requests/"))
}

// requestElsewhere returns the host of another wallet's payment request. Where other
// wallets than this kind have theirs isn't known: those are shown as pointers.
func requestElsewhere(pointer string) (host string, ok bool) {
	host, id, _ := strings.Cut(strings.TrimPrefix(pointer, "$"), "/requests/")
	return host, uuid.Validate(id) == nil && !strings.Contains(host, "/")
}
