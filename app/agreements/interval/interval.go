// Package interval reads ISO 8601 repeating intervals and says in which repetition
// a moment is. Months are calendar months, counted from the beginning: a rule that
// begins on 31 January goes on on 28 February and on 31 March. All is in UTC.
package interval

import (
	"strconv"
	"time"
)

// Rule is a repeating interval. The zero Rule repeats nothing: it is one span
// without an end. Two rules are the same if and only if they are ==.
type Rule struct {
	count  int64 // how many repetitions in all, 0 for any number
	start  when  // of the first repetition
	end    when  // of the last one; a rule has no start and end, but may have neither
	period period
}

// when is a moment in UTC that can be compared with ==, or none.
type when struct {
	seconds     int64 // unix
	nanoseconds int64
	set         bool
}

func at(t time.Time) when { return when{t.Unix(), int64(t.Nanosecond()), true} }

func (w when) time() time.Time { return time.Unix(w.seconds, w.nanoseconds).UTC() }

// Span is one repetition.
type Span struct {
	N          int64     // from 0
	Start, End time.Time // End is exclusive, zero if it never ends
}

// IsOne reports whether the rule repeats nothing.
func (r Rule) IsOne() bool { return r == Rule{} }

// Equal reports whether two rules are the same.
func (r Rule) Equal(other Rule) bool { return r == other }

// String returns the rule's canonical form, "" for the zero Rule.
func (r Rule) String() string {
	if r.IsOne() {
		return ""
	}
	text := "R"
	if r.count > 0 {
		text += strconv.FormatInt(r.count, 10)
	}
	if r.start.set {
		text += "/" + r.start.time().Format(time.RFC3339Nano)
	}
	text += "/" + r.period.String()
	if r.end.set {
		text += "/" + r.end.time().Format(time.RFC3339Nano)
	}
	return text
}

// At returns the repetition that t is in. A rule that names no moment begins at
// the anchor; one that only says when it ends counts its repetitions from the one
// that the anchor is in. It is false before the first and after the last.
func (r Rule) At(anchor, t time.Time) (Span, bool) {
	if r.IsOne() {
		return Span{Start: anchor.UTC()}, !t.Before(anchor)
	}
	base, first, last, ok := r.bounds(anchor)
	if !ok {
		return Span{}, false
	}
	n := r.period.index(base, t)
	if n < first || last >= 0 && n-first > last {
		return Span{}, false
	}
	return Span{N: n - first, Start: r.period.after(base, n), End: r.period.after(base, n+1)}, true
}

// Ends returns when the last repetition is over: the zero time if there is always
// another.
func (r Rule) Ends(anchor time.Time) time.Time {
	switch {
	case r.end.set:
		return r.end.time()
	case r.count == 0:
		return time.Time{}
	case r.start.set:
		anchor = r.start.time()
	}
	return r.period.after(anchor.UTC(), r.count)
}

// Begins returns when the first repetition begins. It is false for a rule that is
// over before the anchor.
func (r Rule) Begins(anchor time.Time) (time.Time, bool) {
	if r.IsOne() {
		return anchor.UTC(), true
	}
	base, first, _, ok := r.bounds(anchor)
	return r.period.after(base, first), ok
}

// Shortest returns how long a repetition lasts at least.
func (r Rule) Shortest() time.Duration { return r.period.shortest() }

// bounds returns the moment that repetitions are counted from, the number of the
// first counted from there, and how many follow it, -1 for any number.
func (r Rule) bounds(anchor time.Time) (base time.Time, first, last int64, ok bool) {
	switch {
	case r.end.set && r.count > 0:
		return r.end.time(), -r.count, r.count - 1, true
	case r.end.set:
		base = r.end.time()
		first = r.period.index(base, anchor)
		return base, first, -1 - first, first < 0
	case r.start.set:
		base = r.start.time()
	default:
		base = anchor.UTC()
	}
	return base, 0, r.count - 1, true
}
