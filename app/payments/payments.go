// Package payments moves people's money: quotes, outgoing payments, what
// arrived, and the worker that sees every confirmed payment to its end. The
// names are those of Open Payments.
//
// A payment within this wallet is confirmed, delivered and ended in one commit, while
// whoever confirmed it waits. Any other, and one for which that fails, has a hold for
// its whole debit and a row in state "sending", made in one commit. The worker
// sends STREAM packets through the connector; each packet that is delivered here
// draws on the hold and pays the receiver in one commit. One that goes to another node is taken into flight
// first, and posted or put back when its answer is there. At the end the rest of
// the hold goes back and the state becomes final, in one commit too. So after a
// crash the rows say what is left to do, and the ledger what is in suspense.
//
// A charge is a payment that an app has the wallet make under an agreement. It has a
// second hold, of the agreement's allowance in the interval in which it began, and
// both are opened and closed in the same commits: what was sent, or may have been, is
// used for good, and the rest comes back.
//
// Books is the other half: what the connector has done with the money of packets,
// our payments' and other nodes'.
package payments

import (
	"context"
	"io"
	"log/slog"
	"sync"
	"time"

	"pochi/app/accounts"
	"pochi/app/problem"
	"pochi/db"
	"pochi/ilp"
	"pochi/ilp/address"
	"pochi/ilp/connector"
	"pochi/ilp/pointer"
	"pochi/ilp/spsp"
	"pochi/ilp/stream"
	"pochi/ledger"

	"github.com/google/uuid"
)

// Ledger is what this package needs of the ledger.
type Ledger interface {
	Submit(ctx context.Context, chain ledger.Chain, rows func(db.Tx) error) error
}

// Accounts is what this package needs of people's accounts and pointers.
type Accounts interface {
	Payer(ctx context.Context, userID, id uuid.UUID) (accounts.Account, error)
	PayeeByName(ctx context.Context, name string) (accounts.Payee, error)
	PayeeByID(ctx context.Context, id uuid.UUID) (accounts.Payee, error)
}

// Links gives the ILP link over which a payment's packets travel.
type Links interface {
	Link(from connector.Sender) stream.Link
}

// SPSP asks another wallet how to pay one of its pointers.
type SPSP interface {
	Query(ctx context.Context, url string) (spsp.Details, error)
}

// Credentials makes STREAM credentials for those who want to pay us.
type Credentials interface {
	Credentials(tag []byte) (address.Address, [32]byte, error)
}

// Rates is what this package needs of the exchange rates. Errors are
// connector.ErrNoRate and, when the rate is too old, connector.ErrStaleRate.
type Rates interface {
	Check(from, to string) error
	Convert(ctx context.Context, amount uint64, from, to ilp.Asset) (uint64, error)
	// Describe says what one unit brings, "1 USD = 0.9137 EUR", or "" within a currency and without a rate.
	Describe(from, to string) string
}

// Config says what a Service works with. All fields are required.
type Config struct {
	DB          *db.DB
	Ledger      Ledger
	Accounts    Accounts
	Links       Links
	Address     address.Address // the node's behind Links
	SPSP        SPSP
	Credentials Credentials
	Rates       Rates
	Agreements  Agreements
	Pointers    pointer.Parser
	Host        string        // of our own pointers, with the port if it has one
	QuoteTTL    time.Duration // how long a quote can be confirmed
	SendTimeout time.Duration // how long a payment may take from its first packet, and again after a restart
	Clock       stream.Clock
	Random      io.Reader
	Log         *slog.Logger
}

// Service quotes, confirms and sends payments.
type Service struct {
	Config

	slots       *slots
	quoted      *quoted
	unsaved     *unsaved
	made        *recent[uuid.UUID, Outgoing] // at once, as they ended
	authorities authorities
	tally       tally
	// goodbyes has an entry for each that is being said.
	goodbyes chan struct{}

	mu      sync.Mutex
	ctx     context.Context // of Start; nil before it and after Drain
	running map[uuid.UUID]chan struct{}
	workers sync.WaitGroup
}

// madeKept is how many of the payments that were made last are remembered at least.
const madeKept = 64

// New returns the service. Start makes it send.
func New(cfg Config) *Service {
	return &Service{
		Config:      cfg,
		slots:       newSlots(),
		quoted:      newQuoted(),
		unsaved:     newUnsaved(),
		made:        newRecent[uuid.UUID, Outgoing](madeKept),
		authorities: newAuthorities(cfg.DB),
		goodbyes:    make(chan struct{}, goodbyesMax),
		running:     map[uuid.UUID]chan struct{}{},
	}
}

// ownAccount returns an account of the person; one that isn't theirs is a
// problem with the field account.
func (s *Service) ownAccount(ctx context.Context, userID, id uuid.UUID) (accounts.Account, error) {
	a, err := s.Accounts.Payer(ctx, userID, id)
	if problem.CodeOf(err) == problem.NotFound {
		return a, problem.Field("account", "Choose one of your accounts.").Because(err)
	}
	return a, err
}
