package payments_test

import (
	"context"
	"crypto/rand"
	"math"
	"slices"
	"strings"
	"sync"
	"testing"

	"pochi/app/payments"
	"pochi/app/payments/paytest"
	"pochi/app/problem"
	"pochi/ilp"
	"pochi/ilp/address"
	"pochi/ilp/packet"
	"pochi/ilp/spsp"
	"pochi/ilp/stream"
	"pochi/ledger"

	"github.com/google/uuid"
)

// A quote of what arrives asks about no more than that takes: what the payer has is
// nobody's business on the way.
func TestQuoteKeepsTheBalanceToItself(t *testing.T) {
	p := newPair(t, usd, usd, dollars(), paytest.NewClock())
	var mu sync.Mutex
	var seen []uint64
	p.line.ToB.Between(func(pr packet.Prepare, next func() (packet.Reply, error)) (packet.Reply, error) {
		mu.Lock()
		seen = append(seen, pr.Amount)
		mu.Unlock()
		return next()
	})
	p.a.Quote(p.ann, farBen, "1", payments.FixedReceive)
	if len(seen) == 0 || slices.Max(seen) > 2_00 {
		t.Errorf("for 1.00 B was asked about %v", seen)
	}
}

// liar answers every question at B with what it likes.
func liar(p *pair, received uint64, asset ilp.Asset) {
	secret := [32]byte{9}
	to := address.Address("test.b.liar")
	keys := stream.NewKeys(secret)
	p.a.Elsewhere.Answer = func() (spsp.Details, error) {
		return spsp.Details{DestinationAccount: to, SharedSecret: secret}, nil
	}
	p.line.ToB.Between(func(pr packet.Prepare, _ func() (packet.Reply, error)) (packet.Reply, error) {
		plain, err := keys.AppendOpen(nil, pr.Data)
		if err != nil {
			return nil, err
		}
		v, err := stream.ViewPacket(plain)
		if err != nil {
			return nil, err
		}
		amount := received
		if pr.Amount == 0 {
			amount = 0
		}
		answer := stream.Packet{Type: packet.TypeReject, Sequence: v.Sequence, Amount: amount, Frames: []stream.Frame{stream.ConnectionAssetDetails{Code: asset.Code, Scale: asset.Scale}}}
		data, err := keys.Seal(rand.Reader, answer.Append(nil))
		if err != nil {
			return nil, err
		}
		j := packet.NewReject(packet.ApplicationError, "test.b", "")
		j.Data = data
		return j, nil
	})
}

// What another wallet's receiver claims is no error of this wallet's, and no quote if
// it can't be true.
func TestReceiverThatClaimsAnything(t *testing.T) {
	const nonsense = "makes no sense"
	for _, test := range []struct {
		name     string
		received uint64
		asset    ilp.Asset
		fixed    payments.Fixed
		field    string
		says     string
	}{
		{"more than an amount can be", math.MaxUint64, ilp.Asset{Code: "XYZ", Scale: 2}, payments.FixedDebit, "to", nonsense},
		{"2^63", 1 << 63, ilp.Asset{Code: "XYZ", Scale: 2}, payments.FixedDebit, "to", nonsense},
		{"scale 255", 5, ilp.Asset{Code: "EUR", Scale: 255}, payments.FixedDebit, "to", nonsense},
		{"scale 255, no rate", 5, ilp.Asset{Code: "XYZ", Scale: 255}, payments.FixedDebit, "to", nonsense},
		{"scale 10", 5, ilp.Asset{Code: "XYZ", Scale: 10}, payments.FixedDebit, "to", nonsense},
		{"a code that is markup", 5, ilp.Asset{Code: "<b>", Scale: 2}, payments.FixedDebit, "to", nonsense},
		{"a long code", 5, ilp.Asset{Code: strings.Repeat("X", 11), Scale: 2}, payments.FixedDebit, "to", nonsense},
		{"scale 30, receiving", 5, ilp.Asset{Code: "EUR", Scale: 30}, payments.FixedReceive, "to", nonsense},
		{"too much, receiving", math.MaxUint64, ilp.Asset{Code: "EUR", Scale: 2}, payments.FixedReceive, "to", nonsense},
		{"what can be", 5, ilp.Asset{Code: "XYZ", Scale: 9}, payments.FixedDebit, "", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := newPair(t, usd, usd, dollars(), paytest.NewClock())
			liar(p, test.received, test.asset)
			q, err := p.a.Payments.Quote(context.Background(), p.ann.ID, payments.QuoteRequest{
				AccountID: p.ann.Account, To: farBen, Amount: "10", Fixed: test.fixed,
			})
			said := problem.Fields(err)[test.field]
			if (err != nil) != (test.field != "") || !strings.Contains(said, test.says) {
				t.Errorf("quote %s to %s, %v, want %q at %q", q.DebitAmount, q.ReceiveAmount, err, test.says, test.field)
			}
		})
	}
}

// An amount that is worth more there than an amount can be is too much, not an error.
func TestQuoteOfMoreThanCanBeCounted(t *testing.T) {
	p := newPair(t, usd, usd, dollars(), paytest.NewClock())
	rich := p.a.Person("rich", usd, "")
	gift := ledger.Transfer{ID: uuid.Must(uuid.NewV7()), Debit: ledger.HouseAccount(usd, ledger.CodeEquity), Credit: rich.Account, Amount: 1e13}
	if err := p.a.Ledger.Submit(context.Background(), ledger.Chain{gift}, nil); err != nil {
		t.Fatal(err)
	}
	liar(p, 5, ilp.Asset{Code: "EUR", Scale: 9})
	_, err := p.a.Payments.Quote(context.Background(), rich.ID, payments.QuoteRequest{
		AccountID: rich.Account, To: farBen, Amount: "90000000000", Fixed: payments.FixedDebit,
	})
	if problem.Fields(err)["amount"] == "" {
		t.Errorf("%v, want a problem with the amount", err)
	}
}
