package payments

import (
	"errors"

	"pochi/app/problem"
	"pochi/ilp/address"
	"pochi/ilp/stream"
)

// What the person reads about a payment that no sender ended by itself.
const (
	suspendedReason = "The wallet was interrupted while a part of this payment was on its way to the other wallet."
	doubtedReason   = "The other wallet didn't answer for a part of this payment, so it isn't known whether that arrived."
	parkedReason    = "This payment was on its way when this wallet's data was copied, and the wallet has gone back to that copy. " +
		"We look into what became of it. Until then nothing more is sent."
	returnedReason = "This payment was interrupted. We ended it: nothing more of it is sent, and what was still reserved is given back."
)

// failureReason is what the person reads about a payment that ended early, ""
// for one that didn't. local says that both sides are in this wallet.
func (s *Service) failureReason(err error, local bool) string {
	if err == nil {
		return ""
	}
	var failure *stream.Failure
	if errors.As(err, &failure) {
		return failureText(failure, local, s.Address)
	}
	if problem.CodeOf(err) == problem.Internal {
		return "Something went wrong on our side."
	}
	return problem.MessageOf(err)
}

// failureText is a failure in words. Where our own node, at the address own,
// can't pass a payment on right now, it says itself why, such as that a rate is out
// of date; what other nodes say isn't ours to repeat. Within this wallet there is
// no other one to blame.
func failureText(failure *stream.Failure, local bool, own address.Address) string {
	reason := failure.Reason
	if j := failure.Reject; j != nil && j.TriggeredBy == own && (reason == stream.Busy || reason == stream.Illiquid) {
		return j.Message
	}
	if !local {
		return reason.Message()
	}
	switch reason {
	case stream.AssetChanged:
		return "The receiver has come to be paid in another currency."
	case stream.Illiquid, stream.TooLarge:
		return "This wallet can't exchange that much right now."
	case stream.Refused, stream.Unreachable:
		return "The receiver's account can't be paid any more."
	case stream.Full:
		return "The payment request takes no more: it has been paid meanwhile."
	case stream.Busy, stream.NoAnswer, stream.BadAnswer:
		return "Something went wrong on our side."
	}
	return reason.Message()
}
