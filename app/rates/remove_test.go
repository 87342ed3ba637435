package rates_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"pochi/app/problem"
	"pochi/app/rates"
	"pochi/ilp/connector"
)

// remove removes a rate.
func (f *fixture) remove(from, to string) (left []rates.Rate, repeated bool) {
	f.t.Helper()
	left, repeated, err := f.Remove(f.t.Context(), from, to, false)
	if err != nil {
		f.t.Fatal(err)
	}
	return left, repeated
}

// What was set can be taken back, too old or not, and may be again. What counts
// then is what the others leave. The rows stay.
func TestRemove(t *testing.T) {
	f := newFixture(t, "USD=1,EUR=0.9,GBP=0.8")
	f.set("EUR", "GBP", "0.9", 0)
	f.set("USD", "EUR", "0.91", 0)
	f.set("USD", "EUR", "0.92", 0)
	f.converts("USD", "GBP", 828_00)
	f.clock.advance(48 * time.Hour)
	for i := range 2 {
		left, repeated := f.remove("EUR", "USD") // in either direction
		if repeated != (i == 1) || len(left) != 2 || left[0].String() != "1 EUR = 1.1111 USD" || left[0].Source != rates.Configuration || left[1].From != "USD" {
			t.Errorf("%v, %t", left, repeated)
		}
		f.converts("USD", "EUR", 900_00)
		if err := f.Check("USD", "GBP"); !errors.Is(err, connector.ErrStaleRate) || !strings.Contains(err.Error(), "rate set EUR GBP renews it") {
			t.Errorf("of the other rate: %v", err)
		}
		f.reopen()
	}
	var n int
	if err := f.db.Read.QueryRowContext(t.Context(), "SELECT count(*) FROM rates").Scan(&n); err != nil || n != 3 {
		t.Errorf("%d rows, %v", n, err)
	}
	f.set("USD", "EUR", "0.93", 0)
	f.reopen()
	f.converts("USD", "EUR", 930_00)
	if _, repeated := f.remove("USD", "EUR"); repeated {
		t.Error("one that was set again was not removed again")
	}
	f.converts("USD", "EUR", 900_00)
}

// Of currencies that only a rate connects nothing is left without it.
func TestRemoveTheOnlyRate(t *testing.T) {
	f := newFixture(t, "USD=1,EUR=0.9")
	f.set("USD", "XRP", "2.5", 0)
	if left, _ := f.remove("USD", "XRP"); len(left) != 0 {
		t.Errorf("%v", left)
	}
	if err := f.Check("USD", "XRP"); !errors.Is(err, connector.ErrNoRate) {
		t.Error(err)
	}
}

func TestRemoveRefuses(t *testing.T) {
	f := newFixture(t, "USD=1,EUR=0.9,GBP=0.8")
	ctx := t.Context()
	if _, _, err := f.Remove(ctx, "USD", "EUR", false); problem.CodeOf(err) != problem.NotFound {
		t.Errorf("what was never set: %v", err)
	}
	if _, _, err := f.Remove(ctx, "USD", "USD", false); problem.Fields(err)["to"] == "" {
		t.Errorf("a currency with itself: %v", err)
	}
}

// Taking a rate back that keeps others from a circle, or by which much changes,
// is refused as setting one is.
func TestRemoveIsJudgedAsSet(t *testing.T) {
	f := newFixture(t, "USD=1,EUR=0.9,GBP=0.8")
	ctx := t.Context()
	if _, err := f.Set(ctx, rates.Change{From: "USD", To: "EUR", Rate: "9", Valid: time.Hour, Force: true}); err != nil {
		t.Fatal(err)
	}
	if _, _, err := f.Remove(ctx, "USD", "EUR", false); problem.CodeOf(err) != problem.Conflict || !strings.Contains(problem.MessageOf(err), "--force") {
		t.Errorf("a large change: %v", err)
	}
	f.converts("USD", "EUR", 9000_00)
	if _, _, err := f.Remove(ctx, "USD", "EUR", true); err != nil {
		t.Error(err)
	}
	f.converts("USD", "EUR", 900_00)
}
