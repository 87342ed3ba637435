// Package interval reads ISO 8601 repeating intervals and says in which repetition
// a moment is. Months are calendar months, counted from the beginning: a rule that
// begins on 31 January goes on on 28 February and on 31 March.
package interval

import "time"

// Rule is a repeating interval. The zero Rule repeats nothing: it is one span
// without an end.
type Rule struct {
	text string
}

// Span is one repetition.
type Span struct {
	N          int64     // from 0
	Start, End time.Time // End is exclusive, zero if it never ends
}

// String returns the rule's canonical form, "" for the zero Rule.
func (r Rule) String() string { return r.text }
