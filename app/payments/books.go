package payments

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"pochi/db"
	"pochi/ilp"
	"pochi/ilp/connector"
	"pochi/ledger"

	"github.com/google/uuid"
)

// Why a transfer was posted, in Transfer.Code. Those of package peers begin at 64.
const (
	CodePayment   uint16 = 1 // a packet of a payment, to somebody of this wallet
	CodeExchange  uint16 = 2 // the second leg of a packet that crossed currencies
	CodeDeposit   uint16 = 3 // test money
	CodeSent      uint16 = 4 // a packet of a payment, to another node
	CodeArrived   uint16 = 5 // a packet from another node, to somebody of this wallet
	CodeForwarded uint16 = 6 // a packet from another node to another node
	CodeUsed      uint16 = 7 // what a packet or a charge used of an allowance
	CodeUnused    uint16 = 8 // what came back to an allowance
	CodeCapped    uint16 = 9 // what a packet used of a payment request's cap
)

// Writer commits units: db.Writer is one.
type Writer interface {
	Submit(ctx context.Context, unit db.Unit) error
}

// Applier is what Books needs of the ledger.
type Applier interface {
	Apply(tx db.Tx, chain ledger.Chain) (undo func(), err error)
	Find(ctx context.Context, id ledger.ID) (ledger.Account, error)
}

// BooksConfig says what Books works with. All fields are required.
type BooksConfig struct {
	DB     *db.DB
	Writer Writer // the database's
	Ledger Applier
	// Spent is told of each packet that used an agreement, once that is durable. It is quick.
	Spent func(agreement uuid.UUID)
	Now   func() time.Time
	Log   *slog.Logger
}

// Books moves the money of packets: it implements connector.Books and
// connector.Payees on the ledger. What a packet changes is one db.Unit: its
// chain, the payment's row, and what arrived.
type Books struct {
	BooksConfig

	arrivals    *arrivals
	streams     *streams
	lines       *lineLimit
	facts       *recent[payee, fact]
	authorities authorities
}

// factsKept is how many payees are remembered at least.
const factsKept = 1 << 16

// NewBooks returns the books of a database whose ledger is open. A database has
// one.
func NewBooks(ctx context.Context, cfg BooksConfig) (*Books, error) {
	b := &Books{
		BooksConfig: cfg, arrivals: newArrivals(), streams: newStreams(), lines: newLineLimit(),
		facts:       newRecent[payee, fact](factsKept),
		authorities: newAuthorities(cfg.DB),
	}
	for _, p := range []db.Participant{b.arrivals, b.streams} {
		if err := cfg.DB.Writer.Join(ctx, p, func(db.Tx) error { return nil }); err != nil {
			return nil, fmt.Errorf("open the books: %w", err)
		}
	}
	return b, nil
}

func (b *Books) unit(chain ledger.Chain, rows func(db.Tx) error) db.Unit {
	return db.Unit{Apply: func(tx db.Tx) (func(), error) { return b.Ledger.Apply(tx, chain) }, Rows: rows}
}

// The pauses before what must be done is tried again.
const (
	againMin  = 5 * time.Millisecond
	againMax  = time.Second
	againMost = 8 // tries, of what isn't only busy
)

// untilDone commits a packet's end, which must not be left undone, however often the
// database is busy. It is ErrUnknown when the writer has stopped, when the ledger says
// no, which it never does to what fits, and when the rows can't be written again and
// again: the money then stays in flight until the next start, for an admin to look
// into.
func (b *Books) untilDone(ctx context.Context, d connector.Delivery, move func(leg) ledger.Command, rows func(db.Tx) error) error {
	chain, err := moves(d, move)
	if err != nil {
		return fmt.Errorf("%w: %w", connector.ErrUnknown, err)
	}
	return b.repeated(ctx, d, b.unit(chain, rows))
}

// repeated commits such an end, as untilDone says.
func (b *Books) repeated(ctx context.Context, d connector.Delivery, unit db.Unit) error {
	ctx = context.WithoutCancel(ctx)
	failures := 0
	for pause := againMin; ; pause = min(2*pause, againMax) {
		err := b.Writer.Submit(ctx, unit)
		if err == nil {
			return nil
		}
		if failures++; isPassing(err) {
			failures = 0
		}
		var refused *ledger.Error
		switch {
		case errors.Is(err, db.ErrStopped):
			return fmt.Errorf("%w: %w", connector.ErrUnknown, err)
		case failures >= againMost, errors.As(err, &refused):
			b.Log.ErrorContext(ctx, "the end of a packet can't be written: its money stays in flight until the next start",
				"reference", referenceOf(d), "account", d.From.Account, "toward", d.To.Account, "amount", d.AmountIn, "error", err)
			return fmt.Errorf("%w: %w", connector.ErrUnknown, err)
		}
		b.Log.WarnContext(ctx, "the end of a packet could not be written; it is tried again", "reference", referenceOf(d), "error", err)
		select {
		case <-b.DB.Writer.Done():
		case <-time.After(pause):
		}
	}
}

// isPassing tells a database with too much to do from one that can't do something.
func isPassing(err error) bool { return errors.Is(err, db.ErrBusy) || errors.Is(err, db.ErrFull) }

// refusal says a no in the connector's words. A payer's money is held, so a limit
// that is met is a peer's, or the wallet's own exchange account's.
func refusal(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, ledger.ErrInsufficient), errors.Is(err, ledger.ErrOverflow):
		return fmt.Errorf("%w: %w", connector.ErrInsufficient, err)
	case errors.Is(err, ledger.ErrHoldToward), errors.Is(err, db.ErrBusy),
		errors.Is(err, db.ErrFull) && !errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("%w: %w", connector.ErrBusy, err)
	case errors.Is(err, db.ErrStopped):
		return fmt.Errorf("%w: %w", connector.ErrUnknown, err)
	case errors.Is(err, ledger.ErrHoldExceeded), errors.Is(err, ledger.ErrHoldUnknown), errors.Is(err, ledger.ErrHoldExpired),
		errors.Is(err, ledger.ErrAccountClosed), errors.Is(err, ledger.ErrAccountUnknown), errors.Is(err, ledger.ErrAmount),
		errors.Is(err, ledger.ErrSameAccount):
		return fmt.Errorf("%w: %w", connector.ErrRefused, err)
	}
	return err
}

// credit tells a peer that has used up its credit, and an agreement that is used up,
// from an account of this wallet that has too little.
func credit(d connector.Delivery, err error) error {
	var refused *ledger.Error
	if !errors.As(err, &refused) || !errors.Is(refused.Err, ledger.ErrInsufficient) {
		return err
	}
	var debit uuid.UUID
	switch c := refused.Command.(type) {
	case ledger.Packet:
		debit = c.Debit
	case ledger.Take:
		debit = c.Debit
	}
	switch {
	case d.From.Peer && debit == d.From.Account:
		return fmt.Errorf("%w: %w", connector.ErrCredit, err)
	case d.Authority != nil && debit == d.Authority.Account:
		return fmt.Errorf("%w: %w", connector.ErrAllowance, err)
	}
	return err
}

func outgoingAccount(a ilp.Asset) uuid.UUID {
	return ledger.HouseAccount(ledger.Asset(a), ledger.CodeOutgoing)
}

func exchangeAccount(a ilp.Asset) uuid.UUID {
	return ledger.HouseAccount(ledger.Asset(a), ledger.CodeExchange)
}
