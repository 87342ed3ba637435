package ledger_test

import (
	"bytes"
	"errors"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"pochi/db"
	"pochi/ledger"

	"github.com/google/uuid"
)

// Every refusal of every command, alone and at the end of a chain that is
// undone with it.
func TestRefusals(t *testing.T) {
	w := newWorld(t)
	house := ledger.HouseAccount(usd, ledger.CodeEquity)
	ann, ben, shut := w.account(0, 100), w.account(0, 0), w.account(0, 0)
	eve := newID()
	w.do(ledger.OpenAccount{ID: eve, Ledger: w.eur, Code: ledger.CodePerson})
	w.do(ledger.CloseAccount{ID: shut})
	full, other, rich := w.account(math.MaxInt64, 0), w.account(math.MaxInt64, 0), w.account(math.MaxInt64, 0)
	w.do(transfer(full, other, math.MaxInt64), transfer(other, full, math.MaxInt64)) // both totals of both are at the end
	open, closed, empty, huge := newID(), newID(), newID(), newID()
	hold := ledger.OpenHold{Reference: open, Debit: ann, Credit: ben, Amount: 30}
	w.do(hold)
	w.do(ledger.OpenHold{Reference: closed, Debit: ann, Credit: ben, Amount: 10})
	w.do(ledger.CloseHold{Reference: closed, Debit: ann, Credit: ben})
	w.do(ledger.OpenHold{Reference: empty, Debit: ann, Credit: ben, Amount: 5})
	drawn := ledger.Draw{ID: newID(), Reference: empty, Debit: ann, Credit: ben, To: ben, Amount: 5}
	w.do(drawn)
	w.do(ledger.OpenHold{Reference: huge, Debit: rich, Credit: ben, Amount: math.MaxInt64 - 30})
	moved := transfer(ben, ann, 1)
	w.do(moved)
	// ann: 96 posted, 30 held, 66 available

	draw := func(reference, debit, credit, to ledger.ID, amount uint64) ledger.Draw {
		return ledger.Draw{ID: newID(), Reference: reference, Debit: debit, Credit: credit, To: to, Amount: amount}
	}
	changed := moved
	changed.Amount++
	stranger, ahead, random := transfer(ann, ben, 1), transfer(ann, ben, 1), transfer(ann, ben, 1)
	stranger.ID, ahead.ID, random.ID = ledger.ID{}, idAt(time.Now().Add(61*time.Minute)), uuid.New()
	ahead2 := draw(open, ann, ben, ben, 1)
	ahead2.ID = ahead.ID
	w.refuses(t, []refusal{
		{"open: taken", ledger.OpenAccount{ID: ann, Ledger: w.usd}, ledger.ErrAccountExists},
		{"open: taken by a closed one", ledger.OpenAccount{ID: shut, Ledger: w.usd}, ledger.ErrAccountExists},
		{"open: taken by another kind", ledger.OpenAccount{ID: ann, Ledger: w.usd, Code: 9, IfAbsent: true}, ledger.ErrAccountExists},
		{"open: taken on another ledger", ledger.OpenAccount{ID: ann, Ledger: w.eur, Code: 1, IfAbsent: true}, ledger.ErrAccountExists},
		{"open: taken with other user data", ledger.OpenAccount{ID: ann, Ledger: w.usd, Code: 1, UserData: ann, IfAbsent: true}, ledger.ErrAccountExists},
		{"open: closed", ledger.OpenAccount{ID: shut, Ledger: w.usd, Code: 1, IfAbsent: true}, ledger.ErrAccountClosed},
		{"open: no ledger", ledger.OpenAccount{ID: newID(), Ledger: 99}, ledger.ErrLedgerUnknown},
		{"open: limit", ledger.OpenAccount{ID: newID(), Ledger: w.usd, Limit: 1 << 63}, ledger.ErrAmount},

		{"close: unknown", ledger.CloseAccount{ID: newID()}, ledger.ErrAccountUnknown},
		{"close: closed", ledger.CloseAccount{ID: shut}, ledger.ErrAccountClosed},
		{"close: balance", ledger.CloseAccount{ID: ann}, ledger.ErrNotEmpty},
		{"close: the house's", ledger.CloseAccount{ID: house}, ledger.ErrHouseAccount},
		{"close: debits pending", ledger.CloseAccount{ID: rich}, ledger.ErrNotEmpty},
		{"close: credits pending", ledger.CloseAccount{ID: ben}, ledger.ErrNotEmpty},

		{"limit: 2^63", ledger.SetLimit{ID: ann, Limit: 1 << 63}, ledger.ErrAmount},
		{"limit: unknown", ledger.SetLimit{ID: newID()}, ledger.ErrAccountUnknown},
		{"limit: closed", ledger.SetLimit{ID: shut, Limit: 5}, ledger.ErrAccountClosed},

		{"transfer: 0", transfer(ann, ben, 0), ledger.ErrAmount},
		{"transfer: 2^63", transfer(house, ben, 1<<63), ledger.ErrAmount},
		{"transfer: 2^64-1", transfer(house, ben, math.MaxUint64), ledger.ErrAmount},
		{"transfer: same account", transfer(ann, ann, 1), ledger.ErrSameAccount},
		{"transfer: debit unknown", transfer(newID(), ben, 1), ledger.ErrAccountUnknown},
		{"transfer: credit unknown", transfer(ann, newID(), 1), ledger.ErrAccountUnknown},
		{"transfer: debit closed", transfer(shut, ann, 1), ledger.ErrAccountClosed},
		{"transfer: credit closed", transfer(ann, shut, 1), ledger.ErrAccountClosed},
		{"transfer: ledgers", transfer(ann, eve, 1), ledger.ErrLedgerMismatch},
		{"transfer: more than is available", transfer(ann, ben, 67), ledger.ErrInsufficient},
		{"transfer: nothing there", transfer(eve, ledger.HouseAccount(eur, ledger.CodeEquity), 1), ledger.ErrInsufficient},
		{"transfer: credits overflow", transfer(ann, full, 1), ledger.ErrOverflow},
		{"transfer: debits overflow", transfer(full, ben, 1), ledger.ErrOverflow},
		{"transfer: again", moved, ledger.ErrExists},
		{"transfer: id of another", changed, ledger.ErrExistsDifferent},

		{"transfer: no id", stranger, ledger.ErrID},
		{"transfer: a random id", random, ledger.ErrID},
		{"transfer: an id of a time to come", ahead, ledger.ErrID},

		{"hold: 0", ledger.OpenHold{Reference: newID(), Debit: ann, Credit: ben}, ledger.ErrAmount},
		{"hold: 2^63", ledger.OpenHold{Reference: newID(), Debit: house, Credit: ben, Amount: 1 << 63}, ledger.ErrAmount},
		{"hold: same account", ledger.OpenHold{Reference: newID(), Debit: ann, Credit: ann, Amount: 1}, ledger.ErrSameAccount},
		{"hold: debit unknown", ledger.OpenHold{Reference: newID(), Debit: newID(), Credit: ben, Amount: 1}, ledger.ErrAccountUnknown},
		{"hold: credit unknown", ledger.OpenHold{Reference: newID(), Debit: ann, Credit: newID(), Amount: 1}, ledger.ErrAccountUnknown},
		{"hold: debit closed", ledger.OpenHold{Reference: newID(), Debit: shut, Credit: ben, Amount: 1}, ledger.ErrAccountClosed},
		{"hold: credit closed", ledger.OpenHold{Reference: newID(), Debit: ann, Credit: shut, Amount: 1}, ledger.ErrAccountClosed},
		{"hold: ledgers", ledger.OpenHold{Reference: newID(), Debit: ann, Credit: eve, Amount: 1}, ledger.ErrLedgerMismatch},
		{"hold: more than is available", ledger.OpenHold{Reference: newID(), Debit: ann, Credit: ben, Amount: 67}, ledger.ErrInsufficient},
		{"hold: credits pending overflow", ledger.OpenHold{Reference: newID(), Debit: ann, Credit: ben, Amount: 1}, ledger.ErrOverflow},
		{"hold: more than the limit", ledger.OpenHold{Reference: newID(), Debit: rich, Credit: house, Amount: 31}, ledger.ErrInsufficient},
		{"hold: again", hold, ledger.ErrHoldExists},
		{"hold: of a closed one", ledger.OpenHold{Reference: closed, Debit: ann, Credit: ben, Amount: 1}, ledger.ErrHoldExists},

		{"draw: 0", draw(open, ann, ben, ben, 0), ledger.ErrAmount},
		{"draw: 2^63", draw(huge, rich, ben, ben, 1<<63), ledger.ErrAmount},
		{"draw: to the payer", draw(open, ann, ben, ann, 1), ledger.ErrSameAccount},
		{"draw: to nobody", draw(open, ann, ben, newID(), 1), ledger.ErrAccountUnknown},
		{"draw: to a closed account", draw(open, ann, ben, shut, 1), ledger.ErrAccountClosed},
		{"draw: to another ledger", draw(open, ann, ben, eve, 1), ledger.ErrLedgerMismatch},
		{"draw: unknown reference", draw(newID(), ann, ben, ben, 1), ledger.ErrHoldUnknown},
		{"draw: another debit", draw(open, house, ben, ben, 1), ledger.ErrHoldUnknown},
		{"draw: another credit", draw(open, ann, house, ben, 1), ledger.ErrHoldUnknown},
		{"draw: closed", draw(closed, ann, ben, ben, 1), ledger.ErrHoldUnknown},
		{"draw: more than held", draw(open, ann, ben, ben, 31), ledger.ErrHoldExceeded},
		{"draw: from an empty one", draw(empty, ann, ben, ben, 1), ledger.ErrHoldExceeded},
		{"draw: credits overflow", draw(open, ann, ben, full, 1), ledger.ErrOverflow},
		{"draw: again", drawn, ledger.ErrExists},
		{"draw: an id of a time to come", ahead2, ledger.ErrID},

		{"close hold: unknown", ledger.CloseHold{Reference: newID(), Debit: ann, Credit: ben}, ledger.ErrHoldUnknown},
		{"close hold: closed", ledger.CloseHold{Reference: closed, Debit: ann, Credit: ben}, ledger.ErrHoldUnknown},
		{"close hold: other account", ledger.CloseHold{Reference: open, Debit: ben, Credit: ann}, ledger.ErrHoldUnknown},
	})
}

// refusal is a command that is refused.
type refusal struct {
	name    string
	command ledger.Command
	want    error
}

// refuses expects refusals, alone and at the end of a chain that is undone
// with them.
func (w *world) refuses(t *testing.T, tests []refusal) {
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			w.t = t
			w.unchanged(func() {
				w.refused(w.submit(test.command), 0, test.want)
				if errors.Is(test.want, ledger.ErrExists) || errors.Is(test.want, ledger.ErrExistsDifferent) {
					return // in a chain it is another matter: see TestRepeatedChains
				}
				fresh, house := newID(), ledger.HouseAccount(eur, ledger.CodeEquity)
				f := flight{newID(), fresh, house, house, house}
				w.refused(w.submit(
					ledger.OpenAccount{ID: fresh, Ledger: w.eur},
					transfer(house, fresh, 5), ledger.Packet{Debit: house, Credit: fresh, Amount: 5},
					f.open(5), f.take(4), f.post(2), f.release(1),
					test.command,
				), 7, test.want)
			})
		})
	}
	w.t = t
	w.clean()
	w.reopen()
	w.clean()
}

// idAt returns an id of a time.
func idAt(at time.Time) ledger.ID {
	id := newID()
	for i := range 6 {
		id[i] = byte(at.UnixMilli() >> (8 * (5 - i)))
	}
	return id
}

// A transfer's id may be from any time before, and from five minutes ahead.
func TestIDsOfOtherTimes(t *testing.T) {
	w, clock := newTimedWorld(t)
	ann, ben := w.account(0, 100), w.account(0, 0)
	pay := transfer(ann, ben, 1)
	for _, at := range []time.Time{{}, time.UnixMilli(0), clock.now().Add(5 * time.Minute), clock.now()} {
		pay.ID = idAt(at)
		if at.IsZero() {
			pay.ID = ledger.ID{6: 0x70, 8: 0x80, 15: 1}
		}
		w.do(pay)
		w.refused(w.submit(pay), 0, ledger.ErrExists)
	}
	pay.ID = idAt(clock.now().Add(5*time.Minute + time.Millisecond))
	w.refused(w.submit(transfer(ann, ben, 1), pay), 1, ledger.ErrID)
	clock.pass(time.Millisecond)
	w.do(pay)
	w.clean()
}

// refused expects the index and the reason of a refused command.
func (w *world) refused(err error, index int, reason error) {
	w.t.Helper()
	var refusal *ledger.Error
	if !errors.As(err, &refusal) || refusal.Index != index || !errors.Is(err, reason) {
		w.t.Errorf("got error %v, want command %d refused: %v", err, index, reason)
	}
}

func TestLargestAmounts(t *testing.T) {
	w := newWorld(t)
	house := ledger.HouseAccount(usd, ledger.CodeEquity)
	ann, ben := w.account(math.MaxInt64, math.MaxInt64), w.account(math.MaxInt64, 0)
	w.balance(ann, math.MaxInt64, 2*math.MaxInt64) // its limit and its balance: no wrap
	w.balance(house, -math.MaxInt64, 0)
	w.refused(w.submit(transfer(house, ann, 1)), 0, ledger.ErrInsufficient)

	w.do(transfer(ann, ben, math.MaxInt64))
	w.refused(w.submit(transfer(ann, ben, 1)), 0, ledger.ErrOverflow)
	hold := newID()
	w.do(ledger.OpenHold{Reference: hold, Debit: ben, Credit: house, Amount: math.MaxInt64})
	w.balance(ben, math.MaxInt64, math.MaxInt64)
	w.refused(w.submit(transfer(ben, house, 1)), 0, ledger.ErrOverflow) // the hold couldn't be drawn any more
	w.refused(w.submit(ledger.OpenHold{Reference: newID(), Debit: ben, Credit: ann, Amount: 1}), 0, ledger.ErrOverflow)
	w.do(ledger.CloseHold{Reference: hold, Debit: ben, Credit: house})
	w.do(transfer(ben, house, math.MaxInt64))
	w.balance(ben, 0, math.MaxInt64)
	w.refused(w.submit(transfer(ben, house, 1)), 0, ledger.ErrOverflow)
	w.reopen()
	w.balance(ben, 0, math.MaxInt64)
	w.clean()
}

func TestTheExactBalanceIsSpendable(t *testing.T) {
	w := newWorld(t)
	ann, ben, cat := w.account(0, 100), w.account(0, 0), w.account(50, 100)
	w.do(transfer(ann, ben, 100))
	w.balance(ann, 0, 0)
	w.refused(w.submit(transfer(ann, ben, 1)), 0, ledger.ErrInsufficient)

	hold := newID()
	w.do(ledger.OpenHold{Reference: hold, Debit: ben, Credit: ann, Amount: 100})
	w.refused(w.submit(transfer(ben, ann, 1)), 0, ledger.ErrInsufficient)
	w.do(ledger.Draw{ID: newID(), Reference: hold, Debit: ben, Credit: ann, To: cat, Amount: 100})
	w.balance(ben, 0, 0)

	w.do(transfer(cat, ann, 250)) // balance 200 and limit 50
	w.balance(cat, -50, 0)
	w.refused(w.submit(transfer(cat, ann, 1)), 0, ledger.ErrInsufficient)
	w.clean()
}

// A credit that is only pending can't be spent.
func TestPendingCreditsAreNotAvailable(t *testing.T) {
	w := newWorld(t)
	ann, ben := w.account(0, 100), w.account(0, 0)
	w.do(ledger.OpenHold{Reference: newID(), Debit: ann, Credit: ben, Amount: 100})
	w.balance(ben, 0, 0)
	w.refused(w.submit(transfer(ben, ann, 1)), 0, ledger.ErrInsufficient)
}

func TestOpenAndCloseAccounts(t *testing.T) {
	w := newWorld(t)
	ann, ben := w.account(7, 100), w.account(0, 0)
	want := ledger.Account{ID: ben, Ledger: w.usd, Code: ledger.CodePerson}
	if got := w.find(ben); got != want {
		t.Errorf("a new account: %+v, want %+v", got, want)
	}
	_, err := ledger.Find(t.Context(), w.db.Read, newID())
	w.want(err, ledger.ErrAccountUnknown)
	w.do(transfer(ann, ben, 100), ledger.CloseAccount{ID: ann}) // emptied and closed in one chain
	w.reopen()
	want = ledger.Account{
		ID: ann, Ledger: w.usd, Code: ledger.CodePerson, Limit: 7, DebitsPosted: 100, CreditsPosted: 100, Closed: true,
	}
	if got := w.find(ann); got != want {
		t.Errorf("a closed account: %+v, want %+v", got, want)
	}
	w.refused(w.submit(transfer(ben, ann, 1)), 0, ledger.ErrAccountClosed)
	w.clean()
}

// A limit may be lowered below what is used: what is held can still be drawn,
// nothing more can be debited.
func TestSetLimit(t *testing.T) {
	w := newWorld(t)
	ann, ben := w.account(100, 0), w.account(0, 50)
	hold := ledger.OpenHold{Reference: newID(), Debit: ann, Credit: ben, Amount: 40}
	w.do(transfer(ann, ben, 30), hold)
	limit := func(limit, available uint64) {
		t.Helper()
		w.do(ledger.SetLimit{ID: ann, Limit: limit})
		for range 2 { // before and after a restart
			if got := w.find(ann); got.Limit != limit || got.Available() != available {
				t.Errorf("limit %d: got %+v, %d available, want %d", limit, got, got.Available(), available)
			}
			w.refused(w.submit(transfer(ann, ben, available+1)), 0, ledger.ErrInsufficient)
			w.refused(w.submit(ledger.OpenHold{Reference: newID(), Debit: ann, Credit: ben, Amount: available + 1}), 0, ledger.ErrInsufficient)
			w.clean()
			w.reopen()
		}
	}
	limit(71, 1)
	limit(70, 0)
	limit(10, 0)
	w.do(ledger.Draw{ID: newID(), Reference: hold.Reference, Debit: ann, Credit: ben, To: ben, Amount: 25})
	w.do(transfer(ben, ann, 5)) // paid back, and still above
	limit(50, 0)
	w.do(ledger.CloseHold{Reference: hold.Reference, Debit: ann, Credit: ben})
	limit(51, 1)
	limit(0, 0)
	limit(math.MaxInt64, math.MaxInt64-50)
	w.unchanged(func() { w.do(ledger.SetLimit{ID: ann, Limit: math.MaxInt64}) }) // nothing to log
}

// Debits and limits of one batch: what was accepted under the limit of its
// moment stays, whatever the batch ends with.
func TestSetLimitWithinABatch(t *testing.T) {
	w := newWorld(t)
	ann, ben := w.account(0, 10), w.account(0, 0)
	set := func(limit uint64) ledger.SetLimit { return ledger.SetLimit{ID: ann, Limit: limit} }
	w.answered(w.together(
		unit{ledger.Chain{transfer(ann, ben, 11)}, nil},
		unit{ledger.Chain{set(5), transfer(ann, ben, 15), set(0)}, nil},
		unit{ledger.Chain{set(6), transfer(ann, ben, 2)}, nil},
		unit{ledger.Chain{set(6), transfer(ann, ben, 1)}, func(db.Tx) error { return errOwn }},
		unit{ledger.Chain{transfer(ann, ben, 1)}, nil},
		unit{ledger.Chain{set(3)}, nil},
	), ledger.ErrInsufficient, nil, ledger.ErrInsufficient, errOwn, ledger.ErrInsufficient, nil)
	w.balance(ann, -5, 0)
	if got := w.find(ann).Limit; got != 3 {
		t.Errorf("limit %d", got)
	}
	w.clean()
}

// An account that may be there already is opened once. Its limit stays as it is for
// whoever asks for more, and is lowered for whoever asks for less.
func TestOpenAccountIfAbsent(t *testing.T) {
	w := newWorld(t)
	house, data := ledger.HouseAccount(usd, ledger.CodeEquity), newID()
	open := ledger.OpenAccount{ID: newID(), Ledger: w.usd, Code: ledger.CodeAuthority, UserData: data, Limit: 10, IfAbsent: true}
	w.answered(w.together(
		unit{ledger.Chain{open, transfer(open.ID, house, 11)}, nil},
		unit{ledger.Chain{open, open, transfer(open.ID, house, 4)}, nil},
		unit{ledger.Chain{open, transfer(open.ID, house, 7)}, nil},
		unit{ledger.Chain{open, transfer(open.ID, house, 6)}, nil},
	), ledger.ErrInsufficient, nil, ledger.ErrInsufficient, nil)
	more := open
	more.Limit = 50
	w.unchanged(func() {
		w.do(more)
		w.refused(w.submit(more, transfer(open.ID, house, 1)), 1, ledger.ErrInsufficient)
		more.Limit = math.MaxUint64 // it isn't looked at
		w.do(more)
	})
	more.IfAbsent = false
	w.refused(w.submit(more), 0, ledger.ErrAccountExists)
	want := ledger.Account{
		ID: open.ID, Ledger: w.usd, Code: ledger.CodeAuthority, UserData: data, Limit: 10, DebitsPosted: 10,
	}
	for range 2 {
		if got := w.find(open.ID); got != want {
			t.Errorf("got %+v, want %+v", got, want)
		}
		w.reopen()
		w.do(open)
	}
	less := open
	less.Limit = 9
	w.refused(w.submit(less, transfer(open.ID, house, 1)), 1, ledger.ErrInsufficient)
	if got := w.find(open.ID); got != want {
		t.Errorf("the chain was refused: got %+v, want %+v", got, want)
	}
	w.do(less, transfer(house, open.ID, 2), transfer(open.ID, house, 1))
	want.Limit, want.CreditsPosted, want.DebitsPosted = 9, 2, 11
	w.do(open)
	if got := w.find(open.ID); got != want {
		t.Errorf("lowered: got %+v, want %+v", got, want)
	}
	w.clean()
}

// A pointer to a command is none: its id would be overlooked.
func TestOnlyValuesAreCommands(t *testing.T) {
	w := newWorld(t)
	ann, ben := w.account(0, 100), w.account(0, 0)
	pay := transfer(ann, ben, 1)
	for name, command := range map[string]ledger.Command{"nil": nil, "a pointer": &pay, "a nil pointer": (*ledger.Draw)(nil)} {
		t.Run(name, func(t *testing.T) {
			w.t = t
			w.unchanged(func() {
				w.refused(w.submit(command), 0, ledger.ErrCommand)
				w.refused(w.submit(transfer(ann, ben, 1), command), 1, ledger.ErrCommand)
			})
		})
	}
	w.t = t
	w.do(pay)
	w.clean()
}

// refusals are the reasons that a command may be refused for.
var refusals = []error{
	ledger.ErrAmount, ledger.ErrOverflow, ledger.ErrInsufficient, ledger.ErrSameAccount, ledger.ErrLedgerMismatch, ledger.ErrLedgerUnknown,
	ledger.ErrAccountUnknown, ledger.ErrAccountExists, ledger.ErrAccountClosed, ledger.ErrNotEmpty, ledger.ErrHoldUnknown, ledger.ErrHoldExists,
	ledger.ErrHoldExceeded, ledger.ErrHoldExpired, ledger.ErrHoldInFlight, ledger.ErrHoldToward, ledger.ErrID, ledger.ErrSuspenseAccount, ledger.ErrHouseAccount,
	ledger.ErrSuspenseUnknown, ledger.ErrSuspenseResolved, ledger.ErrExists, ledger.ErrExistsDifferent, ledger.ErrCommand,
}

// garbage makes commands of bytes: known accounts and unknown ones, small
// amounts and impossible ones, in any place.
type garbage struct {
	bytes []byte
	ids   []ledger.ID
	clock *clock
}

func (g *garbage) byte() (b byte) {
	if len(g.bytes) > 0 {
		b, g.bytes = g.bytes[0], g.bytes[1:]
	}
	return b
}

func pick[T any](g *garbage, from ...T) T { return from[int(g.byte())%len(from)] }

func (g *garbage) id() ledger.ID { return pick(g, g.ids...) }

func (g *garbage) flag() bool { return g.byte()%2 == 1 }

func (g *garbage) code() uint16 {
	return pick[uint16](g, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, math.MaxUint16)
}

func (g *garbage) amount() uint64 {
	return pick[uint64](g, 1, 2, 7, 10, 50, 100, 0, math.MaxInt64-50, math.MaxInt64, 1<<63, math.MaxUint64)
}

// transferID is one of a few, each time of day.
func (g *garbage) transferID() ledger.ID {
	id := ledger.ID{6: 0x70, 8: 0x80, 15: g.byte() % 16}
	return pick(g, id, id, id, ledger.ID{}, ledger.ID{15: 1}, idAt(g.clock.now().Add(2*time.Hour)), ledger.PacketsID(3, 1))
}

func (g *garbage) time() time.Time {
	now := g.clock.now()
	return pick(g, time.Time{}, now.Add(time.Minute), now, now.Add(-1), now.Add(time.Hour), time.Unix(0, 0), time.Unix(-1<<60, 0),
		time.Unix(math.MaxInt64/2, 0), time.UnixMicro(math.MaxInt64))
}

func (g *garbage) command() ledger.Command {
	switch g.byte() % 13 {
	case 12:
		return pick[ledger.Command](g, nil, &ledger.Packet{Debit: g.id(), Credit: g.id(), Amount: 1}, (*ledger.Transfer)(nil))
	case 0:
		return ledger.OpenAccount{ID: g.id(), Ledger: pick[uint32](g, 1, 2, 0, math.MaxUint32), Code: g.code(), UserData: g.id(), Limit: g.amount(), IfAbsent: g.flag()}
	case 1:
		return ledger.CloseAccount{ID: g.id()}
	case 2:
		return ledger.SetLimit{ID: g.id(), Limit: g.amount()}
	case 3:
		return ledger.Transfer{ID: g.transferID(), Debit: g.id(), Credit: g.id(), Amount: g.amount(), Code: g.code(), Reference: g.id()}
	case 4:
		return ledger.OpenHold{Reference: g.id(), Debit: g.id(), Credit: g.id(), Amount: g.amount(), Expires: g.time()}
	case 5:
		return ledger.Draw{ID: g.transferID(), Reference: g.id(), Debit: g.id(), Credit: g.id(), To: g.id(), Amount: g.amount(), Code: g.code()}
	case 6:
		return ledger.CloseHold{Reference: g.id(), Debit: g.id(), Credit: g.id()}
	case 7:
		return ledger.Take{Reference: g.id(), Debit: g.id(), Credit: g.id(), Toward: g.id(), Amount: g.amount(), Unreserved: g.flag()}
	case 8:
		return ledger.Post{Reference: g.id(), Debit: g.id(), Credit: g.id(), To: g.id(), Amount: g.amount(), Code: g.code()}
	case 9:
		return ledger.Release{Reference: g.id(), Debit: g.id(), Credit: g.id(), Amount: g.amount()}
	case 10:
		return ledger.Packet{Debit: g.id(), Credit: g.id(), Amount: g.amount(), Code: g.code(), Reference: g.id()}
	default:
		return ledger.ResolveSuspense{Item: pick[int64](g, 1, 2, 0, -1, math.MinInt64, math.MaxInt64), Pay: g.flag()}
	}
}

// Whatever is submitted: it is done, or refused for one of the reasons, and
// the ledger goes on and is right.
func FuzzCommands(f *testing.F) {
	for kind := range byte(13) {
		f.Add(bytes.Repeat([]byte{kind}, 40))
		f.Add([]byte{0, kind, 4, 5, 4, 0, 0, 0, 0, kind, 4, 5, 4, 1, 1, 1})
	}
	f.Add(bytes.Repeat([]byte{255, 7, 4, 1, 0, 3, 254, 1, 8, 0}, 30))
	random := rand.NewChaCha8([32]byte{})
	for range 20 {
		input := make([]byte, 500)
		random.Read(input)
		f.Add(input)
	}
	template := templateWorld(f)
	f.Fuzz(func(t *testing.T, input []byte) {
		clock := newClock()
		w := template.copy(t, filepath.Join(t.TempDir(), "pochi.db"), clock.now)
		t.Cleanup(func() { w.db.Close() })
		g := &garbage{bytes: input, ids: template.ids, clock: clock}
		for chains := 0; len(g.bytes) > 0 && chains < 30; chains++ {
			switch g.byte() % 8 {
			case 0:
				clock.pass(30 * time.Minute)
				w.want(w.ledger.CloseExpired(t.Context()), nil)
			case 1:
				switch err := w.tryReopen(); {
				case errors.Is(err, ledger.ErrAmount), errors.Is(err, ledger.ErrOverflow):
					return // more was lost than can be counted
				case err != nil:
					t.Fatal(err)
				}
			default:
				chain := ledger.Chain{g.command()}
				for range g.byte() % 4 {
					chain = append(chain, g.command())
				}
				w.explained(chain, w.submit(chain...))
			}
		}
		w.clean()
	})
}

// explained expects an error that says which command was refused, and why.
func (w *world) explained(chain ledger.Chain, err error) {
	w.t.Helper()
	var refusal *ledger.Error
	known := func(reason error) bool { return errors.As(err, &refusal) && refusal.Err == reason }
	if err != nil && (!slices.ContainsFunc(refusals, known) || refusal.Command != chain[refusal.Index]) {
		w.t.Fatalf("%+v: %v", chain, err)
	}
}

// template is a database to begin with.
type template struct {
	path string
	ids  []ledger.ID
}

func templateWorld(f *testing.F) template {
	w := newWorldAt(f, filepath.Join(f.TempDir(), "pochi.db"))
	house := ledger.HouseAccount(usd, ledger.CodeEquity)
	ids := []ledger.ID{{15: 1}, {15: 2}, {15: 3}, {15: 4}, {15: 5}, {15: 6}}
	for i, id := range ids[:4] { // the others may be opened
		w.do(ledger.OpenAccount{ID: id, Ledger: w.usd, Code: []uint16{1, 6, 6, 7}[i], Limit: 20},
			ledger.Transfer{ID: ledger.ID{6: 0x70, 8: 0x80, 15: byte(i)}, Debit: house, Credit: id, Amount: 100})
	}
	w.want(w.db.Close(), nil)
	ids = append(ids, house, ledger.HouseAccount(eur, ledger.CodeEquity), ledger.HouseAccount(usd, ledger.CodeSuspense), ledger.ID{},
		uuid.Max, ledger.HouseAccount(usd, ledger.CodeExchange))
	return template{w.path, ids}
}

// copy opens a copy.
func (s template) copy(t tester, path string, now func() time.Time) *world {
	t.Helper()
	content, err := os.ReadFile(s.path)
	if err == nil {
		err = os.WriteFile(path, content, 0o600)
	}
	if err != nil {
		t.Fatalf("copy a database: %v", err)
	}
	w := &world{t: t, path: path, now: now, usd: 1, eur: 2}
	w.open()
	return w
}
