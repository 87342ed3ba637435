package admin

import (
	"context"
	"log/slog"
	"math/big"
	"testing"
	"time"

	"pochi/app/problem"
	"pochi/app/rates"
)

// exchange notes what was asked for.
type exchange struct{ asked rates.Change }

func (e *exchange) Set(_ context.Context, c rates.Change) ([]rates.Rate, error) {
	e.asked = c
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	r := rates.Rate{From: c.From, To: c.To, Value: big.NewRat(9, 10), SpreadBps: c.SpreadBps, Source: rates.Admin, SetAt: at, GoodUntil: at.Add(c.Valid)}
	return []rates.Rate{r}, nil
}

func (e *exchange) Remove(_ context.Context, from, to string, force bool) ([]rates.Rate, bool, error) {
	e.asked = rates.Change{From: from, To: to, Force: force}
	return []rates.Rate{{From: from, To: to, Value: big.NewRat(1, 1), Source: rates.Configuration}}, true, nil
}

// Whatever is asked for arrives as it was typed.
func TestSetRateTravels(t *testing.T) {
	c, _ := newClient(t, &books{})
	e := &exchange{}
	running(t, c, Handler(Services{Rates: e, Database: DatabaseKey(c.DB), Log: slog.New(slog.DiscardHandler)}))
	for _, change := range []rates.Change{
		{From: "USD", To: "EUR", Rate: "9/10", Valid: 24 * time.Hour},
		{From: "A?b", To: "%2F#", Rate: "1 & 2=3", SpreadBps: -7, Valid: 90 * time.Minute, Force: true},
	} {
		set, err := c.SetRate(t.Context(), change)
		if err != nil || len(set) != 1 || set[0].From != change.From || set[0].Rate != "9/10" {
			t.Errorf("%+v, %v", set, err)
		}
		if e.asked != change {
			t.Errorf("asked for %+v, want %+v", e.asked, change)
		}
	}
	for _, force := range []bool{false, true} {
		want := rates.Change{From: "A?b", To: "%2F#", Force: force}
		if left, err := c.RemoveRate(t.Context(), want.From, want.To, force); err != nil || len(left) != 1 || !left[0].Repeated || e.asked != want {
			t.Errorf("%+v, %v; asked to remove %+v, want %+v", left, err, e.asked, want)
		}
	}
	for _, query := range []string{"", "/remove", "/remove?force=x", "?rate=1&spreadBps=x", "?rate=1&spreadBps=1&valid=x", "?rate=1&spreadBps=1&valid=1h&force=x"} {
		if _, err := do[[]Rate](t.Context(), c, "/rates/USD/EUR"+query, nil); problem.CodeOf(err) != problem.Invalid {
			t.Errorf("%q: %v", query, err)
		}
	}
}
