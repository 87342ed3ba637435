// Package rates converts amounts between currencies. Rates are rationals; what
// is converted is rounded down once, and what rounding leaves stays with the
// wallet's exchange account.
//
// The configuration says what one and the same value is in each currency. Rates
// that admins set change that, oldest first: the second currency, and with it
// all that earlier ones of these rates connect it to, moves to where the rate
// has it; the first one's side stays. Every other pair is the quotient of the
// values that this leaves, so that no circle of exchanges gains. A rate that was
// set is what was set, and its inverse the other way. Where it closes a circle of
// rates that were set, it need not be the quotient: it is refused when people
// would gain.
//
// A rate that was set has a spread, which the wallet keeps, and is good for a
// time only. A pair that was not set itself is derived from the rates that moved
// one of its currencies and not the other: it has the largest of their spreads,
// and is too old as soon as one of them is. What is too old refuses: nothing
// stands in for it. Pairs that nothing has moved apart are the configuration's.
//
// Rates that close a circle need not fit the others. Where people would gain by
// going one way at what was set and back at what is derived, every pair depends
// on more: on all rates of its group, or of both its groups, which are the
// currencies that rates connect.
package rates

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"pochi/db"
	"pochi/ilp"
	"pochi/ilp/connector"
)

// Book holds the rates in force. It answers from memory, and is safe for
// concurrent use. It implements connector.Rates.
type Book struct {
	db         *db.DB
	table      Table
	currencies []string
	now        func() time.Time

	setting sync.Mutex             // one change at a time, while it is written
	set     atomic.Pointer[[]Rate] // the newest of each pair, oldest first; never changed in place
	entries atomic.Pointer[map[pair]entry]
	changed chan struct{} // has one when set is not what Watch saw
}

func newBook(d *db.DB, table Table, currencies []string, now func() time.Time) *Book {
	return &Book{db: d, table: table, currencies: currencies, now: now, changed: make(chan struct{}, 1)}
}

// pair is two different currencies, in the direction of an exchange.
type pair struct{ from, to string }

func (p pair) inverse() pair { return pair{p.to, p.from} }

// entry is a rate, ready to convert with.
type entry struct {
	rate   Rate
	factor factor
}

// Open returns a book of the configuration's rates and of those that admins
// have set in the database. They can set those of the table's currencies, of the
// given ones, and of all that the ledger has.
func Open(ctx context.Context, d *db.DB, table Table, currencies []string, now func() time.Time) (*Book, error) {
	b := newBook(d, table, currencies, now)
	set, at, err := newest(ctx, d.Read)
	if err != nil {
		return nil, err
	}
	b.install(set, inForce(table, set, at).rates())
	return b, nil
}

// install puts rates in force: those that were set, and all that follows.
func (b *Book) install(set []Rate, all map[pair]Rate) {
	entries := make(map[pair]entry, len(all))
	for p, r := range all {
		entries[p] = entry{rate: r, factor: newFactor(r.Effective())}
	}
	b.set.Store(&set)
	b.entries.Store(&entries)
	select {
	case b.changed <- struct{}{}:
	default: // Watch will see this too
	}
}

// find returns what is in force from one currency to another, or
// connector.ErrNoRate or ErrStaleRate.
func (b *Book) find(from, to string) (entry, error) {
	e, ok := (*b.entries.Load())[pair{from, to}]
	switch {
	case !ok:
		return e, fmt.Errorf("%w from %s to %s", connector.ErrNoRate, from, to)
	case e.rate.Stale(b.now()):
		return e, fmt.Errorf("%w: from %s to %s, good until %s: rate set %s renews it",
			connector.ErrStaleRate, from, to, e.rate.GoodUntil.Format(time.RFC3339), e.rate.Renew)
	}
	return e, nil
}

// InForce returns what is in force in each direction, too old or not, in the
// order of the currencies.
func (b *Book) InForce() []Rate {
	all := map[pair]Rate{}
	for p, e := range *b.entries.Load() {
		all[p] = e.rate
	}
	return sorted(all)
}

// Check returns connector.ErrNoRate or ErrStaleRate when nothing of one
// currency can be exchanged into the other right now.
func (b *Book) Check(from, to string) error {
	if from == to {
		return nil
	}
	_, err := b.find(from, to)
	return err
}

// Convert implements connector.Rates: amount in from's smallest unit becomes
// to's, after the spread, rounded down once. Within a currency the rate is 1,
// without a spread. Errors are connector.ErrNoRate, ErrStaleRate and ErrOverflow.
func (b *Book) Convert(_ context.Context, amount uint64, from, to ilp.Asset) (uint64, error) {
	f := same
	if from.Code != to.Code {
		e, err := b.find(from.Code, to.Code)
		if err != nil {
			return 0, err
		}
		f = e.factor
	}
	out, ok := f.convert(amount, int(to.Scale)-int(from.Scale))
	if !ok {
		return 0, fmt.Errorf("%w: %d %s in %s", connector.ErrOverflow, amount, from, to)
	}
	return out, nil
}

// Describe says in words what one unit brings, after the spread: "1 USD =
// 0.9137 EUR", with at least four significant digits. It is "" within a currency
// and where nothing can be exchanged right now.
func (b *Book) Describe(from, to string) string {
	e, err := b.find(from, to)
	if err != nil {
		return ""
	}
	return e.rate.String()
}
