package api_test

import (
	"context"
	"sync/atomic"
	"time"

	"pochi/app/accounts"
	"pochi/app/admin"
	"pochi/app/agreements"
	"pochi/app/agreements/interval"
	"pochi/app/api"
	"pochi/app/oauth"
	"pochi/app/payments"
	"pochi/app/problem"
	"pochi/app/rates"
	"pochi/ilp/address"
	"pochi/ledger"

	"github.com/google/uuid"
)

func id(n byte) uuid.UUID { return uuid.UUID{0x01, 0x94, 0xd0, 0xb0, 6: 0x70, 8: 0x80, 15: n} }

var (
	annsAccount = id(2)
	shopping    = id(3)  // Ann's agreement with the shop
	bens        = id(4)  // somebody else's with the shop
	others      = id(5)  // Ann's with another app
	over        = id(6)  // Ann's with the shop, revoked
	sold        = id(7)  // a charge
	asked       = id(11) // a payment request of the shop's for Ann
	annsOwn     = id(12) // one that Ann made herself
)

var eur = ledger.Asset{Code: "EUR", Scale: 2}

func euros(cents uint64) ledger.Amount { return ledger.Amount{Value: cents, Asset: eur} }

func begun() time.Time { return time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC) }

func token(subject string, scopes ...oauth.Scope) oauth.Token {
	return oauth.Token{Subject: subject, ClientID: "shop", Scopes: scopes, Audience: []string{audience}}
}

// forAgreement is a token of Ann's for an agreement.
func forAgreement(id uuid.UUID, scopes ...oauth.Scope) oauth.Token {
	t := token(ann().String(), append(scopes, oauth.AgreementScope)...)
	t.Agreement = id
	return t
}

// ofOffice is a token of the wallet's own back office.
func ofOffice() oauth.Token {
	t := token("office", oauth.AdminRead, oauth.AdminWrite)
	t.ClientID = "office"
	return t
}

// options has every part, all of them fakes that answer.
func options() api.Options {
	elsewhere := token(ann().String(), oauth.OpenID)
	elsewhere.Audience = nil
	return api.Options{
		Tokens: tokens{known: map[string]oauth.Token{
			"openid":    token(ann().String(), oauth.OpenID),
			"full":      token(ann().String(), oauth.OpenID, oauth.Profile),
			"profile":   token(ann().String(), oauth.Profile),
			"accounts":  token(ann().String(), oauth.AccountsRead, oauth.TransactionsRead),
			"elsewhere": elsewhere,
			"gone":      token(gone().String(), oauth.OpenID),
			"odd":       token("ann", oauth.OpenID),
			"app":       token("shop", oauth.OpenID),
			"requests":  token(ann().String(), oauth.PaymentsRequest),
			"service":   token("shop", oauth.AgreementsPropose),
			"office":    ofOffice(),
			"agreement": forAgreement(shopping, oauth.OpenID),
			"over":      forAgreement(over, oauth.OpenID),
		}},
		Clients:    clients{},
		People:     people{},
		Accounts:   accountsOfAnn{},
		Pointers:   pointers{names: []string{"ann", "ann/shop"}},
		Agreements: &agreementsFake{},
		Charges:    &chargesFake{},
		History:    &historyFake{},
		Requests:   &requestsFake{},
		Terms:      termsFake{},
		Office:     &officeFake{},
		Audience:   audience,
		Host:       "wallet.example",
		PacketsURL: "https://ilp.wallet.example/ilp/agreements/",

		RequestsURL: "https://wallet.example/requests/",
	}
}

type clients struct{}

func (clients) FindClient(_ context.Context, id string) (oauth.Client, error) {
	switch id {
	case "shop":
		return oauth.Client{ID: id, Name: "The shop", Scopes: oauth.ServiceScopes()}, nil // which no app has: it is none of ours all the same
	case "office":
		return oauth.Client{ID: id, Name: "Back office", Service: true, Scopes: oauth.ServiceScopes()}, nil
	case "clerk":
		return oauth.Client{ID: id, Name: "Clerk", Service: true}, nil
	}
	return oauth.Client{}, problem.New(problem.NotFound, "There is no such app.")
}

type accountsOfAnn struct{}

func (accountsOfAnn) List(context.Context, uuid.UUID) ([]accounts.Account, error) {
	return []accounts.Account{{ID: annsAccount, UserID: ann(), Name: "Everyday", Available: euros(1200), Pending: euros(0)}}, nil
}

func (accountsOfAnn) FindAny(_ context.Context, userID, id uuid.UUID) (accounts.Account, error) {
	if userID != ann() || id != annsAccount {
		return accounts.Account{}, problem.New(problem.NotFound, "There is no such account or pointer.")
	}
	return accounts.Account{ID: id, UserID: userID}, nil
}

// agreementsFake knows Ann's agreement with the shop, one that is over, and other
// people's and apps'.
type agreementsFake struct {
	terms   agreements.Terms // of the agreement; the zero Terms for usual ones
	changes atomic.Int64     // that were made
	err     error            // of everything
	usage   error
}

func (f *agreementsFake) termsOf() agreements.Terms {
	if f.terms.Amount.Value > 0 {
		return f.terms
	}
	monthly, err := interval.Parse("R/2026-01-31T00:00:00Z/P1M")
	if err != nil {
		panic(err)
	}
	return agreements.Terms{Description: "Vegetables", Amount: euros(2000), Interval: monthly}
}

func (f *agreementsFake) OfClient(_ context.Context, clientID string, id uuid.UUID) (agreements.Agreement, error) {
	found := agreements.Agreement{
		ID: id, UserID: ann(), AccountID: annsAccount, ClientID: "shop", App: "The shop", Terms: f.termsOf(), Asked: 2000,
		State: agreements.Active, CreatedAt: begun(), ApprovedAt: begun(),
	}
	switch id {
	case bens:
		found.UserID = gone()
	case others:
		found.ClientID = "rival"
	case over:
		found.State, found.EndedAt = agreements.Revoked, begun()
	}
	if clientID != found.ClientID {
		return agreements.Agreement{}, problem.New(problem.NotFound, "There is no such agreement.")
	}
	return found, f.err
}

func (f *agreementsFake) Usage(context.Context, uuid.UUID) (agreements.Usage, error) {
	return agreements.Usage{Span: interval.Span{End: begun().AddDate(0, 0, 28)}, Limit: 2000, Used: 500, Left: 1500}, f.usage
}

func (f *agreementsFake) GiveUp(context.Context, string, uuid.UUID) error {
	f.changes.Add(1)
	return f.err
}

func (f *agreementsFake) Propose(_ context.Context, clientID, app string, t agreements.Terms) (agreements.Agreement, error) {
	f.changes.Add(1)
	return agreements.Agreement{ID: shopping, ClientID: clientID, App: app, Terms: t, State: agreements.Pending, CreatedAt: begun()}, f.err
}

// chargesFake makes one charge, which is delivered at once.
type chargesFake struct {
	made    atomic.Int64
	request payments.ChargeRequest // the last
	charge  func(payments.ChargeRequest) (payments.Charge, error)
	wait    func(context.Context)
	later   func() payments.Charge // what it has become when it is looked up
}

func delivered() payments.Charge {
	return payments.Charge{
		ID: sold, AgreementID: shopping, Key: "k", Receiver: "$shop.example/pay", Fixed: payments.FixedDebit,
		Reserved: euros(500), Spent: euros(500), Returned: euros(0), Receive: euros(500), Delivered: euros(500),
		State: payments.Completed, CreatedAt: time.Now().Add(time.Hour), EndedAt: time.Now().Add(time.Hour),
	}
}

func (f *chargesFake) Charge(_ context.Context, r payments.ChargeRequest) (payments.Charge, error) {
	f.made.Add(1)
	f.request = r
	if f.charge != nil {
		return f.charge(r)
	}
	return delivered(), nil
}

func (f *chargesFake) FindCharge(_ context.Context, agreementID, id uuid.UUID) (payments.Charge, error) {
	if agreementID != shopping || id != sold {
		return payments.Charge{}, problem.New(problem.NotFound, "There is no such charge.")
	}
	if f.later != nil {
		return f.later(), nil
	}
	return delivered(), nil
}

func (f *chargesFake) Charges(_ context.Context, _ uuid.UUID, before string, limit int) ([]payments.Charge, string, error) {
	if before == "" && limit == 1 {
		return []payments.Charge{delivered()}, "older", nil
	}
	return nil, "", nil
}

func (f *chargesFake) Wait(ctx context.Context, _ uuid.UUID) {
	if f.wait != nil {
		f.wait(ctx)
	}
}

// historyFake has one line of each kind.
type historyFake struct{ filter payments.Filter }

func (f *historyFake) History(_ context.Context, filter payments.Filter) ([]payments.Movement, string, error) {
	f.filter = filter
	return []payments.Movement{
		{ID: sold, AccountID: annsAccount, Who: "The shop", Pointer: "$shop.example/pay", Amount: euros(500), State: payments.Failed, Partly: true, At: begun(),
			App: "The shop", AgreementID: shopping},
		{ID: id(8), In: true, AccountID: annsAccount, Who: "Ben", Pointer: "ben", Paid: "ann", Amount: euros(700), State: payments.Completed, At: begun(), RequestID: asked},
		{ID: id(9), In: true, AccountID: annsAccount, Who: "Test money", Amount: euros(900), State: payments.Completed, At: begun()},
		{ID: id(10), AccountID: annsAccount, Amount: euros(1), State: payments.NeedsReview, At: begun()},
	}, "older", nil
}

// termsFake reads anything, but what has a member "wrong".
type termsFake struct{}

func (termsFake) Terms(body []byte) (agreements.Terms, error) {
	if string(body) == `{"wrong":1}` {
		return agreements.Terms{}, problem.Errors{problem.Field("wrong", "This isn't known here.")}
	}
	return agreements.Terms{Description: "Vegetables", Amount: euros(2000), PaymentMax: 500, Receivers: []string{"$shop.example/pay"}}, nil
}

// requestsFake knows what the shop asked for in Ann's name.
type requestsFake struct {
	made  atomic.Int64
	terms payments.RequestTerms // the last
	err   error
	seen  payments.RequestFilter
}

func requested() payments.Request {
	return payments.Request{
		ID: asked, UserID: ann(), AccountID: annsAccount, ClientID: "shop", Pointer: "ann", Description: "Lunch", Amount: euros(900), Most: euros(909),
		Received: euros(100), State: payments.RequestOpen, CreatedAt: begun(), ExpiresAt: begun().AddDate(0, 0, 1),
	}
}

func (f *requestsFake) CreateRequest(_ context.Context, t payments.RequestTerms) (payments.Request, error) {
	f.made.Add(1)
	f.terms = t
	made := requested()
	made.Amount, made.Description, made.ExpiresAt = t.Amount, t.Description, t.ExpiresAt
	return made, f.err
}

func (f *requestsFake) FindRequestOf(_ context.Context, userID, id uuid.UUID) (payments.Request, error) {
	found := requested()
	if id == annsOwn {
		found.ID, found.ClientID = annsOwn, ""
	}
	if userID != ann() || id != found.ID {
		return payments.Request{}, problem.New(problem.NotFound, "There is no such payment request.")
	}
	return found, nil
}

func (f *requestsFake) Requests(_ context.Context, filter payments.RequestFilter) ([]payments.Request, string, error) {
	f.seen = filter
	return []payments.Request{requested()}, "older", nil
}

// officeFake has a peer and a rate.
type officeFake struct {
	set    atomic.Int64
	client string       // that set the last
	change rates.Change // the last
	err    error
}

func (*officeFake) ListPeers(context.Context) ([]admin.Peer, error) {
	return []admin.Peer{{
		Name: "ben", ID: id(13), Address: "test.ben", Asset: "USD/2", OutgoingURL: "https://ben.example/ilp", HasOutgoingToken: true,
		Tokens: admin.PeerTokens{Count: 1, Hashes: []string{"deadbeef"}}, Routes: []address.Address{"test.far"}, CreditLimit: 1 << 60, OwedByPeer: 5,
		CreatedAt: begun(),
	}}, nil
}

func (*officeFake) ListRates() []admin.Rate {
	at := begun()
	return []admin.Rate{{From: "USD", To: "EUR", Rate: "9/10", SpreadBps: 50, Effective: "1791/2000", Source: "admin", SetAt: &at, GoodUntil: &at, Stale: true, Renew: "USD EUR"}}
}

func (f *officeFake) SetRate(_ context.Context, clientID string, c rates.Change) ([]admin.Rate, error) {
	f.set.Add(1)
	f.client, f.change = clientID, c
	return f.ListRates(), f.err
}
