package interval_test

import (
	"errors"
	"testing"
	"time"

	"pochi/app/agreements/interval"
)

func moment(t testing.TB, text string) time.Time {
	t.Helper()
	m, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func rule(t testing.TB, text string) interval.Rule {
	t.Helper()
	r, err := interval.Parse(text)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return r
}

func TestCanonicalForm(t *testing.T) {
	for text, want := range map[string]string{
		"":                                "",
		"R/P1M":                           "R/P1M",
		"R12/P12M":                        "R12/P1Y",
		"R/P14D":                          "R/P2W",
		"R/P1W1D":                         "R/P8D",
		"R/P1Y2M3DT4H5M6S":                "R/P1Y2M3DT4H5M6S",
		"R/PT90M":                         "R/PT1H30M",
		"R/PT24H":                         "R/PT24H",
		"R/P0Y1M":                         "R/P1M",
		"R/2026-01-31T00:00:00Z/P1M":      "R/2026-01-31T00:00:00Z/P1M",
		"R/2026-01-31T00:00:00.000Z/P1M":  "R/2026-01-31T00:00:00Z/P1M",
		"R/2026-01-31T01:30:00+01:30/P1M": "R/2026-01-31T00:00:00Z/P1M",
		"R5/2026-01-31T00:00:00.25Z/P1D":  "R5/2026-01-31T00:00:00.25Z/P1D",
		"R/2026-01-01T00:00:00Z/2026-01-08T00:00:00Z": "R/2026-01-01T00:00:00Z/P1W",
		"R/2026-01-01T00:00:00Z/2026-01-02T06:00:00Z": "R/2026-01-01T00:00:00Z/P1DT6H",
		"R3/P1M/2026-03-31T00:00:00Z":                 "R3/P1M/2026-03-31T00:00:00Z",
		"R/P1M/2026-03-31T00:00:00Z":                  "R/P1M/2026-03-31T00:00:00Z",
	} {
		r := rule(t, text)
		if r.String() != want {
			t.Errorf("%q is %q, want %q", text, r, want)
		}
		if again := rule(t, r.String()); again != r {
			t.Errorf("%q is another rule than %q", again, r)
		}
	}
}

func TestRefused(t *testing.T) {
	for text, want := range map[string]interval.Error{
		"R":                        interval.ErrForm,
		"P1M":                      interval.ErrForm,
		"2026-01-31T00:00:00Z/P1M": interval.ErrForm,
		"X/P1M":                    interval.ErrForm,
		"r/P1M":                    interval.ErrForm,
		"R/P1M/P1M":                interval.ErrForm,
		"R/2026-01-31T00:00:00Z":   interval.ErrForm,
		"R/2026-01-31T00:00:00Z/P1M/2027-01-31T00:00:00Z": interval.ErrForm,
		"R0/P1M":                     interval.ErrCount,
		"R-1/P1M":                    interval.ErrCount,
		"R1000001/P1M":               interval.ErrCount,
		"R99999999999999999999/P1M":  interval.ErrCount,
		"R/":                         interval.ErrMoment,
		"R/p1m":                      interval.ErrMoment,
		"R/2026-01-31/P1M":           interval.ErrMoment,
		"R/2026-02-30T00:00:00Z/P1M": interval.ErrMoment,
		"R/2026-01-31T00:00:00/P1M":  interval.ErrMoment,
		"R/1969-12-31T23:59:59Z/P1M": interval.ErrMoment,
		"R/3000-01-01T00:00:00Z/P1M": interval.ErrMoment,
		"R/2026-01-01T00:00:00Z/2026-01-08T00:00:00.5Z": interval.ErrMoment,
		"R/P":             interval.ErrDuration,
		"R/PT":            interval.ErrDuration,
		"R/P1MT":          interval.ErrDuration,
		"R/P1.5M":         interval.ErrDuration,
		"R/P1D1M":         interval.ErrDuration,
		"R/P1M1M":         interval.ErrDuration,
		"R/P-1M":          interval.ErrDuration,
		"R/PM":            interval.ErrDuration,
		"R/P1":            interval.ErrDuration,
		"R/P1H":           interval.ErrDuration,
		"R/P99999999999M": interval.ErrDuration,
		"R/P0M":           interval.ErrLength,
		"R/PT0S":          interval.ErrLength,
		"R/P101Y":         interval.ErrLength,
		"R11/P100Y":       interval.ErrLength,
		"R/2026-01-02T00:00:00Z/2026-01-01T00:00:00Z": interval.ErrOrder,
		"R/2026-01-01T00:00:00Z/2026-01-01T00:00:00Z": interval.ErrOrder,
	} {
		if r, err := interval.Parse(text); !errors.Is(err, want) || !r.IsOne() {
			t.Errorf("%q: %q, %v, want %v", text, r, err, want)
		}
	}
}

func TestWords(t *testing.T) {
	for text, want := range map[string][2]string{
		"":             {"once", "in all"},
		"R/P1M":        {"every month", "a month"},
		"R/PT1H":       {"every hour", "an hour"},
		"R/P2W":        {"every 2 weeks", "every 2 weeks"},
		"R/P3D":        {"every 3 days", "every 3 days"},
		"R12/P1Y":      {"every year, 12 times", "a year, 12 times"},
		"R1/P1W":       {"every week, one time", "a week, one time"},
		"R/P1M1D":      {"every 1 month and 1 day", "every 1 month and 1 day"},
		"R/P1Y2M3DT4H": {"every 1 year, 2 months, 3 days and 4 hours", "every 1 year, 2 months, 3 days and 4 hours"},
		"R/2026-01-01T00:00:00Z/2026-02-01T00:00:00Z": {"every 31 days", "every 31 days"},
	} {
		r := rule(t, text)
		if got := [2]string{r.Words(), r.Per()}; got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

func TestMonthsClampAndDontDrift(t *testing.T) {
	r := rule(t, "R/2027-01-31T12:00:00Z/P1M")
	for n, begins := range []string{
		"2027-01-31T12:00:00Z", "2027-02-28T12:00:00Z", "2027-03-31T12:00:00Z", "2027-04-30T12:00:00Z", "2027-05-31T12:00:00Z",
	} {
		start := moment(t, begins)
		got, ok := r.At(time.Time{}, start)
		if !ok || got.N != int64(n) || !got.Start.Equal(start) {
			t.Errorf("%s is in %+v, %v", begins, got, ok)
		}
		if n > 0 {
			if got, ok := r.At(time.Time{}, start.Add(-1)); !ok || got.N != int64(n)-1 || !got.End.Equal(start) {
				t.Errorf("just before %s is in %+v, %v", begins, got, ok)
			}
		}
	}
}

func TestAt(t *testing.T) {
	const anchor = "2026-01-15T08:00:00Z"
	for _, c := range []struct{ rule, at, start, end string }{
		{"", "2026-01-15T07:59:59Z", "", ""},
		{"", "2999-01-15T08:00:00Z", anchor, "never"},
		{"R/P1M", anchor, anchor, "2026-02-15T08:00:00Z"},
		{"R/P1M", "2026-01-15T07:59:59.999999999Z", "", ""},
		{"R2/P1M", "2026-03-15T07:59:59.999999999Z", "2026-02-15T08:00:00Z", "2026-03-15T08:00:00Z"},
		{"R2/P1M", "2026-03-15T08:00:00Z", "", ""},
		{"R/2026-01-20T00:00:00Z/P1D", "2026-01-19T23:59:59Z", "", ""},
		{"R/2025-12-31T00:00:00Z/P1M", "2026-02-28T00:00:00Z", "2026-02-28T00:00:00Z", "2026-03-31T00:00:00Z"},
		{"R/2024-02-29T00:00:00Z/P1Y", "2027-02-28T00:00:00Z", "2027-02-28T00:00:00Z", "2028-02-29T00:00:00Z"},
		{"R/P1M/2026-03-31T00:00:00Z", anchor, "2025-12-31T00:00:00Z", "2026-01-31T00:00:00Z"},
		{"R/P1M/2026-03-31T00:00:00Z", "2026-03-31T00:00:00Z", "", ""},
		{"R/P1M/2026-01-01T00:00:00Z", anchor, "", ""}, // it is over before it could begin
		{"R2/P1M/2026-03-31T00:00:00Z", "2026-01-30T23:59:59Z", "", ""},
		{"R2/P1M/2026-03-31T00:00:00Z", "2026-01-31T00:00:00Z", "2026-01-31T00:00:00Z", "2026-02-28T00:00:00Z"},
	} {
		got, ok := rule(t, c.rule).At(moment(t, anchor), moment(t, c.at))
		if ok != (c.start != "") {
			t.Errorf("%q at %s: %+v, %v", c.rule, c.at, got, ok)
			continue
		}
		if !ok {
			continue
		}
		var end time.Time
		if c.end != "never" {
			end = moment(t, c.end)
		}
		if !got.Start.Equal(moment(t, c.start)) || !got.End.Equal(end) {
			t.Errorf("%q at %s: %+v, want %s to %s", c.rule, c.at, got, c.start, c.end)
		}
	}
}

func TestBeginsAndEnds(t *testing.T) {
	anchor := moment(t, "2026-01-31T00:00:00Z")
	for text, want := range map[string][2]string{
		"":                            {"2026-01-31T00:00:00Z", ""},
		"R/P1M":                       {"2026-01-31T00:00:00Z", ""},
		"R1/P1M":                      {"2026-01-31T00:00:00Z", "2026-02-28T00:00:00Z"},
		"R2/2026-03-01T00:00:00Z/P1D": {"2026-03-01T00:00:00Z", "2026-03-03T00:00:00Z"},
		"R2/P1M/2026-05-31T00:00:00Z": {"2026-03-31T00:00:00Z", "2026-05-31T00:00:00Z"},
		"R/P1M/2026-05-15T00:00:00Z":  {"2026-01-15T00:00:00Z", "2026-05-15T00:00:00Z"},
	} {
		r := rule(t, text)
		begins, ok := r.Begins(anchor)
		if !ok || !begins.Equal(moment(t, want[0])) {
			t.Errorf("%q begins %s, %v", text, begins, ok)
		}
		if ends := r.Ends(anchor); ends.IsZero() != (want[1] == "") || want[1] != "" && !ends.Equal(moment(t, want[1])) {
			t.Errorf("%q ends %s, want %s", text, ends, want[1])
		}
	}
	if _, ok := rule(t, "R/P1M/2026-01-01T00:00:00Z").Begins(anchor); ok {
		t.Error("a rule that was over begins")
	}
}

// FuzzParse: what is read can be written and read again, and is sound at any
// moment.
func FuzzParse(f *testing.F) {
	for _, text := range []string{
		"", "R/P1M", "R12/2026-01-31T00:00:00Z/P1Y2M3DT4H5M6S", "R/P2W/2026-03-31T00:00:00.5+02:00",
		"R3/2026-01-01T00:00:00Z/2026-01-08T00:00:00Z", "R/P1M1D", "R0/PT0S",
	} {
		f.Add(text, int64(1_800_000_000), int64(1_900_000_000))
	}
	f.Fuzz(func(t *testing.T, text string, anchor, now int64) {
		r, err := interval.Parse(text)
		if err != nil {
			var known interval.Error
			if !errors.As(err, &known) {
				t.Errorf("%q: %v is no interval.Error", text, err)
			}
			return
		}
		if again, err := interval.Parse(r.String()); err != nil || again != r {
			t.Errorf("%q became %q, which becomes %q, %v", text, r, again, err)
		}
		const most = 32_503_680_000 // the year 3000
		a, b := time.Unix(anchor%most, 0), time.Unix(now%most, 0)
		span, ok := r.At(a, b)
		if ok && (b.Before(span.Start) || !span.End.IsZero() && !b.Before(span.End) || span.N < 0) {
			t.Errorf("%q: %s is not in %+v", text, b, span)
		}
	})
}

// walk finds the repetition that t is in by walking over all of them from the
// first, and counts days to add months.
func walk(d duration, count int, start, t time.Time) (n int, from, to time.Time, ok bool) {
	if t.Before(start) {
		return 0, from, to, false
	}
	from = start
	for n = 0; count == 0 || n < count; n++ {
		if to = d.stride(start, n+1); t.Before(to) {
			return n, from, to, true
		}
		from = to
	}
	return 0, from, to, false
}

type duration struct{ months, days, seconds int }

// stride moves a moment by n durations, day by day.
func (d duration) stride(start time.Time, n int) time.Time {
	year, month, day := start.Date()
	for range n * d.months {
		if month++; month > time.December {
			year, month = year+1, time.January
		}
	}
	for range -n * d.months {
		if month--; month < time.January {
			year, month = year-1, time.December
		}
	}
	moved := time.Date(year, month, day, start.Hour(), start.Minute(), start.Second(), start.Nanosecond(), time.UTC)
	for moved.Month() != month { // the month has no such day
		day--
		moved = time.Date(year, month, day, start.Hour(), start.Minute(), start.Second(), start.Nanosecond(), time.UTC)
	}
	return moved.Add(time.Duration(n) * (time.Duration(d.days)*24*time.Hour + time.Duration(d.seconds)*time.Second))
}
