package stream

import (
	"context"
	"time"

	"pochi/ilp"
)

// SendParams says how much to pay, and what for.
type SendParams struct {
	// Amount is what to send in all, in units of the sender's asset. At least 1.
	Amount uint64
	// MinDelivered is the agreed price: what must arrive, in units of Asset, of the whole of Amount. It comes from somebody
	// whom the sender trusts, less the slippage that is put up with, and never from what the path says. At least 1.
	//
	// No packet is paid that doesn't bring its share of it, rounded down. So MinDelivered arrives if there is one packet,
	// and of n packets at most n-1 units less: every packet across a rate rounds down once.
	MinDelivered uint64
	// MaxRounding is how many units what has arrived may ever be behind its share of MinDelivered because of that. It
	// bounds what a path can take by insisting on small packets. At 0 nothing may be lost: a payment that has to be split
	// then fails if its packets round down.
	MaxRounding uint64
	// FixedReceive ends the payment as soon as MinDelivered has arrived. Amount is then the most that may be sent for it.
	// The rate is asked for before any money is sent, so as long as it holds no more arrives besides than rounding makes: a
	// unit for each packet in flight at the end. It means nothing if Whole is set.
	FixedReceive bool
	// Asset is what MinDelivered counts. A receiver with another asset gets nothing.
	Asset ilp.Asset
	// Whole sends what is to be sent as one packet or not at all. A path without money for it is asked again some times.
	Whole bool
	// Deadline is when the payment must be over, by the sender's Clock: no packet with money is sent then, or expires
	// later. The zero time is none.
	Deadline time.Time
	// Done is what earlier Sends of the same payment did, and the Result goes on from it. Amount and MinDelivered are
	// those of the whole payment, also then; what became of Unknown packets must have been found out.
	Done Result
}

// Result is what became of a payment, exactly, however it ended. Of Amount, what is in neither Sent nor Unknown has not
// left, for the Reason of the Failure.
type Result struct {
	// Sent is the sum of the packets whose fulfillment was valid, in units of the sender's asset.
	Sent uint64
	// Delivered is what arrived of them, in units of the receiver's asset: what the receiver says, at least each packet's
	// minimum.
	Delivered uint64
	// Packets is how many were fulfilled.
	Packets uint64
	// Unknown is the sum of the packets of which nobody can say what became, in units of the sender's asset. It is in
	// neither Sent nor Delivered. After the first of them nothing more is sent, so it is no more than was in flight then.
	Unknown uint64
	// UnknownReason is why: NoAnswer (the link failed) or BadAnswer (a wrong fulfillment), of the first of them. It is ""
	// if there is none.
	UnknownReason Reason
}

// Send pays, with as many packets in flight as the path keeps up with. It returns nil if all of Amount was sent, or all of
// MinDelivered arrived if FixedReceive is set, and nothing is Unknown; less than MinDelivered has then arrived only by what
// rounding may take. Otherwise it returns a *Failure. Result is exact in both cases. When ctx ends no further packet is
// sent, but the answers to those in flight are still waited for. The connection stays open: Close ends it.
func (s *Sender) Send(ctx context.Context, p SendParams) (Result, error) {
	if p.Amount == 0 || p.MinDelivered == 0 {
		return p.Done, &Failure{Reason: TooSmall}
	}
	if p.reached(p.Done) {
		return p.Done, nil
	}
	asset, err := s.knowAsset(ctx, &patience{})
	if err != nil {
		return p.Done, err
	}
	if asset != p.Asset {
		return p.Done, &Failure{Reason: AssetChanged}
	}
	run := newSending(s, p)
	if p.FixedReceive && !p.Whole {
		if err := run.discover(ctx); err != nil {
			return p.Done, err
		}
	}
	err = run.all(ctx)
	return run.result, err
}

// reached reports whether nothing is left to send.
func (p *SendParams) reached(r Result) bool {
	return r.Sent >= p.Amount || p.FixedReceive && !p.Whole && r.Delivered >= p.MinDelivered
}

// moneyStream is the stream that all money goes to: the first that a client may open. Receivers that tell streams apart
// would credit nobody with money that is on none.
const moneyStream = 1
