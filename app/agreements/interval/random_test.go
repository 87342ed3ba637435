package interval_test

import (
	"fmt"
	"testing"
	"time"

	"pochi/app/agreements/interval"

	"pgregory.net/rapid"
)

// drawDuration draws one of each kind: of the calendar, of the clock, and mixed.
func drawDuration(t *rapid.T) (d duration, text string) {
	d = duration{
		months:  rapid.SampledFrom([]int{0, 0, 1, 1, 2, 3, 12, 13, 48}).Draw(t, "months"),
		days:    rapid.SampledFrom([]int{0, 0, 1, 7, 14, 31, 366}).Draw(t, "days"),
		seconds: rapid.SampledFrom([]int{0, 0, 0, 1, 3600, 86400, 100_000}).Draw(t, "seconds"),
	}
	if d == (duration{}) {
		d.days = 1
	}
	return d, fmt.Sprintf("P%dM%dDT%dS", d.months, d.days, d.seconds)
}

// drawMoment draws ends of months and leap days more often than other days.
func drawMoment(t *rapid.T, name string) time.Time {
	date := time.Date(rapid.IntRange(1996, 2032).Draw(t, name+"'s year"), time.Month(rapid.IntRange(1, 12).Draw(t, name+"'s month")),
		rapid.SampledFrom([]int{1, 15, 28, 29, 30, 31}).Draw(t, name+"'s day"), 0, 0, 0, 0, time.UTC)
	return date.Add(time.Duration(rapid.Int64Range(0, 86_400_000_000-1).Draw(t, name+"'s microseconds")) * time.Microsecond)
}

// near returns a moment around the beginning of the nth repetition.
func (d duration) near(t *rapid.T, start time.Time, most int) time.Time {
	n := rapid.IntRange(0, most).Draw(t, "n")
	return d.stride(start, n).Add(rapid.SampledFrom([]time.Duration{-time.Hour, -1, 0, 1, time.Hour}).Draw(t, "off by"))
}

// Ten thousand random rules: the estimate finds what walking from the first
// repetition finds.
func TestAtFindsWhatAWalkFinds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		for range 100 {
			checkForwards(t)
		}
	})
}

func checkForwards(t *rapid.T) {
	d, text := drawDuration(t)
	start, anchor := drawMoment(t, "start"), drawMoment(t, "anchor")
	count := rapid.SampledFrom([]int{0, 0, 1, 2, 12}).Draw(t, "count")
	number := ""
	if count > 0 {
		number = fmt.Sprint(count)
	}
	named := rapid.Bool().Draw(t, "names its start")
	if named {
		text = start.Format(time.RFC3339Nano) + "/" + text
	} else {
		start = anchor
	}
	r, err := interval.Parse("R" + number + "/" + text)
	if err != nil {
		t.Fatal(err)
	}
	now := d.near(t, start, 40)
	n, from, to, want := walk(d, count, start, now)
	got, ok := r.At(anchor, now)
	if ok != want || ok && (got.N != int64(n) || !got.Start.Equal(from) || !got.End.Equal(to)) {
		t.Fatalf("%s from %s, at %s: %+v, %v; walking finds %d from %s to %s, %v", r, anchor, now, got, ok, n, from, to, want)
	}
	if again, err := interval.Parse(r.String()); err != nil || again != r {
		t.Fatalf("%s becomes %s, %v", r, again, err)
	}
}

// The same for rules that say when they end, which are walked backwards.
func TestAtFindsWhatAWalkBackFinds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		for range 50 {
			checkBackwards(t)
		}
	})
}

func checkBackwards(t *rapid.T) {
	d, text := drawDuration(t)
	end := drawMoment(t, "end")
	count := rapid.IntRange(1, 12).Draw(t, "count")
	r, err := interval.Parse(fmt.Sprintf("R%d/%s/%s", count, text, end.Format(time.RFC3339Nano)))
	if err != nil {
		t.Fatal(err)
	}
	now := d.stride(end, -rapid.IntRange(0, 13).Draw(t, "n")).
		Add(rapid.SampledFrom([]time.Duration{-time.Hour, -1, 0, 1, time.Hour}).Draw(t, "off by"))
	want := interval.Span{}
	found := false
	for n := count - 1; n >= 0 && !found; n-- {
		want = interval.Span{N: int64(n), Start: d.stride(end, n-count), End: d.stride(end, n-count+1)}
		found = !now.Before(want.Start) && now.Before(want.End)
	}
	got, ok := r.At(time.Time{}, now)
	if ok != found || ok && got != want {
		t.Fatalf("%s at %s: %+v, %v; walking finds %+v, %v", r, now, got, ok, want, found)
	}
}

// However far away a moment is, finding its repetition costs the same.
func TestRepetitionsFollowEachOther(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d, text := drawDuration(t)
		start := drawMoment(t, "start")
		r, err := interval.Parse("R/" + start.Format(time.RFC3339Nano) + "/" + text)
		if err != nil {
			t.Fatal(err)
		}
		far := time.Date(rapid.IntRange(2033, 2999).Draw(t, "year"), 12, 31, 23, 59, 59, 0, time.UTC)
		span, ok := r.At(start, far)
		if !ok || far.Before(span.Start) || !far.Before(span.End) {
			t.Fatalf("%v: %s is in %+v, %v", d, far, span, ok)
		}
		next, ok := r.At(start, span.End)
		if !ok || next.N != span.N+1 || !next.Start.Equal(span.End) {
			t.Fatalf("%+v follows %+v", next, span)
		}
	})
}

// A month's rule, a hundred years after it began.
func BenchmarkIntervalAt(b *testing.B) {
	for name, text := range map[string]string{"month": "R/1970-01-31T00:00:00Z/P1M", "hour": "R/1970-01-31T00:00:00Z/PT1H"} {
		b.Run(name, func(b *testing.B) {
			r := rule(b, text)
			t := time.Date(2070, 2, 28, 12, 0, 0, 0, time.UTC)
			for b.Loop() {
				if _, ok := r.At(time.Time{}, t); !ok {
					b.Fatal("it is over")
				}
			}
		})
	}
}
