package agreements

import (
	"math/bits"
	"time"

	"pochi/app/agreements/interval"
	"pochi/ledger"
)

// Terms are what an app asks for, and what a person grants.
type Terms struct {
	Description string        // in the app's words
	Amount      ledger.Amount // the most in an interval; in all, if Interval is the zero Rule
	Interval    interval.Rule
	PaymentMax  uint64    // the most of one payment, in units of Amount.Asset; 0 for no such cap
	Receivers   []string  // payment pointers, "$shop.example/pay"; none for anybody
	StartsAt    time.Time // zero: when it is approved
	ExpiresAt   time.Time // zero: never
}

// Words say how much how often: "€12.00 EUR a month".
func (t Terms) Words() string {
	return t.Amount.Whole() + " " + t.Interval.Per()
}

// Packets reports whether packets may be spent under these terms: nobody can say
// whom they pay, or what they add up to.
func (t Terms) Packets() bool { return len(t.Receivers) == 0 && t.PaymentMax == 0 }

// Begins returns when something may first be spent under terms that are approved at
// a time. It is false if that is never.
func (t Terms) Begins(approved time.Time) (time.Time, bool) {
	anchor := t.anchor(approved)
	begins, ok := t.Interval.Begins(anchor)
	if begins.Before(anchor) {
		begins = anchor
	}
	ends := t.Ends(approved)
	return begins, ok && (ends.IsZero() || begins.Before(ends))
}

// Ends returns when nothing may be spent any more: when the terms expire or their
// last interval is over. It is the zero time for never.
func (t Terms) Ends(approved time.Time) time.Time {
	ends := t.Interval.Ends(t.anchor(approved))
	if ends.IsZero() || !t.ExpiresAt.IsZero() && t.ExpiresAt.Before(ends) {
		return t.ExpiresAt
	}
	return ends
}

// At returns the interval that a moment is in. It is false before the terms begin
// and after they end.
func (t Terms) At(approved, moment time.Time) (interval.Span, bool) {
	anchor := t.anchor(approved)
	if ends := t.Ends(approved); moment.Before(anchor) || !ends.IsZero() && !moment.Before(ends) {
		return interval.Span{}, false
	}
	return t.Interval.At(anchor, moment)
}

// over reports whether nothing could be spent any more, if the terms were approved
// now.
func (t Terms) over(now time.Time) bool {
	_, ok := t.Begins(now)
	ends := t.Ends(now)
	return !ok || !ends.IsZero() && !now.Before(ends)
}

// anchor is the moment from which a rule counts that names none.
func (t Terms) anchor(approved time.Time) time.Time {
	if t.StartsAt.IsZero() {
		return approved
	}
	return t.StartsAt
}

// WorstCase returns the most that can be spent in all, if the terms are approved at
// a time. It is false if there is no such bound, or none that an amount can hold.
func (t Terms) WorstCase(approved time.Time) (ledger.Amount, bool) {
	if t.Interval.IsOne() {
		return t.Amount, true
	}
	begins, ok := t.Begins(approved)
	ends := t.Ends(approved)
	if !ok {
		return ledger.Amount{Asset: t.Amount.Asset}, true
	}
	if ends.IsZero() {
		return ledger.Amount{}, false
	}
	first, inFirst := t.At(approved, begins)
	last, inLast := t.At(approved, ends.Add(-1))
	if !inFirst || !inLast {
		return ledger.Amount{}, false
	}
	over, total := bits.Mul64(t.Amount.Value, uint64(last.N-first.N)+1)
	return ledger.Amount{Value: total, Asset: t.Amount.Asset}, over == 0 && total <= ledger.AmountMax
}
