package stream

import "pochi/ilp/packet"

// Reason is why a probe or a payment stopped, for machines. Its Message is for people.
type Reason string

// The reasons.
const (
	Unreachable  Reason = "unreachable"   // no way to the receiver
	Refused      Reason = "refused"       // the receiver, or somebody on the way, doesn't want it
	RateTooLow   Reason = "rate_too_low"  // less would arrive than the minimum
	Rounding     Reason = "rounding"      // the rate held, but so many packets lose too much to rounding
	TooSmall     Reason = "too_small"     // nothing would arrive
	TooLarge     Reason = "too_large"     // no size of packet gets through
	Illiquid     Reason = "illiquid"      // somebody on the way can't pass on that much now
	Full         Reason = "full"          // the receiver takes no more for this payment
	Busy         Reason = "busy"          // temporary errors, again and again
	TimedOut     Reason = "timed_out"     // the deadline passed, or a packet ran out of time
	Cancelled    Reason = "cancelled"     // the caller stopped it
	NoAnswer     Reason = "no_answer"     // the link failed: what became of packets isn't known
	BadAnswer    Reason = "bad_answer"    // an answer that proves nothing, or no asset in it
	AssetChanged Reason = "asset_changed" // the receiver takes another asset than expected
	Exhausted    Reason = "exhausted"     // the connection has sent as many packets as it may
)

// Message returns the reason as a plain sentence. It doesn't say whether money moved: Result does.
func (r Reason) Message() string {
	switch r {
	case Unreachable:
		return "The other wallet can't be reached."
	case Refused:
		return "The other wallet refused the payment."
	case RateTooLow:
		return "The exchange rate changed: less would have arrived than agreed."
	case Rounding:
		return "Rounding took more than was agreed."
	case TooSmall:
		return "The amount is too small: nothing would arrive."
	case TooLarge:
		return "The amount is too large for the way to the other wallet."
	case Illiquid:
		return "The way to the other wallet can't carry this amount right now."
	case Full:
		return "The other wallet takes no more for this payment."
	case Busy:
		return "The way to the other wallet is too busy right now."
	case TimedOut:
		return "The payment took too long."
	case Cancelled:
		return "The payment was stopped."
	case NoAnswer:
		return "The other wallet didn't answer."
	case BadAnswer:
		return "The other wallet gave an answer that makes no sense."
	case AssetChanged:
		return "The other wallet's account has another currency than expected."
	case Exhausted:
		return "The payment needs too many packets."
	}
	return "The payment failed."
}

// Failure is how a probe or a payment ends that didn't reach its goal. Its text is the reason's sentence.
type Failure struct {
	Reason Reason
	// Reject is the last reject that led here, or nil.
	Reject *packet.Reject
	// Err is a cause that is not a reject, or nil.
	Err error
}

// Error returns the reason's sentence.
func (f *Failure) Error() string { return f.Reason.Message() }

// Unwrap returns the causes, for the log.
func (f *Failure) Unwrap() []error {
	var causes []error
	if f.Reject != nil {
		causes = append(causes, f.Reject)
	}
	if f.Err != nil {
		causes = append(causes, f.Err)
	}
	return causes
}
