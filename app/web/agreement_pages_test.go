package web

import (
	"math"
	"testing"
	"time"

	"pochi/app/agreements"
	"pochi/app/agreements/interval"
	"pochi/ledger"
	"pochi/views"
)

func TestPercent(t *testing.T) {
	for _, test := range []struct {
		used, limit uint64
		want        int
	}{
		{0, 1200, 0}, {1, 1_000_000, 1}, {300, 1200, 25}, {1199, 1200, 99}, {1200, 1200, 100}, {1300, 1200, 100},
		{79, 99, 79}, {math.MaxInt64 - 1, math.MaxInt64, 99}, {math.MaxInt64, math.MaxInt64, 100}, {1, 2, 50}, {2, 3, 66},
	} {
		if got := percent(agreements.Usage{Used: test.used, Limit: test.limit}); got != test.want {
			t.Errorf("%d of %d: %d %%, want %d %%", test.used, test.limit, got, test.want)
		}
	}
}

// clock is noon of a day of November 2026.
func clock(day int) time.Time { return time.Date(2026, time.November, day, 12, 0, 0, 0, time.UTC) }

func monthly(t *testing.T, rule string) agreements.Agreement {
	t.Helper()
	parsed, err := interval.Parse(rule)
	if err != nil {
		t.Fatal(err)
	}
	return agreements.Agreement{
		App: "Flower Shop", State: agreements.Active, ApprovedAt: clock(1),
		Terms: agreements.Terms{Amount: ledger.Amount{Value: 1200, Asset: ledger.Asset{Code: "EUR", Scale: 2}}, Interval: parsed},
	}
}

// What hasn't been used for 60 days says so: never before its owner had it for as
// long, and not when it has ended.
func TestUnused(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*agreements.Agreement)
		after  time.Duration
		want   bool
	}{
		"new":           {func(*agreements.Agreement) {}, time.Hour, false},
		"never used":    {func(*agreements.Agreement) {}, unusedAfter, true},
		"used since":    {func(a *agreements.Agreement) { a.LastUsedAt = clock(3) }, unusedAfter, false},
		"used long ago": {func(a *agreements.Agreement) { a.LastUsedAt = clock(3) }, unusedAfter + 48*time.Hour, true},
		"paused":        {func(a *agreements.Agreement) { a.State = agreements.Paused }, unusedAfter, true},
		"revoked":       {func(a *agreements.Agreement) { a.State = agreements.Revoked }, unusedAfter, false},
		"begun later":   {func(a *agreements.Agreement) { a.StartsAt = clock(20) }, unusedAfter, false},
	} {
		a := monthly(t, "R/P1M")
		test.change(&a)
		s := &Site{Now: func() time.Time { return clock(1).Add(test.after) }}
		if got := s.unused(a); got != test.want {
			t.Errorf("%s: %t", name, got)
		}
	}
}

// When a period ends the next one begins, if there is one.
func TestRenews(t *testing.T) {
	for rule, want := range map[string]views.Moment{
		"R/P1M":                      {Text: "1 December 2026 UTC", ISO: "2026-12-01T12:00:00Z"},
		"R/PT1H":                     {Text: "1 November 2026, 14:00 UTC", ISO: "2026-11-01T14:00:00Z"},
		"R1/P1M":                     {},
		"R2/P1M":                     {Text: "1 December 2026 UTC", ISO: "2026-12-01T12:00:00Z"},
		"":                           {},
		"R/2026-11-15T00:00:00Z/P1M": {Text: "15 November 2026 UTC", ISO: "2026-11-15T00:00:00Z"}, // it begins then
	} {
		a := monthly(t, rule)
		now := clock(1).Add(90 * time.Minute)
		span, ok := a.Span(now)
		if !ok {
			span, _ = a.Span(a.Begins())
		}
		use := useOf(a, agreements.Usage{Span: span, Limit: 1200}, now)
		if use.Renews != want || use.Exactly != (rule == "R/PT1H") {
			t.Errorf("%q: renews %+v, exactly %t", rule, use.Renews, use.Exactly)
		}
	}
}

func TestEventText(t *testing.T) {
	a := monthly(t, "R/P1M")
	for want, e := range map[string]agreements.Event{
		"Flower Shop asked for €20.00\u00a0EUR a month.": {Kind: agreements.EventAsked, Amount: 2000},
		"You allowed €12.00\u00a0EUR a month.":           {Kind: agreements.EventApproved, Amount: 1200},
		"You lowered the limit to €5.00\u00a0EUR.":       {Kind: agreements.EventLowered, Amount: 500},
		"You paused it.": {Kind: agreements.EventPaused},
		"It was paused. The wallet was restored.":             {Kind: agreements.EventPaused, Note: "The wallet was restored."},
		"You resumed it.":                                     {Kind: agreements.EventResumed},
		"You revoked it.":                                     {Kind: agreements.EventRevoked},
		"Flower Shop gave it up.":                             {Kind: agreements.EventGivenUp},
		"It ended. The app was deleted.":                      {Kind: agreements.EventGivenUp, Note: "The app was deleted."},
		"It ended as it was agreed.":                          {Kind: agreements.EventExpired},
		"€9.60\u00a0EUR was used, 80 % of the limit or more.": {Kind: agreements.EventNear, Amount: 960},
		"€12.00\u00a0EUR was used, and nothing was left.":     {Kind: agreements.EventReached, Amount: 1200},
	} {
		if got := eventText(a, e); got != want {
			t.Errorf("%s: %q, want %q", e.Kind, got, want)
		}
	}
}
