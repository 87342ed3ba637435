package stream

import (
	"context"
	"errors"
	"math"
	"math/bits"

	"pochi/ilp"
)

// SendParams says how much to pay, and what for.
type SendParams struct {
	// Amount is what to send in all, in units of the sender's asset. At least 1.
	Amount uint64
	// MinDelivered is the least that must arrive for the whole of Amount, in units of Asset. It comes from a price that the
	// sender trusts, never from what the path says. At least 1.
	MinDelivered uint64
	// Asset is what MinDelivered counts. A receiver with another asset gets nothing.
	Asset ilp.Asset
	// MaxPacket is the largest packet to begin with, if a Probe found one; 0 begins with Amount.
	MaxPacket uint64
}

// Result is what became of a payment, exactly, however it ended.
type Result struct {
	// Sent is the sum of the packets whose fulfillment was valid, in units of the sender's asset.
	Sent uint64
	// Delivered is what arrived of them, in units of the receiver's asset: what the receiver says, at least each packet's
	// minimum.
	Delivered uint64
	// Packets is how many were fulfilled.
	Packets uint64
	// Unknown is the amount of a packet of which nobody can say what became: the link failed, or the fulfillment was
	// wrong. It is in neither Sent nor Delivered, and always the last.
	Unknown uint64
}

// Send pays. It returns nil if all of Amount was sent and at least MinDelivered arrived, else a *Failure; Result is exact
// in both cases. When ctx ends no further packet is sent, but the answer to the one in flight is still waited for.
func (s *Sender) Send(ctx context.Context, p SendParams) (Result, error) {
	if p.Amount == 0 || p.MinDelivered == 0 {
		return Result{}, &Failure{Reason: TooSmall}
	}
	defer s.Close(ctx)
	asset, err := s.knowAsset(ctx)
	if err != nil {
		return Result{}, err
	}
	if asset != p.Asset {
		return Result{}, &Failure{Reason: AssetChanged}
	}
	run := sending{Sender: s, SendParams: p, sizes: sizes{max: p.Amount, exact: true}}
	if p.MaxPacket > 0 {
		run.sizes.max = min(p.Amount, p.MaxPacket)
	}
	err = run.all(ctx)
	return run.result, err
}

// moneyStream is the stream that all money goes to: the first that a client may open. Receivers that tell streams apart
// would credit nobody with money that is on none.
const moneyStream = 1

// sending is one payment on its way.
type sending struct {
	*Sender
	SendParams
	sizes    sizes
	patience patience
	result   Result
}

// all sends packet after packet until nothing is left.
func (run *sending) all(ctx context.Context) error {
	for run.result.Sent < run.Amount {
		if ctx.Err() != nil {
			return stopped(ctx, nil)
		}
		if err := run.one(ctx); err != nil {
			return err
		}
	}
	return nil
}

// one sends one packet and settles what became of it.
func (run *sending) one(ctx context.Context) error {
	left := run.Amount - run.result.Sent
	_, size := split(left, run.sizes.next())
	minimum := run.minimum(size, left)
	a, err := run.exchange(ctx, request{
		amount:      size,
		minimum:     minimum,
		fulfillable: true,
		frames:      []Frame{StreamMoney{StreamID: moneyStream, Shares: 1}},
	})
	switch {
	case a.fulfilled:
		run.account(size, max(minimum, a.received))
	case a.unknown:
		run.result.Unknown = size
	}
	switch {
	case err != nil:
		return err
	case a.fulfilled && a.authentic && a.received < minimum:
		return &Failure{Reason: BadAnswer, Err: errors.New("the receiver fulfilled less than the minimum")}
	case a.closed && run.result.Sent < run.Amount:
		return &Failure{Reason: Refused, Reject: a.reject}
	case a.fulfilled:
		return nil
	}
	return run.refused(ctx, size, minimum, a)
}

// minimum returns what must arrive of the next packet. Each packet's share of what is still missing is rounded down, so
// that a path which rounds down can meet it; the last packet must bring all of it.
func (run *sending) minimum(size, left uint64) uint64 {
	if run.result.Delivered >= run.MinDelivered {
		return 0
	}
	return share(run.MinDelivered-run.result.Delivered, size, left)
}

// account adds a fulfilled packet.
func (run *sending) account(sent, delivered uint64) {
	run.result.Sent += sent
	run.result.Packets++
	sum, carry := bits.Add64(run.result.Delivered, delivered, 0)
	if carry != 0 {
		sum = math.MaxUint64 // a receiver can claim anything
	}
	run.result.Delivered = sum
	run.sizes.accept(sent)
	run.patience = patience{}
}

// refused decides whether a rejected packet is worth another try, and waits for it.
func (run *sending) refused(ctx context.Context, size, minimum uint64, a answer) error {
	v := judge(a.reject.Code)
	if a.authentic {
		v = verdict{reason: Refused, retry: true}
		if a.received < minimum {
			v.reason = RateTooLow
		}
	}
	if v.shrink {
		run.sizes.shrink(size, a.reject.Data)
		if run.sizes.max == 0 {
			return &Failure{Reason: v.reason, Reject: a.reject}
		}
	}
	return run.patience.wait(ctx, run.cfg.Clock, v, a.reject)
}
