package ledger_test

import (
	"errors"
	"fmt"
	"math"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pochi/ledger"

	"github.com/google/go-cmp/cmp"
)

// flight is a hold with packets: who pays, which credit account names the hold,
// who would owe what is in flight, and who gets it.
type flight struct{ reference, debit, credit, toward, to ledger.ID }

func (f flight) open(amount uint64) ledger.Command {
	return ledger.OpenHold{Reference: f.reference, Debit: f.debit, Credit: f.credit, Amount: amount}
}

func (f flight) take(amount uint64) ledger.Take {
	return ledger.Take{Reference: f.reference, Debit: f.debit, Credit: f.credit, Toward: f.toward, Amount: amount}
}

func (f flight) takeUnreserved(amount uint64) ledger.Take {
	take := f.take(amount)
	take.Unreserved = true
	return take
}

func (f flight) post(amount uint64) ledger.Post {
	return ledger.Post{Reference: f.reference, Debit: f.debit, Credit: f.credit, To: f.to, Amount: amount, Code: 4}
}

func (f flight) release(amount uint64) ledger.Release {
	return ledger.Release{Reference: f.reference, Debit: f.debit, Credit: f.credit, Amount: amount}
}

func (f flight) draw(amount uint64) ledger.Draw {
	return ledger.Draw{ID: newID(), Reference: f.reference, Debit: f.debit, Credit: f.credit, To: f.to, Amount: amount, Code: 4}
}

func (f flight) end() ledger.CloseHold {
	return ledger.CloseHold{Reference: f.reference, Debit: f.debit, Credit: f.credit}
}

// peer opens a dollar account of another node's.
func (w *world) peer(limit, balance uint64) ledger.ID {
	w.t.Helper()
	return w.accountOf(w.usd, ledger.CodePeer, limit, balance)
}

// accountOf opens an account of a kind with a balance.
func (w *world) accountOf(number uint32, code uint16, limit, balance uint64) ledger.ID {
	w.t.Helper()
	id := newID()
	w.do(ledger.OpenAccount{ID: id, Ledger: number, Code: code, Limit: limit})
	if balance > 0 {
		asset := usd
		if number == w.eur {
			asset = eur
		}
		w.do(transfer(ledger.HouseAccount(asset, ledger.CodeEquity), id, balance))
	}
	return id
}

// outgoing is a payment of ann's to a peer.
func (w *world) outgoing(balance uint64) flight {
	w.t.Helper()
	peer := w.peer(0, 0)
	return flight{newID(), w.account(0, balance), ledger.HouseAccount(usd, ledger.CodeOutgoing), peer, peer}
}

// flying reads what the holds of a reference say: reserved, in flight, drawn,
// returned, whether toward somebody, closed.
func (w *world) flying(reference ledger.ID) []string {
	w.t.Helper()
	return rows(w.t, w.db.Read, "SELECT reserved, in_flight, drawn, returned, toward IS NOT NULL, closed FROM holds WHERE reference = x'"+
		hexOf(reference)+"' ORDER BY n")
}

// What one batch takes from a hold, posts and releases: what it did is one row
// of the hold, one entry and one transfer, however many packets there were.
func TestPacketsOfABatchAreOneTransfer(t *testing.T) {
	w := newWorld(t)
	f, g := w.outgoing(1000), w.outgoing(1000)
	g.credit, g.to = f.credit, f.to
	other := w.account(0, 0)
	w.do(f.open(900), g.open(900))
	packet := func(code uint16, reference, credit ledger.ID) ledger.Command {
		return ledger.Packet{Debit: f.debit, Credit: credit, Amount: 2, Code: code, Reference: reference}
	}
	elsewhere, otherwise := f.post(6), f.post(7)
	elsewhere.To, otherwise.Code = other, 5
	var units []unit
	for range 5 {
		for _, command := range []ledger.Command{
			f.take(20), f.post(4), f.post(1), f.release(2), elsewhere, otherwise,
			packet(4, f.reference, f.to), packet(5, f.reference, f.to), packet(4, g.reference, f.to), packet(4, f.reference, other),
		} {
			units = append(units, unit{ledger.Chain{command}, nil})
		}
	}
	units = append(units, unit{ledger.Chain{g.take(9), g.post(8), g.post(100)}, nil}, unit{ledger.Chain{g.take(9), g.post(8)}, nil})
	want := make([]error, len(units))
	want[len(units)-2] = ledger.ErrHoldExceeded
	w.answered(w.together(units...), want...)

	name := func(id ledger.ID) string { return "x'" + hexOf(id) + "'" }
	got := rows(t, w.db.Read, fmt.Sprintf(`SELECT concat(CASE credit WHEN %s THEN 'peer' WHEN %s THEN 'other' END, ' ', code,
		CASE reference WHEN %s THEN ' f ' WHEN %s THEN ' g ' END, 'from ', coalesce(hold, 0), ': ', amount, ' in ', packets)
		FROM ledger_transfers WHERE packets > 0 AND id IS NULL ORDER BY 1`, name(f.to), name(other), name(f.reference), name(g.reference)))
	if diff := cmp.Diff([]string{
		"other 4 f from 0: 10 in 5", "other 4 f from 1: 30 in 5",
		"peer 4 f from 0: 10 in 5", "peer 4 f from 1: 25 in 10", "peer 4 g from 0: 10 in 5", "peer 4 g from 2: 8 in 1",
		"peer 5 f from 0: 10 in 5", "peer 5 f from 1: 35 in 5",
	}, got); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"8 1"}, rows(t, w.db.Read, "SELECT transfers, entries FROM batches ORDER BY seq DESC LIMIT 1")); diff != "" {
		t.Errorf("the batch: %s", diff)
	}
	if diff := cmp.Diff([]string{"810 0 90 0 0 0"}, w.flying(f.reference)); diff != "" {
		t.Error(diff)
	}
	w.do(f.take(4), f.post(4)) // of the next batch: another transfer
	lines, err := w.ledger.History(t.Context(), f.to, 0, 1)
	if err != nil || len(lines) != 1 || lines[0].Packets != 1 || lines[0].Amount != 4 {
		t.Fatalf("the last line: %+v, %v", lines, err)
	}
	batch := rows(t, w.db.Read, "SELECT max(batch) FROM transfers")
	if id := lines[0].ID; id.Version() != 8 || id != ledger.PacketsID(atoi(t, batch[0]), lines[0].Seq) {
		t.Errorf("the transfer's id is %s", id)
	}
	w.clean()
}

func atoi(t *testing.T, text string) (n int64) {
	t.Helper()
	if _, err := fmt.Sscan(text, &n); err != nil {
		t.Fatal(err)
	}
	return n
}

// PacketsID tells batches and numbers apart, and is no client's id.
func TestPacketsID(t *testing.T) {
	seen := map[ledger.ID]bool{}
	for _, batch := range []int64{1, 2, 1 << 40, 1<<48 - 1} {
		for _, seq := range []int64{1, 2, 1 << 40, 1<<62 - 1} {
			id := ledger.PacketsID(batch, seq)
			if id.Version() != 8 || id.Variant() != newID().Variant() || seen[id] {
				t.Errorf("batch %d, number %d: %s", batch, seq, id)
			}
			seen[id] = true
		}
	}
}

func TestALifeOfAFlight(t *testing.T) {
	w := newWorld(t)
	f := w.outgoing(100)
	away := f
	away.toward = ledger.HouseAccount(usd, ledger.CodeExchange)
	steps := []struct {
		name    string
		command ledger.Command
		refused error
		posted  int64 // of the payer
		free    uint64
		hold    string // reserved, in flight, drawn, returned, toward, closed
	}{
		{"nothing to take", f.take(1), ledger.ErrHoldUnknown, 100, 100, ""},
		{"open", f.open(90), nil, 100, 10, "90 0 0 0 0 0"},
		{"take", f.take(50), nil, 100, 10, "40 50 0 0 1 0"},
		{"take more", f.take(40), nil, 100, 10, "0 90 0 0 1 0"},
		{"take too much", f.take(1), ledger.ErrHoldExceeded, 100, 10, "0 90 0 0 1 0"},
		{"draw what is in flight", f.draw(1), ledger.ErrHoldExceeded, 100, 10, "0 90 0 0 1 0"},
		{"close", f.end(), ledger.ErrHoldInFlight, 100, 10, "0 90 0 0 1 0"},
		{"post", f.post(30), nil, 70, 10, "0 60 30 0 1 0"},
		{"post too much", f.post(61), ledger.ErrHoldExceeded, 70, 10, "0 60 30 0 1 0"},
		{"release", f.release(40), nil, 70, 10, "40 20 30 0 1 0"},
		{"release too much", f.release(21), ledger.ErrHoldExceeded, 70, 10, "40 20 30 0 1 0"},
		{"take toward another", away.take(1), ledger.ErrHoldToward, 70, 10, "40 20 30 0 1 0"},
		{"draw", f.draw(15), nil, 55, 10, "25 20 45 0 1 0"},
		{"post the rest", f.post(20), nil, 35, 10, "25 0 65 0 0 0"},
		{"post none", f.post(1), ledger.ErrHoldExceeded, 35, 10, "25 0 65 0 0 0"},
		{"release none", f.release(1), ledger.ErrHoldExceeded, 35, 10, "25 0 65 0 0 0"},
		{"take toward another now", away.take(5), nil, 35, 10, "20 5 65 0 1 0"},
		{"release it", away.release(5), nil, 35, 10, "25 0 65 0 0 0"},
		{"close now", f.end(), nil, 35, 35, "0 0 65 25 0 1"},
		{"close again", f.end(), ledger.ErrHoldUnknown, 35, 35, "0 0 65 25 0 1"},
		{"take from a closed one", f.take(1), ledger.ErrHoldUnknown, 35, 35, "0 0 65 25 0 1"},
		{"post from a closed one", f.post(1), ledger.ErrHoldUnknown, 35, 35, "0 0 65 25 0 1"},
		{"release of a closed one", f.release(1), ledger.ErrHoldUnknown, 35, 35, "0 0 65 25 0 1"},
		{"as if unreserved", f.takeUnreserved(1), ledger.ErrHoldUnknown, 35, 35, "0 0 65 25 0 1"},
	}
	for _, step := range steps {
		t.Run(step.name, func(t *testing.T) {
			w.t = t
			if err := w.submit(step.command); !errors.Is(err, step.refused) {
				t.Fatalf("got error %v, want %v", err, step.refused)
			}
			w.balance(f.debit, step.posted, step.free)
			if got := fmt.Sprint(w.flying(f.reference)); got != "["+step.hold+"]" {
				t.Errorf("hold %s, want %s", got, step.hold)
			}
			w.clean()
		})
	}
}

// Without a reservation a packet is taken from the balance, and a release gives
// it back there. The hold stays open for the next until it is closed.
func TestALifeOfAnUnreservedFlight(t *testing.T) {
	w := newWorld(t)
	in, ann := w.peer(50, 100), w.account(0, 0)
	f := flight{newID(), in, ann, ann, ann}
	reserved := f
	reserved.reference = newID()
	w.do(reserved.open(10))
	steps := []struct {
		name    string
		command ledger.Command
		refused error
		posted  int64
		free    uint64
		hold    string
	}{
		{"take too much", f.takeUnreserved(141), ledger.ErrInsufficient, 100, 140, ""},
		{"reserved, which it isn't", f.take(1), ledger.ErrHoldUnknown, 100, 140, ""},
		{"take", f.takeUnreserved(130), nil, 100, 10, "0 130 0 0 1 0"},
		{"take beyond the limit", f.takeUnreserved(11), ledger.ErrInsufficient, 100, 10, "0 130 0 0 1 0"},
		{"take to the limit", f.takeUnreserved(10), nil, 100, 0, "0 140 0 0 1 0"},
		{"take of the other sort", f.take(1), ledger.ErrHoldExists, 100, 0, "0 140 0 0 1 0"},
		{"draw", f.draw(1), ledger.ErrHoldExceeded, 100, 0, "0 140 0 0 1 0"},
		{"open", f.open(1), ledger.ErrHoldExists, 100, 0, "0 140 0 0 1 0"},
		{"close", f.end(), ledger.ErrHoldInFlight, 100, 0, "0 140 0 0 1 0"},
		{"release", f.release(100), nil, 100, 100, "0 40 0 0 1 0"},
		{"post", f.post(40), nil, 60, 100, "0 0 40 0 0 0"},
		{"again", f.takeUnreserved(100), nil, 60, 0, "0 100 40 0 1 0"},
		{"post again", f.post(100), nil, -40, 0, "0 0 140 0 0 0"},
	}
	for _, step := range steps {
		t.Run(step.name, func(t *testing.T) {
			w.t = t
			if err := w.submit(step.command); !errors.Is(err, step.refused) {
				t.Fatalf("got error %v, want %v", err, step.refused)
			}
			w.balance(in, step.posted, step.free)
			if got := fmt.Sprint(w.flying(f.reference)); got != "["+step.hold+"]" {
				t.Errorf("hold %s, want %s", got, step.hold)
			}
			w.clean()
		})
	}
	w.t = t
	w.refused(w.submit(reserved.takeUnreserved(1)), 0, ledger.ErrHoldExists)
	w.reopen() // nothing is in flight
	w.do(transfer(ann, in, 50))
	w.do(f.takeUnreserved(10), f.post(10))
	w.balance(ann, 100, 100)
	w.clean()
	w.do(f.end())
	for _, command := range []ledger.Command{f.end(), f.takeUnreserved(1)} {
		w.refused(w.submit(command), 0, ledger.ErrHoldUnknown)
	}
	w.reopen()
	w.refused(w.submit(f.takeUnreserved(1)), 0, ledger.ErrHoldUnknown)
	if diff := cmp.Diff([]string{"0 0 150 0 0 1"}, w.flying(f.reference)); diff != "" {
		t.Error(diff)
	}
	w.clean()
}

// A packet that is refused within the batch that took it leaves nothing to
// write.
func TestTakeAndReleaseWithinABatch(t *testing.T) {
	w := newWorld(t)
	f := w.outgoing(100)
	w.do(f.open(50))
	w.unchanged(func() { w.do(f.take(20), f.release(20)) })
	w.do(f.take(20))
	w.do(f.release(20))
	u := flight{newID(), f.debit, f.credit, f.toward, f.toward}
	w.do(u.takeUnreserved(5))
	w.do(u.release(5))
	w.answered(w.together(
		unit{ledger.Chain{u.takeUnreserved(7)}, nil}, unit{ledger.Chain{u.release(7)}, nil},
		unit{ledger.Chain{f.take(7)}, nil}, unit{ledger.Chain{f.release(7)}, nil},
	), nil, nil, nil, nil)
	w.balance(f.debit, 100, 50)
	w.clean()
}

// A release comes before a draw of the same batch, and what is in flight turns
// around within one.
func TestReleaseThenDrawWithinABatch(t *testing.T) {
	w := newWorld(t)
	f := w.outgoing(100)
	away := f
	away.toward, away.to = w.peer(0, 0), f.to
	w.do(f.open(50), f.take(50))
	w.do(f.release(50), f.draw(10), away.take(30), away.post(5))
	if diff := cmp.Diff([]string{"10 25 15 0 1 0"}, w.flying(f.reference)); diff != "" {
		t.Error(diff)
	}
	w.do(away.release(25), f.take(25))
	w.refused(w.submit(away.take(1)), 0, ledger.ErrHoldToward)
	w.do(f.release(25), f.end())
	w.balance(f.debit, 85, 85)
	w.clean()
}

// Packets of many callers fly, land and come back while others close the hold:
// no more leaves than was reserved, and the rest comes back once.
func TestConcurrentFlightsAndClose(t *testing.T) {
	w := newWorld(t)
	for round := range 5 {
		t.Run(fmt.Sprint(round), func(t *testing.T) {
			w.t = t
			f := w.outgoing(100)
			w.do(f.open(60))
			var posted, taken atomic.Int64
			var closed atomic.Int32
			var wg sync.WaitGroup
			for caller := range 12 {
				wg.Go(func() {
					for i := range 8 {
						amount := uint64(i%3) + 1
						switch err := w.submit(f.take(amount)); {
						case errors.Is(err, ledger.ErrHoldExceeded) || errors.Is(err, ledger.ErrHoldUnknown):
							continue
						case err != nil:
							t.Error(err)
							continue
						}
						taken.Add(1)
						land := ledger.Command(f.release(amount))
						if caller%2 == 0 {
							land = f.post(amount)
							posted.Add(int64(amount))
						}
						if err := w.submit(land); err != nil {
							t.Errorf("what was taken can't land: %v", err)
						}
						if err := w.submit(f.end()); err == nil {
							closed.Add(1)
						} else if !errors.Is(err, ledger.ErrHoldUnknown) && !errors.Is(err, ledger.ErrHoldInFlight) {
							t.Error(err)
						}
					}
				})
			}
			wg.Wait()
			if err := w.submit(f.end()); err == nil {
				closed.Add(1)
			}
			if posted.Load() > 60 || closed.Load() != 1 || taken.Load() == 0 {
				t.Errorf("%d posted of 60, %d taken, closed %d times", posted.Load(), taken.Load(), closed.Load())
			}
			w.balance(f.debit, 100-posted.Load(), uint64(100-posted.Load()))
			if diff := cmp.Diff([]string{fmt.Sprint(0, 0, posted.Load(), 60-posted.Load(), 0, 1)}, w.flying(f.reference)); diff != "" {
				t.Error(diff)
			}
		})
	}
	w.t = t
	w.clean()
}

// What is in flight finds room where it goes, whatever is done to the accounts
// meanwhile: what Take let go, Post can't refuse.
func TestWhatIsTakenCanBePosted(t *testing.T) {
	const half = uint64(1) << 62
	house := ledger.HouseAccount(usd, ledger.CodeEquity)
	other := func(w *world, f flight, amount uint64) ledger.Command {
		return flight{newID(), w.peer(half, 0), f.credit, f.toward, f.to}.takeUnreserved(amount)
	}
	from := func(f flight) flight { return flight{newID(), f.debit, f.credit, house, house} }
	packet := func(w *world, f flight) ledger.Command {
		return ledger.Packet{Debit: w.peer(half, 0), Credit: f.to, Amount: half}
	}
	for _, test := range []struct {
		name     string
		reserved bool
		then     func(w *world, f flight) ledger.Command // while half is in flight
		refused  error
	}{
		{"another flight there", false, func(w *world, f flight) ledger.Command { return other(w, f, half) }, ledger.ErrOverflow},
		{"another flight there that fits", false, func(w *world, f flight) ledger.Command { return other(w, f, half-1) }, nil},
		{"a packet there", false, packet, ledger.ErrOverflow},
		{"a packet there, beside what was reserved", true, packet, ledger.ErrOverflow},
		{"a transfer there", false, func(w *world, f flight) ledger.Command { return transfer(w.peer(half, 0), f.to, half) }, ledger.ErrOverflow},
		{"another flight from there", false, func(_ *world, f flight) ledger.Command { return from(f).takeUnreserved(half) }, ledger.ErrOverflow},
		{"a hold from there", false, func(_ *world, f flight) ledger.Command { return from(f).open(half) }, ledger.ErrOverflow},
		{"a packet from there", false, func(_ *world, f flight) ledger.Command {
			return ledger.Packet{Debit: f.debit, Credit: house, Amount: half}
		}, ledger.ErrOverflow},
	} {
		for _, end := range []string{"post", "release"} {
			t.Run(test.name+", "+end, func(t *testing.T) {
				withSizes(t, but(fewKept))
				w := newWorld(t)
				to := w.peer(ledger.AmountMax, 0)
				f := flight{newID(), w.peer(ledger.AmountMax, 2), ledger.HouseAccount(usd, ledger.CodeOutgoing), to, to}
				take := f.takeUnreserved(half)
				if test.reserved {
					w.do(f.open(half))
					take = f.take(half)
				}
				w.do(take)
				second := test.then(w, f)
				w.want(w.submit(second), test.refused)
				if end == "post" {
					w.do(f.post(half))
				} else {
					w.do(f.release(half))
				}
				switch {
				case test.refused != nil && end == "post":
					w.refused(w.submit(second), 0, test.refused)
				case test.refused != nil:
					w.do(second)
				}
				w.clean()
			})
		}
	}
}

// Every refusal of the commands for packets.
func TestRefusalsOfPackets(t *testing.T) {
	w := newWorld(t)
	house, ann, ben, shut := ledger.HouseAccount(usd, ledger.CodeEquity), w.account(0, 100), w.account(0, 0), w.account(0, 0)
	eve := w.accountOf(w.eur, ledger.CodePerson, 0, 9)
	w.do(closing(shut))
	full, other, rich := w.account(math.MaxInt64, 0), w.account(math.MaxInt64, 0), w.account(math.MaxInt64, 0)
	w.do(transfer(full, other, math.MaxInt64), transfer(other, full, math.MaxInt64)) // both totals of both are at the end
	lost := flight{newID(), ann, ben, ben, ben}
	w.do(lost.takeUnreserved(10))
	w.reopen() // 10 are in suspense
	suspense := ledger.HouseAccount(usd, ledger.CodeSuspense)
	f, closed := flight{newID(), ann, ben, ben, ben}, flight{newID(), ann, ben, ben, ben}
	bare, huge := flight{newID(), ann, ben, ben, ben}, flight{newID(), rich, other, ben, ben}
	w.do(f.open(30), f.take(20), closed.open(1), closed.end(), bare.takeUnreserved(5))
	w.do(huge.takeUnreserved(math.MaxInt64-40), ledger.Packet{Debit: rich, Credit: house, Amount: 1})
	spender, friend := w.account(math.MaxInt64, 0), w.account(0, 0)
	spent := flight{newID(), spender, friend, friend, friend}
	w.do(spent.takeUnreserved(math.MaxInt64), spent.post(math.MaxInt64), transfer(friend, spender, 5))
	// ann: 90 posted, 35 pending, 55 available; rich: 39; spender: 5

	edit := func(f flight, change func(*flight)) flight { change(&f); return f }
	credit := func(id ledger.ID) flight { return edit(f, func(f *flight) { f.credit = id }) }
	debit := func(id ledger.ID) flight { return edit(f, func(f *flight) { f.debit = id }) }
	toward := func(id ledger.ID) flight { return edit(f, func(f *flight) { f.toward = id }) }
	to := func(id ledger.ID) flight { return edit(f, func(f *flight) { f.to = id }) }
	unknown := edit(f, func(f *flight) { f.reference = newID() })
	packet := func(debit, credit ledger.ID, amount uint64) ledger.Command {
		return ledger.Packet{Debit: debit, Credit: credit, Amount: amount}
	}
	w.refuses(t, []refusal{
		{"take: 0", f.take(0), ledger.ErrAmount},
		{"take: 2^63", f.take(1 << 63), ledger.ErrAmount},
		{"take: same account", credit(ann).take(1), ledger.ErrSameAccount},
		{"take: debit unknown", debit(newID()).take(1), ledger.ErrAccountUnknown},
		{"take: credit unknown", credit(newID()).take(1), ledger.ErrAccountUnknown},
		{"take: toward nobody", toward(newID()).take(1), ledger.ErrAccountUnknown},
		{"take: debit closed", debit(shut).take(1), ledger.ErrAccountClosed},
		{"take: credit closed", credit(shut).take(1), ledger.ErrAccountClosed},
		{"take: toward a closed account", toward(shut).take(1), ledger.ErrAccountClosed},
		{"take: ledgers", credit(eve).take(1), ledger.ErrLedgerMismatch},
		{"take: toward another ledger", toward(eve).take(1), ledger.ErrLedgerMismatch},
		{"take: from suspense", debit(suspense).takeUnreserved(1), ledger.ErrSuspenseAccount},
		{"take: for suspense", credit(suspense).takeUnreserved(1), ledger.ErrSuspenseAccount},
		{"take: toward suspense", toward(suspense).take(1), ledger.ErrSuspenseAccount},
		{"take: toward another", toward(full).take(1), ledger.ErrHoldToward},
		{"take: unknown", unknown.take(1), ledger.ErrHoldUnknown},
		{"take: closed", closed.take(1), ledger.ErrHoldUnknown},
		{"take: closed, unreserved", closed.takeUnreserved(1), ledger.ErrHoldUnknown},
		{"take: too much", f.take(11), ledger.ErrHoldExceeded},
		{"take: of the other sort", f.takeUnreserved(1), ledger.ErrHoldExists},
		{"take: as if reserved", bare.take(1), ledger.ErrHoldExists},
		{"take: more than is available", unknown.takeUnreserved(56), ledger.ErrInsufficient},
		{"take: more than the limit", huge.takeUnreserved(40), ledger.ErrInsufficient},
		{"take: more from one hold than can be counted", spent.takeUnreserved(1), ledger.ErrOverflow},
		{"take: credits pending overflow", edit(huge, func(f *flight) { f.debit, f.reference = house, newID() }).takeUnreserved(41), ledger.ErrOverflow},

		{"post: 0", f.post(0), ledger.ErrAmount},
		{"post: 2^63", f.post(1 << 63), ledger.ErrAmount},
		{"post: to the payer", to(ann).post(1), ledger.ErrSameAccount},
		{"post: to nobody", to(newID()).post(1), ledger.ErrAccountUnknown},
		{"post: to a closed account", to(shut).post(1), ledger.ErrAccountClosed},
		{"post: to another ledger", to(eve).post(1), ledger.ErrLedgerMismatch},
		{"post: to suspense", to(suspense).post(1), ledger.ErrSuspenseAccount},
		{"post: unknown", unknown.post(1), ledger.ErrHoldUnknown},
		{"post: another credit", credit(house).post(1), ledger.ErrHoldUnknown},
		{"post: closed", closed.post(1), ledger.ErrHoldUnknown},
		{"post: more than is in flight", f.post(21), ledger.ErrHoldExceeded},
		{"post: credits overflow", to(full).post(1), ledger.ErrOverflow},

		{"release: 0", f.release(0), ledger.ErrAmount},
		{"release: 2^64-1", f.release(math.MaxUint64), ledger.ErrAmount},
		{"release: unknown", unknown.release(1), ledger.ErrHoldUnknown},
		{"release: of nobody", debit(newID()).release(1), ledger.ErrHoldUnknown},
		{"release: closed", closed.release(1), ledger.ErrHoldUnknown},
		{"release: more than is in flight", f.release(21), ledger.ErrHoldExceeded},
		{"close: in flight", f.end(), ledger.ErrHoldInFlight},
		{"close: unreserved, in flight", bare.end(), ledger.ErrHoldInFlight},
		{"close account: something flies there", closing(ben), ledger.ErrNotEmpty},

		{"packet: 0", packet(ann, ben, 0), ledger.ErrAmount},
		{"packet: 2^63", packet(house, ben, 1<<63), ledger.ErrAmount},
		{"packet: same account", packet(ann, ann, 1), ledger.ErrSameAccount},
		{"packet: debit unknown", packet(newID(), ben, 1), ledger.ErrAccountUnknown},
		{"packet: credit unknown", packet(ann, newID(), 1), ledger.ErrAccountUnknown},
		{"packet: debit closed", packet(shut, ben, 1), ledger.ErrAccountClosed},
		{"packet: credit closed", packet(ann, shut, 1), ledger.ErrAccountClosed},
		{"packet: ledgers", packet(ann, eve, 1), ledger.ErrLedgerMismatch},
		{"packet: from suspense", packet(suspense, ann, 1), ledger.ErrSuspenseAccount},
		{"packet: to suspense", packet(ann, suspense, 1), ledger.ErrSuspenseAccount},
		{"packet: more than is available", packet(ann, ben, 56), ledger.ErrInsufficient},
		{"packet: credits overflow", packet(ann, full, 1), ledger.ErrOverflow},
		{"packet: debits overflow", packet(full, ben, 1), ledger.ErrOverflow},

		{"transfer: from suspense", transfer(suspense, ann, 1), ledger.ErrSuspenseAccount},
		{"transfer: to suspense", transfer(ann, suspense, 1), ledger.ErrSuspenseAccount},
		{"hold: for suspense", credit(suspense).open(1), ledger.ErrSuspenseAccount},
		{"close: suspense", closing(suspense), ledger.ErrHouseAccount},
		{"hold: expired", ledger.OpenHold{Reference: newID(), Debit: ann, Credit: ben, Amount: 1, Expires: time.Unix(0, 0)}, ledger.ErrHoldExpired},
		{"resolve: unknown", ledger.ResolveSuspense{Item: 2}, ledger.ErrSuspenseUnknown},
		{"resolve: 0", ledger.ResolveSuspense{}, ledger.ErrSuspenseUnknown},
		{"resolve: below 0", ledger.ResolveSuspense{Item: math.MinInt64}, ledger.ErrSuspenseUnknown},
	})
}
