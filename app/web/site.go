// Package web is the wallet in the browser. One page is one file, named after
// page and verb; routes.go lists them all. The rhythm of a handler: decode the
// form, one call into a service, then 303, or the same page again with the
// errors beside their fields. Every page works without JavaScript.
package web

import (
	"context"
	"log/slog"
	"time"

	"pochi/app/accounts"
	"pochi/app/openapi"
	"pochi/app/payments"
	"pochi/app/sessions"
	"pochi/app/users"
	"pochi/ilp"
	"pochi/ilp/spsp"
	"pochi/ledger"
	"pochi/static"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"
)

// Users is what pages need of people.
type Users interface {
	SignUp(ctx context.Context, form users.SignUp) (users.User, error)
	Authenticate(ctx context.Context, in users.LogIn) (users.User, error)
	Find(ctx context.Context, id uuid.UUID) (users.User, error)
}

// Accounts is what pages need of people's accounts.
type Accounts interface {
	List(ctx context.Context, userID uuid.UUID) ([]accounts.Account, error)
	ListClosed(ctx context.Context, userID uuid.UUID) ([]accounts.Account, error)
	Find(ctx context.Context, userID, id uuid.UUID) (accounts.Account, error)
	FindAny(ctx context.Context, userID, id uuid.UUID) (accounts.Account, error)
	Name(ctx context.Context, userID, id uuid.UUID) (string, error)
	Apps(ctx context.Context, id uuid.UUID) ([]string, error)
	Open(ctx context.Context, userID uuid.UUID, currency, name string) (uuid.UUID, error)
	Rename(ctx context.Context, userID, id uuid.UUID, name string) error
	Close(ctx context.Context, userID, id uuid.UUID) error
}

// Pointers is what pages need of payment pointers.
type Pointers interface {
	Pointers(ctx context.Context, userID uuid.UUID) ([]accounts.Pointer, error)
	AddPointer(ctx context.Context, userID uuid.UUID, name string, accountID uuid.UUID) error
	Repoint(ctx context.Context, userID, pointerID, accountID uuid.UUID) error
	PayeeByName(ctx context.Context, name string) (accounts.Payee, error)
}

// Quotes is what pages need to prepare a payment.
type Quotes interface {
	Resolve(ctx context.Context, pointer string) (payments.Receiver, error)
	Quote(ctx context.Context, userID uuid.UUID, req payments.QuoteRequest) (payments.Quote, error)
	FindQuote(ctx context.Context, userID, id uuid.UUID) (payments.Quote, error)
	Renew(ctx context.Context, userID, id uuid.UUID) (payments.Quote, error)
}

// Payments is what pages need to make and show payments.
type Payments interface {
	Confirm(ctx context.Context, userID, quoteID uuid.UUID) (payments.Outgoing, error)
	Wait(ctx context.Context, id uuid.UUID)
	FindOutgoing(ctx context.Context, userID, id uuid.UUID) (payments.Outgoing, error)
	FindIncoming(ctx context.Context, userID, id uuid.UUID) (payments.Incoming, error)
	History(ctx context.Context, f payments.Filter) ([]payments.Movement, string, error)
}

// Rates says what an amount is in another currency. Errors are those of
// connector.Rates.
type Rates interface {
	Convert(ctx context.Context, amount uint64, from, to ilp.Asset) (uint64, error)
}

// Offers makes the answer to an SPSP query.
type Offers interface {
	Offer(payee accounts.Payee) (spsp.Details, error)
}

// Requests is what pages need of payment requests.
type Requests interface {
	CreateRequest(ctx context.Context, terms payments.RequestTerms) (payments.Request, error)
	FindRequest(ctx context.Context, id uuid.UUID) (payments.Request, error)
	Requests(ctx context.Context, f payments.RequestFilter) ([]payments.Request, string, error)
	RequestPayments(ctx context.Context, userID, id uuid.UUID, before string, limit int) ([]payments.Movement, string, error)
	CancelRequest(ctx context.Context, userID, id uuid.UUID) error
	OfferRequest(r payments.Request) (spsp.Details, error)
}

// Faucet adds test money.
type Faucet interface {
	Deposit(ctx context.Context, userID, accountID uuid.UUID, amount string) error
}

// Site serves the pages. All fields are required but Faucet, which is nil
// where there is no test money.
type Site struct {
	Users             Users
	Accounts          Accounts
	Pointers          Pointers
	Quotes            Quotes
	Payments          Payments
	Rates             Rates
	Offers            Offers
	Requests          Requests
	Faucet            Faucet
	Agreements        Agreements
	AgreementPayments AgreementPayments
	Notices           Notices
	Apps              Apps
	Connections       Connections
	OAuth             OAuth
	API               openapi.Reference
	Sessions          *sessions.Store
	Guard             fiber.Handler // refuses what another site made a browser send: CSRF.Protect
	News              News
	Limits            Limits
	Currencies        []ledger.Asset
	Assets            *static.Assets
	Host              string // of our payment pointers
	PublicURL         string
	HydraURL          string       // where apps reach Hydra
	Written           func() int64 // changes with all that is written to the database
	Now               func() time.Time
	Log               *slog.Logger
}

// person is the user who is logged in, for handlers behind signedIn.
func person(c *fiber.Ctx) users.User {
	u, _ := c.Locals(personKey{}).(users.User)
	return u
}

type personKey struct{}

// identify is middleware: it finds out who is logged in.
func (s *Site) identify(c *fiber.Ctx) error {
	session, ok := sessions.Current(c)
	if !ok {
		return c.Next()
	}
	u, err := s.Users.Find(c.UserContext(), session.UserID)
	if err != nil {
		return err
	}
	c.Locals(personKey{}, u)
	c.Set(fiber.HeaderCacheControl, "no-store")
	return c.Next()
}

// signedIn sends who is not logged in to the log-in page and back afterwards; a
// form is refused, and can be sent again after that.
func signedIn(c *fiber.Ctx) error {
	switch {
	case person(c).ID != uuid.Nil:
		return c.Next()
	case c.Method() == fiber.MethodPost:
		return loggedOut()
	}
	return see(c, "/login?"+query("next", c.OriginalURL()))
}
