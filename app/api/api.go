// Package api is the HTTP interface for other programs: bearer tokens instead
// of cookies, JSON, and errors as RFC 9457 describes them. It shares no route
// with the browser's pages, and only the middleware that is for every request:
// cookies mean nothing here, and no other website's script can read an answer
// (there is no CORS).
//
// Every endpoint is a line of one table, and names the kind of token and the
// scope that it needs. What programs rely on is in openapi.json, which the tests
// hold against the table and against every answer.
package api

import (
	"context"
	"slices"
	"strings"
	"time"

	"pochi/app/accounts"
	"pochi/app/admin"
	"pochi/app/agreements"
	"pochi/app/limit"
	"pochi/app/oauth"
	"pochi/app/payments"
	"pochi/app/rates"
	"pochi/app/users"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"
)

// Introspector tells what a bearer token stands for. Errors: Unauthenticated
// for anything but a valid access token, Unavailable when it can't be told.
type Introspector interface {
	Introspect(ctx context.Context, token string) (oauth.Token, error)
}

// Clients knows the apps. Errors: NotFound, Unavailable.
type Clients interface {
	FindClient(ctx context.Context, id string) (oauth.Client, error)
}

// People knows the wallet's people. Errors: NotFound when there is no such
// person.
type People interface {
	Find(ctx context.Context, id uuid.UUID) (users.User, error)
}

// Accounts knows the accounts of a person, and whether one is theirs: Find is
// NotFound if not.
type Accounts interface {
	List(ctx context.Context, userID uuid.UUID) ([]accounts.Account, error)
	FindAny(ctx context.Context, userID, id uuid.UUID) (accounts.Account, error)
}

// Pointers knows the payment pointers of a person.
type Pointers interface {
	Pointers(ctx context.Context, userID uuid.UUID) ([]accounts.Pointer, error)
}

// Agreements keeps what people let apps do. Errors: problem.NotFound, also for
// another client's; what agreements.Service says besides.
type Agreements interface {
	Propose(ctx context.Context, clientID, app string, t agreements.Terms) (agreements.Agreement, error)
	OfClient(ctx context.Context, clientID string, id uuid.UUID) (agreements.Agreement, error)
	Usage(ctx context.Context, id uuid.UUID) (agreements.Usage, error)
	GiveUp(ctx context.Context, clientID string, id uuid.UUID) error
}

// Charges makes payments under agreements. Errors: as payments.Service says.
type Charges interface {
	Charge(ctx context.Context, r payments.ChargeRequest) (payments.Charge, error)
	FindCharge(ctx context.Context, agreementID, id uuid.UUID) (payments.Charge, error)
	Charges(ctx context.Context, agreementID uuid.UUID, before string, limit int) ([]payments.Charge, string, error)
	Wait(ctx context.Context, id uuid.UUID)
}

// History knows what moved on people's accounts.
type History interface {
	History(ctx context.Context, f payments.Filter) ([]payments.Movement, string, error)
}

// Requests asks others for money in a person's name. Errors: problem.NotFound; as
// payments.Service says.
type Requests interface {
	CreateRequest(ctx context.Context, t payments.RequestTerms) (payments.Request, error)
	FindRequestOf(ctx context.Context, userID, id uuid.UUID) (payments.Request, error)
	Requests(ctx context.Context, f payments.RequestFilter) ([]payments.Request, string, error)
}

// Terms reads the terms of an agreement that an app proposes. Errors:
// problem.Invalid with the field.
type Terms interface {
	Terms(body []byte) (agreements.Terms, error)
}

// Office does what the wallet's back office asks for. SetRate's errors: as
// rates.Book says.
type Office interface {
	ListPeers(ctx context.Context) ([]admin.Peer, error)
	ListRates() []admin.Rate
	SetRate(ctx context.Context, clientID string, c rates.Change) ([]admin.Rate, error)
}

// Options of an API. All are needed but those with a default.
type Options struct {
	Tokens     Introspector
	Clients    Clients
	People     People
	Accounts   Accounts
	Pointers   Pointers
	Agreements Agreements
	Charges    Charges
	History    History
	Requests   Requests
	Terms      Terms
	Office     Office
	Audience   string // what tokens must be meant for, as given to oauth.Options
	Host       string // payment pointers here are $Host/name
	// PacketsURL is where agreements take packets, each below it by its id; "" when apps can't reach that.
	PacketsURL string
	// RequestsURL is where payment requests are paid, each below it by its id.
	RequestsURL string

	Rate     limit.Rate       // of one app's requests: 200 at once, and 100 a second
	Patience time.Duration    // how long a charge is waited for in all: 20 s
	Now      func() time.Time // time.Now when nil
}

const (
	defaultRequests = 200
	defaultEvery    = 10 * time.Millisecond
	defaultPatience = 20 * time.Second
)

// API answers other programs.
type API struct {
	tokens      Introspector
	clients     Clients
	people      People
	accounts    Accounts
	pointers    Pointers
	agreements  Agreements
	charges     Charges
	history     History
	requests    Requests
	terms       Terms
	office      Office
	audience    string
	host        string
	packetsURL  string
	requestsURL string
	patience    time.Duration
	now         func() time.Time
	limits      *limits
}

// New returns an API.
func New(opts Options) *API {
	if opts.Rate == (limit.Rate{}) {
		opts.Rate = limit.Rate{Burst: defaultRequests, Every: defaultEvery}
	}
	if opts.Patience == 0 {
		opts.Patience = defaultPatience
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	return &API{
		tokens: opts.Tokens, clients: opts.Clients, people: opts.People, accounts: opts.Accounts, pointers: opts.Pointers,
		agreements: opts.Agreements, charges: opts.Charges, history: opts.History, requests: opts.Requests, terms: opts.Terms,
		office:   opts.Office,
		audience: opts.Audience, host: opts.Host, packetsURL: opts.PacketsURL, requestsURL: opts.RequestsURL,
		patience: opts.Patience, now: opts.Now, limits: newLimits(opts.Rate, opts.Now),
	}
}

// Register adds the routes under Prefix, and answers for all other paths there.
// It goes before any middleware that is for browsers. Errors are left to the
// app's error handler, which OrElse makes.
func (a *API) Register(router fiber.Router) {
	router.Get(Prefix+documentPath, unstored, showDocument)
	allowed := map[string][]string{documentPath: {fiber.MethodGet, fiber.MethodHead}} // methods by path
	for _, e := range a.endpoints() {
		handler := a.authorize(e)
		router.Add(e.method, Prefix+e.path, unstored, handler)
		allowed[e.path] = append(allowed[e.path], e.method)
		if e.method == fiber.MethodGet {
			router.Add(fiber.MethodHead, Prefix+e.path, unstored, handler)
			allowed[e.path] = append(allowed[e.path], fiber.MethodHead)
		}
	}
	for path, methods := range allowed {
		slices.Sort(methods)
		router.All(Prefix+path, notAllowed(strings.Join(methods, ", ")))
	}
	router.All(Prefix, notFound) // not Use, which takes /apiary, too
	router.All(Prefix+"/*", notFound)
}

// unstored is middleware: no answer is kept anywhere.
func unstored(c *fiber.Ctx) error {
	c.Set(fiber.HeaderCacheControl, "no-store")
	return c.Next()
}
