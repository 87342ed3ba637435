package spsp

// Reason is why a query failed. It is an error, so that errors.Is(err, spsp.NotFound) works, and its text is a plain
// sentence for the person who wants to pay.
type Reason string

// The reasons.
const (
	NotFound    Reason = "Nobody can be paid at this payment pointer."
	NotAPointer Reason = "There is no payment pointer at this address: its server answered with something else."
	NoAnswer    Reason = "The wallet of this payment pointer didn't answer."
)

// Error returns the sentence.
func (r Reason) Error() string { return string(r) }

// Error is a failed query. Its text is the reason's sentence; the cause, for the log, is below it.
type Error struct {
	Reason Reason
	Err    error
}

// Error returns the reason's sentence.
func (e *Error) Error() string { return e.Reason.Error() }

// Unwrap returns the reason and the cause.
func (e *Error) Unwrap() []error { return []error{e.Reason, e.Err} }
