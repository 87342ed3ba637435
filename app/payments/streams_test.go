package payments_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pochi/app/payments"
	"pochi/app/problem"
	"pochi/db"
	"pochi/ilp/connector"
	"pochi/ilp/packet"
	"pochi/ilp/stream"
	"pochi/ledger"

	"github.com/google/uuid"
)

// used is a packet of an agreement as the books see it, of dollars of Ann's.
func (w *wallet) used(agreement uuid.UUID, to connector.Party, amount uint64) connector.Delivery {
	w.t.Helper()
	terms, err := w.Agreements.Agreement(context.Background(), agreement, amount)
	if err != nil {
		w.t.Fatal(err)
	}
	authority := terms.Authority
	authority.Amount = amount
	return connector.Delivery{From: terms.Account, To: to, AmountIn: amount, AmountOut: amount, Authority: &authority}
}

// spender sends packets over an agreement's own link to somebody here.
func (w *wallet) spender(agreement uuid.UUID, name string) *stream.Sender {
	w.t.Helper()
	payee, err := w.Accounts.PayeeByName(context.Background(), name)
	if err != nil {
		w.t.Fatal(err)
	}
	details, err := w.Payments.Offer(payee)
	if err != nil {
		w.t.Fatal(err)
	}
	return stream.NewSender(stream.SenderConfig{
		Link: w.Node.Link(connector.FromAgreement(agreement)), Destination: details.DestinationAccount, Secret: details.SharedSecret,
		Clock: w.Clock, Random: rand.Reader,
	})
}

// An app streams over the agreement's own link: what moves is worth no more than what
// it uses, and the rest of the agreement is what it was.
func TestStreamUnderAnAgreement(t *testing.T) {
	w := newWallet(t)
	ann, ben := w.Person("ann", usd, "100"), w.Person("ben", jpy, "")
	id := w.Agree(ann, "Shop", ledger.Amount{Value: 1000, Asset: eur}, "")
	ctx := context.Background()
	s := w.spender(id, "ben")
	probe, err := s.Probe(ctx, 500)
	if err != nil {
		t.Fatal(err)
	}
	if a := w.Has(ann); a != "100.00 USD" {
		t.Errorf("a probe moved something: Ann has %s", a)
	}
	result, err := s.Send(ctx, stream.SendParams{Amount: 500, MinDelivered: probe.Received, Asset: probe.Asset, Whole: true})
	if err != nil || result.Sent != 500 || result.Delivered != 818 {
		t.Errorf("%+v, %v", result, err)
	}
	wantUsed(t, w.Wallet, w.Interval(id), 500)
	if a, b := w.Has(ann), w.Has(ben); a != "94.53 USD" || b != "818 JPY" {
		t.Errorf("Ann has %s, Ben %s", a, b)
	}
	w.Check()
}

// Whoever asks for more than is left is told so, before and when money would move.
func TestProbesOfAnAgreement(t *testing.T) {
	w := newWallet(t)
	ann := w.Person("ann", usd, "100")
	w.Person("ben", usd, "")
	id := w.Agree(ann, "Shop", ledger.Amount{Value: 1000, Asset: usd}, "R/P1M")
	ctx := context.Background()
	if _, err := w.spender(id, "ben").ProbeWhole(ctx, 1000); err != nil {
		t.Errorf("all of an untouched interval: %v", err)
	}
	charge(t, w.Wallet, asked(id, "k", benPointer, "600", payments.FixedDebit))
	if _, err := w.spender(id, "ben").ProbeWhole(ctx, 400); err != nil {
		t.Errorf("all that is left: %v", err)
	}
	for _, amount := range []uint64{401, 1001} {
		_, err := w.spender(id, "ben").ProbeWhole(ctx, amount)
		failure, ok := err.(*stream.Failure)
		if !ok || failure.Reject == nil || failure.Reject.Code != packet.InsufficientLiquidity ||
			failure.Reject.Message != "The agreement has less than this left until it renews. Ask it what is left, and send no more than that." {
			t.Errorf("%d of 400: %+v", amount, err)
		}
	}
	if err := w.Agreements.Pause(ctx, ann.ID, id); err != nil {
		t.Fatal(err)
	}
	_, err := w.spender(id, "ben").ProbeWhole(ctx, 1)
	if failure, ok := err.(*stream.Failure); !ok || failure.Reject == nil || failure.Reject.Code != packet.BadRequest {
		t.Errorf("paused: %+v", err)
	}
	w.Check()
}

// Of fifty packets at once those that fit pass, and no other; so do packets and
// charges together.
func TestPacketsAtOnce(t *testing.T) {
	for _, charges := range []int{0, 25} {
		w := newWallet(t)
		ann := w.Person("ann", usd, "1000")
		w.Person("ben", usd, "")
		id := w.Agree(ann, "Shop", ledger.Amount{Value: 1099, Asset: usd}, "R/P1M")
		ctx := context.Background()
		var all sync.WaitGroup
		var passed atomic.Int64
		for i := range 50 {
			all.Go(func() {
				if i < charges {
					c, err := w.Payments.Charge(ctx, asked(id, fmt.Sprint(i), benPointer, "100", payments.FixedDebit))
					switch {
					case err == nil:
						w.Payments.Wait(ctx, c.ID)
						passed.Add(1)
					case problem.CodeOf(err) != problem.LimitExceeded:
						t.Error(err)
					}
					return
				}
				d := w.used(id, connect(t, w.Wallet, "ben"), 100)
				switch err := w.Books.Deliver(ctx, d); {
				case err == nil:
					passed.Add(1)
				case !errors.Is(err, connector.ErrAllowance):
					t.Error(err)
				}
			})
		}
		all.Wait()
		if n := passed.Load(); n != 10 {
			t.Errorf("%d of %d charges and the rest packets passed", n, charges)
		}
		wantUsed(t, w.Wallet, w.Interval(id), 1000)
		if got := w.Has(ann); got != "990.00 USD" {
			t.Errorf("Ann has %s", got)
		}
		w.Check()
	}
}

// A packet of an agreement was on its way to another node when the wallet died. What it
// used stays used: the app isn't to send it again. The owner sees that it is being
// checked, and what came of it.
func TestSuspenseOfAStream(t *testing.T) {
	for _, pay := range []bool{true, false} {
		w := newWallet(t)
		ann := w.Person("ann", usd, "100")
		id := w.Agree(ann, "Shop", ledger.Amount{Value: 1000, Asset: usd}, "R/P1M")
		interval := w.Interval(id)
		peer := w.AddPeer("test.far", usd, 0, nil)
		ctx := context.Background()
		for range 2 {
			if err := w.Books.Take(ctx, w.used(id, peerParty(peer, usd), 200)); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Books.Post(ctx, w.used(id, peerParty(peer, usd), 200)); err != nil {
			t.Fatal(err)
		}
		w.Stop()
		w.Start(true)
		wantUsed(t, w.Wallet, interval, 400)
		w.Check()
		if got := w.history(ann); got != "Shop 2.00 USD checking, Shop 2.00 USD" {
			t.Errorf("history %s", got)
		}
		if _, _, err := w.review().Resolve(ctx, w.item(), pay); err != nil {
			t.Fatal(err)
		}
		wantUsed(t, w.Wallet, interval, 400)
		want, has := "Shop 2.00 USD", "98.00 USD"
		if pay {
			want, has = "Shop 4.00 USD", "96.00 USD"
		}
		if got := w.history(ann); got != want || w.Has(ann) != has {
			t.Errorf("paid %t: history %s, Ann has %s", pay, got, w.Has(ann))
		}
		w.Rest()
		w.Check()
	}
}

// An app streams to people at two other wallets at the same time: neither waits for the
// other, and what becomes of one is nothing to the other.
func TestStreamsTowardTwoPeersAtOnce(t *testing.T) {
	w := newWallet(t)
	ann := w.Person("ann", usd, "100")
	id := w.Agree(ann, "Shop", ledger.Amount{Value: 1000, Asset: usd}, "R/P1M")
	interval := w.Interval(id)
	near, far := w.AddPeer("test.near", usd, 0, nil), w.AddPeer("test.far", usd, 0, nil)
	ctx := context.Background()
	packet := func(to uuid.UUID) connector.Delivery { return w.used(id, peerParty(to, usd), 100) }
	for _, to := range []uuid.UUID{near, far, near, far, far} {
		if err := w.Books.Take(ctx, packet(to)); err != nil {
			t.Fatal(err)
		}
	}
	w.Check()
	for _, err := range []error{w.Books.Post(ctx, packet(near)), w.Books.Release(ctx, packet(far), ""), w.Books.Post(ctx, packet(far))} {
		if err != nil {
			t.Fatal(err)
		}
	}
	w.Check()
	w.Stop() // with a packet in flight toward each
	w.Start(true)
	w.Check()
	items, err := payments.ListSuspense(ctx, w.DB.Read, true)
	if err != nil || len(items) != 2 {
		t.Fatalf("%d items, %v", len(items), err)
	}
	for _, item := range items {
		if _, _, err := w.review().Resolve(ctx, item.Item, item.Counterparty == near); err != nil {
			t.Fatal(err)
		}
	}
	if n, f := w.Balance(near), w.Balance(far); n != 200 || f != 100 {
		t.Errorf("the near one is owed %d, the far one %d", n, f)
	}
	wantUsed(t, w.Wallet, interval, 400)
	if got := w.Has(ann); got != "97.00 USD" {
		t.Errorf("Ann has %s", got)
	}
	if got := w.history(ann); got != "Shop 2.00 USD, Shop 1.00 USD" && got != "Shop 1.00 USD, Shop 2.00 USD" {
		t.Errorf("history %s", got)
	}
	w.Rest()
	w.Check()
}

// Across currencies a second peer of one currency has to wait: after a crash, what the
// payer's money became for each could not be told apart.
func TestStreamsTowardTwoPeersAcrossCurrencies(t *testing.T) {
	w := newWallet(t)
	ann := w.Person("ann", usd, "100")
	id := w.Agree(ann, "Shop", ledger.Amount{Value: 1000, Asset: usd}, "R/P1M")
	near, far := w.AddPeer("test.near", eur, 0, nil), w.AddPeer("test.far", eur, 0, nil)
	ctx := context.Background()
	packet := func(to uuid.UUID) connector.Delivery {
		d := w.used(id, peerParty(to, eur), 100)
		d.AmountOut = 90
		return d
	}
	if err := w.Books.Take(ctx, packet(near)); err != nil {
		t.Fatal(err)
	}
	if err := w.Books.Take(ctx, packet(far)); !errors.Is(err, connector.ErrBusy) {
		t.Errorf("a packet to the far one: %v", err)
	}
	if err := w.Books.Post(ctx, packet(near)); err != nil {
		t.Fatal(err)
	}
	if err := w.Books.Take(ctx, packet(far)); err != nil {
		t.Errorf("a packet to the far one, when nothing is on its way to the near one: %v", err)
	}
	if err := w.Books.Release(ctx, packet(far), ""); err != nil {
		t.Fatal(err)
	}
	w.Rest()
	w.Check()
}

// A peer that apps have streamed to can be removed once nothing is on its way to it,
// and packets that come a moment later are for another way.
func TestAPeerOfStreamsIsRemoved(t *testing.T) {
	for _, asset := range []ledger.Asset{usd, eur} {
		w := newWallet(t)
		ann := w.Person("ann", usd, "100")
		id := w.Agree(ann, "Shop", ledger.Amount{Value: 1000, Asset: usd}, "R/P1M")
		near := w.AddPeer("test.near", asset, 0, nil)
		ctx := context.Background()
		d := w.used(id, peerParty(near, asset), 100)
		if asset != usd {
			d.AmountOut = 90
		}
		closed := func() error {
			return w.Ledger.Submit(ctx, ledger.Chain{ledger.CloseAccount{ID: near}}, func(tx db.Tx) error {
				_, err := tx.ExecContext(ctx, "UPDATE peers SET removed_at = 1 WHERE id = ?", near[:])
				return err
			})
		}
		if err := w.Books.Take(ctx, d); err != nil {
			t.Fatal(err)
		}
		if err := closed(); !errors.Is(err, ledger.ErrNotEmpty) {
			t.Errorf("%s: while a packet is on its way: %v", asset.Code, err)
		}
		if err := w.Books.Release(ctx, d, ""); err != nil {
			t.Fatal(err)
		}
		if err := closed(); err != nil {
			t.Errorf("%s: %v", asset.Code, err)
		}
		w.Check()
		if err := w.Books.Take(ctx, d); !errors.Is(err, connector.ErrBusy) {
			t.Errorf("%s: a packet after that: %v", asset.Code, err)
		}
		w.Crash()
		w.Start(true)
		w.Check()
	}
}

// history is what apps did with somebody's money, newest first.
func (w *wallet) history(p person) string {
	w.t.Helper()
	list, _, err := w.Payments.History(context.Background(), payments.Filter{UserID: p.ID, Limit: 10})
	if err != nil {
		w.t.Fatal(err)
	}
	var lines []string
	for _, m := range list {
		line := m.App + " " + m.Amount.String()
		if m.Checking {
			line += " checking"
		}
		if m.App != "" {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, ", ")
}

// The guard is asked where nothing can come between it and the money: a packet that was
// allowed before its agreement was revoked doesn't pass afterwards, and one that is in
// flight ends as it would.
func TestRevokedWhilePacketsAreOnTheirWay(t *testing.T) {
	w := newWallet(t)
	ann := w.Person("ann", usd, "100")
	w.Person("ben", usd, "")
	id := w.Agree(ann, "Shop", ledger.Amount{Value: 1000, Asset: usd}, "")
	peer := w.AddPeer("test.far", usd, 0, nil)
	ctx := context.Background()
	here, far := w.used(id, connect(t, w.Wallet, "ben"), 100), w.used(id, peerParty(peer, usd), 100)
	if err := w.Books.Take(ctx, far); err != nil {
		t.Fatal(err)
	}
	if err := w.Agreements.Lower(ctx, ann.ID, id, 500); err != nil {
		t.Fatal(err)
	}
	if err := w.Books.Deliver(ctx, here); !errors.Is(err, connector.ErrBusy) {
		t.Errorf("after it was lowered: %v", err)
	}
	if err := w.Books.Deliver(ctx, w.used(id, here.To, 400)); err != nil {
		t.Errorf("all that is left: %v", err)
	}
	fresh := w.used(id, here.To, 1)
	if err := w.Agreements.Revoke(ctx, ann.ID, id); err != nil {
		t.Fatal(err)
	}
	for name, do := range map[string]func(context.Context, connector.Delivery) error{"deliver": w.Books.Deliver, "take": w.Books.Take} {
		if err := do(ctx, fresh); !errors.Is(err, connector.ErrDisallowed) {
			t.Errorf("%s after it was revoked: %v", name, err)
		}
	}
	if err := w.Books.Post(ctx, far); err != nil {
		t.Errorf("what was in flight: %v", err)
	}
	if got := w.Has(ann); got != "95.00 USD" {
		t.Errorf("Ann has %s", got)
	}
	w.Rest()
	w.Check()
}

// What comes back comes back to the interval that it left, though the next has begun.
func TestPacketsComeBackToTheirInterval(t *testing.T) {
	w := newWallet(t)
	ann := w.Person("ann", usd, "100")
	id := w.Agree(ann, "Shop", ledger.Amount{Value: 1000, Asset: usd}, "R/P1M")
	peer := w.AddPeer("test.far", usd, 0, nil)
	ctx := context.Background()
	first := w.Interval(id)
	back, gone, late := w.used(id, peerParty(peer, usd), 300), w.used(id, peerParty(peer, usd), 200), w.used(id, peerParty(peer, usd), 100)
	for _, d := range []connector.Delivery{back, gone} {
		if err := w.Books.Take(ctx, d); err != nil {
			t.Fatal(err)
		}
	}
	w.Clock.Advance(40 * 24 * time.Hour)
	if err := w.Books.Take(ctx, late); !errors.Is(err, connector.ErrBusy) {
		t.Errorf("a packet of the last interval: %v", err)
	}
	second := w.Interval(id)
	if err := w.Books.Take(ctx, w.used(id, peerParty(peer, usd), 1000)); err != nil {
		t.Errorf("all of the next interval: %v", err)
	}
	if err := w.Books.Release(ctx, back, ""); err != nil {
		t.Fatal(err)
	}
	if err := w.Books.Post(ctx, gone); err != nil {
		t.Fatal(err)
	}
	wantUsed(t, w.Wallet, first, 200)
	wantUsed(t, w.Wallet, second, 1000)
	w.Check()
}

// What was in doubt of packets that crossed currencies was taken from their owner toward
// the wallet's own exchange: it went to the peers nevertheless.
func TestSuspenseOfAStreamAcrossCurrencies(t *testing.T) {
	for _, pay := range []bool{true, false} {
		w := newWallet(t)
		ann := w.Person("ann", usd, "100")
		id := w.Agree(ann, "Shop", ledger.Amount{Value: 1000, Asset: usd}, "R/P1M")
		interval := w.Interval(id)
		near, far := w.AddPeer("test.near", eur, 0, nil), w.AddPeer("test.far", jpy, 0, nil)
		ctx := context.Background()
		for _, to := range []connector.Party{peerParty(near, eur), peerParty(far, jpy)} {
			d := w.used(id, to, 200)
			d.AmountOut = 180
			if err := w.Books.Take(ctx, d); err != nil {
				t.Fatal(err)
			}
		}
		w.Stop()
		w.Start(true)
		w.Check()
		items, err := payments.ListSuspense(ctx, w.DB.Read, true)
		if err != nil {
			t.Fatal(err)
		}
		for _, item := range items {
			if _, _, err := w.review().Resolve(ctx, item.Item, pay); err != nil {
				t.Fatal(err)
			}
		}
		wantUsed(t, w.Wallet, interval, 400)
		want, has := "", "100.00 USD"
		if pay {
			want, has = "Shop 4.00 USD", "96.00 USD"
		}
		if got := w.history(ann); got != want || w.Has(ann) != has {
			t.Errorf("paid %t: history %s, Ann has %s", pay, got, w.Has(ann))
		}
		w.Check()
	}
}
