package payments

import (
	"context"
	"errors"
	"math/big"
	"math/bits"
	"sync"
	"testing"
	"time"

	"pochi/app/problem"
	"pochi/ilp"
	"pochi/ilp/connector"
	"pochi/ilp/stream"
	"pochi/ledger"

	"github.com/google/uuid"
	"pgregory.net/rapid"
)

// What was used last is remembered, and never more than twice as much.
func TestRecentIsBounded(t *testing.T) {
	const most = 10
	r := newRecent[int, int](most)
	r.put(-1, -1)
	for i := range 1000 {
		r.put(i, i)
		if got, here := r.get(i); !here || got != i {
			t.Fatalf("%d is forgotten at once", i)
		}
		if _, here := r.get(-1); !here { // it is always in use
			t.Fatalf("what is in use is forgotten after %d", i)
		}
		if n := len(r.young) + len(r.old); n > 2*most {
			t.Fatalf("%d are remembered", n)
		}
	}
}

// Connections of quotes are there once, until the quotes expire, and no more of them
// than there may be.
func TestQuotedConnectionsAreBounded(t *testing.T) {
	k := newQuoted()
	at := time.Unix(1_700_000_000, 0)
	quote := func() Quote {
		at = at.Add(time.Millisecond)
		return Quote{ID: uuid.New(), CreatedAt: at, ExpiresAt: at.Add(time.Minute)}
	}
	first := quote()
	k.keep(first, connection{Sender: new(stream.Sender)})
	if _, here := k.take(first.ID); !here {
		t.Error("the connection is gone")
	}
	if _, here := k.take(first.ID); here {
		t.Error("the connection is there twice")
	}
	for range 2 * quotedMax {
		k.keep(quote(), connection{})
	}
	if len(k.byID) != quotedMax || k.queue.Len() != quotedMax {
		t.Errorf("%d are kept, %d may expire", len(k.byID), k.queue.Len())
	}
	at = at.Add(time.Hour)
	k.keep(quote(), connection{})
	if len(k.byID) != 1 || k.queue.Len() != 1 {
		t.Errorf("after an hour %d are kept, %d may expire", len(k.byID), k.queue.Len())
	}
}

// What has become a payment, or never will, takes nobody's place: apps' charges are
// many, and each is decided in a moment.
func TestDecidedChargesLeaveTheQuotesOfPeople(t *testing.T) {
	k, now := newQuoted(), time.Unix(1_700_000_000, 0)
	quote := func() Quote { return Quote{ID: uuid.New(), CreatedAt: now, ExpiresAt: now.Add(time.Minute)} }
	persons := quote()
	k.keep(persons, connection{Sender: new(stream.Sender)})
	for range 2 * quotedMax {
		charge := quote()
		k.keep(charge, connection{})
		k.forget(charge.ID)
	}
	if _, here := k.find(persons.ID); !here {
		t.Error("a person's quote was crowded out")
	}
	if _, here := k.take(persons.ID); !here {
		t.Error("its connection was crowded out")
	}
}

// A person who takes all they may has no part in what others wait for.
func TestSlotsAreOfAPerson(t *testing.T) {
	s := newSlots()
	ctx := context.Background()
	ann, ben := uuid.New(), uuid.New()
	var releases []func()
	for range sendersMaxPerson {
		release, err := s.take(ctx, ann)
		if err != nil {
			t.Fatal(err)
		}
		releases = append(releases, release)
	}
	late, cancel := context.WithCancel(ctx)
	var waits sync.WaitGroup
	waits.Go(func() {
		if _, err := s.take(late, ann); !errors.Is(err, context.Canceled) {
			t.Errorf("one more than a person may have: %v", err)
		}
	})
	release, err := s.take(ctx, ben)
	if err != nil {
		t.Fatal(err)
	}
	release()
	cancel()
	waits.Wait()
	for _, release := range releases {
		release()
	}
	if len(s.all) != 0 || len(s.people) != 0 {
		t.Errorf("%d slots and %d people are left", len(s.all), len(s.people))
	}
}

// A peer may begin so many payments to people here in a second; those that have begun,
// and other peers', go on.
func TestNewLinesOfAPeerAreBounded(t *testing.T) {
	l, now := newLineLimit(), time.Now()
	from := func(peer byte) connector.Party { return connector.Party{Account: uuid.UUID{peer}, Peer: true} }
	packet := func(from connector.Party, line uuid.UUID) connector.Delivery {
		return connector.Delivery{From: from, To: connector.Party{Reference: line}}
	}
	first := uuid.New()
	for i := range lineRate.Burst {
		id := uuid.New()
		if i == 0 {
			id = first
		}
		ended, err := l.admit(packet(from(1), id), now)
		if err != nil {
			t.Fatal(err)
		}
		ended(nil)
	}
	wants := func(d connector.Delivery, at time.Time, want error) (ended func(error)) {
		t.Helper()
		ended, err := l.admit(d, at)
		if !errors.Is(err, want) {
			t.Errorf("%v, want %v", err, want)
		}
		return ended
	}
	wants(packet(from(1), uuid.New()), now, connector.ErrTooFast)
	wants(packet(from(1), first), now, nil)
	wants(packet(from(2), uuid.New()), now, nil)
	wants(packet(connector.Party{Account: uuid.UUID{1}}, uuid.New()), now, nil)
	later := now.Add(lineRate.Every)
	wants(packet(from(1), uuid.New()), later, nil)(errors.New("refused"))
	wants(packet(from(1), uuid.New()), later, nil)
	wants(packet(from(1), uuid.New()), later, connector.ErrTooFast)
}

// Somebody comes once for all quotes that wait, and not for those that were confirmed.
func TestUnsavedQuotes(t *testing.T) {
	u, quotes := newUnsaved(), make([]Quote, unsavedMax)
	for i := range quotes {
		quotes[i].ID = uuid.Must(uuid.NewV7())
		if added, first := u.add(quotes[i]); !added || first != (i == 0) {
			t.Fatalf("quote %d: added %v, first %v", i, added, first)
		}
	}
	if added, _ := u.add(Quote{ID: uuid.Must(uuid.NewV7())}); added {
		t.Error("there is no bound")
	}
	u.drop(quotes[7].ID)
	all := u.take()
	if _, here := all[quotes[7].ID]; here || len(all) != unsavedMax-1 {
		t.Errorf("%d quotes wait, the confirmed one too: %v", len(all), here)
	}
	if added, first := u.add(quotes[0]); !added || !first {
		t.Errorf("the next: added %v, first %v", added, first)
	}
}

// So may an agreement's app, whatever its owner's others do.
func TestNewLinesOfAnAppAreBounded(t *testing.T) {
	l, now := newLineLimit(), time.Now()
	packet := func(agreement byte) connector.Delivery {
		return connector.Delivery{
			From: connector.Party{Account: uuid.UUID{1}, Reference: uuid.UUID{agreement}}, To: connector.Party{Reference: uuid.New()},
			Authority: &connector.Authority{},
		}
	}
	for range appLineRate.Burst {
		ended, err := l.admit(packet(1), now)
		if err != nil {
			t.Fatal(err)
		}
		ended(nil)
	}
	if _, err := l.admit(packet(1), now); !errors.Is(err, connector.ErrTooFast) {
		t.Errorf("another: %v", err)
	}
	if _, err := l.admit(packet(2), now); err != nil {
		t.Errorf("of another agreement: %v", err)
	}
}

// What a charge uses is its share of what was reserved, rounded up and never more.
func TestShareOfAReserve(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		amount := rapid.OneOf(rapid.Uint64Range(1, 100), rapid.Uint64Range(1, ledger.AmountMax)).Draw(t, "reserved")
		debit := rapid.OneOf(rapid.Uint64Range(1, 100), rapid.Uint64Range(1, ledger.AmountMax)).Draw(t, "debit")
		sent := rapid.Uint64Range(0, debit).Draw(t, "sent")
		r := reserve{amount: ledger.Amount{Value: amount}, debit: debit}
		used := r.usedFor(sent)
		// used - 1 < amount × sent / debit <= used
		product := new(big.Int).Mul(new(big.Int).SetUint64(amount), new(big.Int).SetUint64(sent))
		enough := new(big.Int).Mul(new(big.Int).SetUint64(used), new(big.Int).SetUint64(debit))
		less := new(big.Int).Sub(enough, new(big.Int).SetUint64(debit))
		if used > amount || enough.Cmp(product) < 0 || used > 0 && less.Cmp(product) >= 0 || sent == debit && used != amount {
			t.Errorf("%d of %d, of which %d were reserved, are %d", sent, debit, amount, used)
		}
	})
}

// ratio is an exchange rate: from the first asset to any other.
type ratio struct {
	Rates
	numerator, denominator uint64
}

func (r ratio) Convert(_ context.Context, amount uint64, _, _ ilp.Asset) (uint64, error) {
	high, low := bits.Mul64(amount, r.numerator)
	if high >= r.denominator {
		return 0, connector.ErrOverflow
	}
	out, _ := bits.Div64(high, low, r.denominator)
	return out, nil
}

// cost is the least amount that is worth a debit; it fits if that, and its worth, are
// amounts.
func (r ratio) cost(debit uint64) (least *big.Int, fits bool) {
	numerator, denominator := new(big.Int).SetUint64(r.numerator), new(big.Int).SetUint64(r.denominator)
	least = new(big.Int).Mul(new(big.Int).SetUint64(debit), denominator)
	least.Add(least, numerator).Sub(least, big.NewInt(1)).Div(least, numerator)
	worth := new(big.Int).Mul(least, numerator)
	worth.Div(worth, denominator)
	return least, least.IsInt64() && worth.IsInt64()
}

// What costs an amount that is worth more than an amount can be is too large, not to
// be tried again.
func TestCostThatIsWorthTooMuch(t *testing.T) {
	euros, yen := ledger.Asset{Code: "EUR", Scale: 2}, ledger.Asset{Code: "JPY"}
	for _, rate := range []ratio{{numerator: 4, denominator: 2}, {numerator: 1, denominator: 2}, {numerator: 1 << 32, denominator: 1<<32 - 1}, {numerator: 1 << 62, denominator: 1}} {
		s := &Service{Config: Config{Rates: rate}}
		_, err := s.costOf(context.Background(), ledger.Amount{Value: ledger.AmountMax, Asset: yen}, euros)
		if problem.CodeOf(err) != problem.Invalid || problem.Fields(err)["amount"] != ledger.ErrAmountTooLarge.Error() {
			t.Errorf("%d/%d: %v", rate.numerator, rate.denominator, err)
		}
	}
}

// What a charge costs of its agreement is worth its debit, and nothing less is.
func TestCostOfADebit(t *testing.T) {
	euros, yen := ledger.Asset{Code: "EUR", Scale: 2}, ledger.Asset{Code: "JPY"}
	rapid.Check(t, func(t *rapid.T) {
		rate := ratio{numerator: rapid.Uint64Range(1, 1<<32).Draw(t, "numerator"), denominator: rapid.Uint64Range(1, 1<<32).Draw(t, "denominator")}
		s := &Service{Config: Config{Rates: rate}}
		debit := ledger.Amount{Value: rapid.OneOf(rapid.Uint64Range(1, 1000), rapid.Uint64Range(1, ledger.AmountMax)).Draw(t, "debit"), Asset: yen}
		cost, err := s.costOf(context.Background(), debit, euros)
		if err != nil {
			if least, fits := rate.cost(debit.Value); fits || problem.Fields(err)["amount"] != ledger.ErrAmountTooLarge.Error() {
				t.Errorf("%s, which costs %s: %v", debit, least, err)
			}
			return
		}
		is, _ := rate.Convert(context.Background(), cost.Value, ilp.Asset{}, ilp.Asset{})
		below, _ := rate.Convert(context.Background(), cost.Value-1, ilp.Asset{}, ilp.Asset{})
		if is < debit.Value || below >= debit.Value || cost.Asset != euros {
			t.Errorf("%d costs %d, which is worth %d; one less is worth %d", debit.Value, cost.Value, is, below)
		}
	})
}
