package ledger_test

import (
	"math"
	"strings"
	"sync"
	"testing"

	"pochi/ledger"
)

func TestOpenAsset(t *testing.T) {
	w := newWorld(t)
	if w.usd == w.eur {
		t.Error("two assets on one ledger")
	}
	limits := map[uint16]uint64{ledger.CodeExchange: 1000, ledger.CodeEquity: math.MaxInt64, ledger.CodeOutgoing: 0, ledger.CodeSuspense: 0}
	house := func() {
		for code, limit := range limits {
			want := ledger.Account{ID: ledger.HouseAccount(usd, code), Ledger: w.usd, Code: code, Limit: limit}
			if got := w.find(want.ID); got != want {
				t.Errorf("got %+v, want %+v", got, want)
			}
		}
	}
	house()
	again, err := w.ledger.OpenAsset(t.Context(), usd, 1000)
	if err != nil || again != w.usd {
		t.Errorf("opened again: ledger %d, %v", again, err)
	}
	w.reopen()
	house()
	w.unchanged(func() {
		if again, err := w.ledger.OpenAsset(t.Context(), usd, 1000); err != nil || again != w.usd {
			t.Errorf("opened again after a restart: ledger %d, %v", again, err)
		}
	})
	found, err := ledger.LedgerOf(t.Context(), w.db.Read, eur)
	if err != nil || found != w.eur {
		t.Errorf("ledger %d, %v", found, err)
	}
	w.clean()
}

func TestOpenAssetRefuses(t *testing.T) {
	w := newWorld(t)
	_, err := ledger.LedgerOf(t.Context(), w.db.Read, ledger.Asset{Code: "USD", Scale: 3})
	w.want(err, ledger.ErrLedgerUnknown)
	_, err = w.ledger.OpenAsset(t.Context(), ledger.Asset{Code: "ETH", Scale: 10}, 0)
	if err == nil {
		t.Error("a scale of 10 was accepted")
	}
	for _, code := range []string{"", strings.Repeat("A", 33)} {
		if _, err = w.ledger.OpenAsset(t.Context(), ledger.Asset{Code: code}, 0); err == nil {
			t.Errorf("the code %q was accepted", code)
		}
	}
	_, err = w.ledger.OpenAsset(t.Context(), ledger.Asset{Code: "BIG", Scale: 0}, 1<<63)
	w.want(err, ledger.ErrAmount)
	w.clean()
}

// The limit that the configuration says holds from the next start on.
func TestOpenAssetAppliesAChangedLimit(t *testing.T) {
	w := newWorld(t)
	exchange := ledger.HouseAccount(usd, ledger.CodeExchange)
	ann := w.account(0, 0)
	w.do(transfer(exchange, ann, 900))
	for _, step := range []struct{ limit, available uint64 }{{2000, 1100}, {500, 0}, {900, 0}, {901, 1}} {
		w.reopen()
		if again, err := w.ledger.OpenAsset(t.Context(), usd, step.limit); err != nil || again != w.usd {
			t.Errorf("limit %d: ledger %d, %v", step.limit, again, err)
		}
		if got := w.find(exchange); got.Limit != step.limit || got.Available() != step.available {
			t.Errorf("limit %d: got %+v, %d available, want %d", step.limit, got, got.Available(), step.available)
		}
		w.refused(w.submit(transfer(exchange, ann, step.available+1)), 0, ledger.ErrInsufficient)
		w.clean()
	}
	_, err := w.ledger.OpenAsset(t.Context(), usd, 1<<63)
	w.want(err, ledger.ErrAmount)
}

// A house account that is on another ledger, or something else, is not used, and
// none is closed.
func TestOpenAssetChecksItsHouseAccounts(t *testing.T) {
	w := newWorld(t)
	w.do(ledger.OpenAccount{ID: ledger.HouseAccount(kes, ledger.CodeExchange), Ledger: w.usd, Code: ledger.CodeExchange})
	gbp, jpy := ledger.Asset{Code: "GBP", Scale: 2}, ledger.Asset{Code: "JPY", Scale: 0}
	if _, err := w.ledger.OpenAsset(t.Context(), gbp, 5); err != nil {
		t.Fatal(err)
	}
	w.unchanged(func() {
		for _, code := range []uint16{ledger.CodeExchange, ledger.CodeEquity, ledger.CodeOutgoing, ledger.CodeSuspense} {
			w.refused(w.submit(closing(ledger.HouseAccount(gbp, code))), 0, ledger.ErrHouseAccount)
		}
		_, err := w.ledger.OpenAsset(t.Context(), kes, 5)
		w.want(err, ledger.ErrLedgerMismatch)
		_, err = ledger.LedgerOf(t.Context(), w.db.Read, kes)
		w.want(err, ledger.ErrLedgerUnknown)
	})
	if number, err := w.ledger.OpenAsset(t.Context(), jpy, 5); err != nil || number != 4 {
		t.Errorf("ledger %d, %v: the refused one used a number up", number, err)
	}
	w.clean()
}

func TestOpenAssetAtOnce(t *testing.T) {
	w := newWorld(t)
	var wg sync.WaitGroup
	numbers := make([]uint32, 8)
	for i := range numbers {
		wg.Go(func() {
			var err error
			if numbers[i], err = w.ledger.OpenAsset(t.Context(), kes, 5); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	for _, number := range numbers {
		if number != numbers[0] {
			t.Errorf("ledgers %v", numbers)
			break
		}
	}
	w.clean()
}

// The same asset has the same house accounts in every database: ids that
// change would strand their money.
func TestHouseAccountsAreFixed(t *testing.T) {
	if got := ledger.HouseAccount(usd, ledger.CodeEquity).String(); got != "7080aa0e-6680-5c96-bc0f-ebb1cf172954" {
		t.Errorf("the house's dollars are at %s", got)
	}
	seen := map[ledger.ID]bool{}
	for _, asset := range []ledger.Asset{usd, eur, {Code: "USD", Scale: 3}, {Code: "US", Scale: 2}} {
		for code := range uint16(10) {
			seen[ledger.HouseAccount(asset, code)] = true
		}
	}
	if len(seen) != 40 {
		t.Errorf("%d ids of 40", len(seen))
	}
}
