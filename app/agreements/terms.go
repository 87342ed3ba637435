package agreements

import (
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
