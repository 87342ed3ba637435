package stream

import (
	"context"
	"errors"
	"math"
	"math/bits"
	"time"

	"pochi/ilp"
	"pochi/ilp/packet"
)

// SendParams says how much to pay, and what for.
type SendParams struct {
	// Amount is what to send in all, in units of the sender's asset. At least 1.
	Amount uint64
	// MinDelivered is the agreed price: what must arrive, in units of Asset, of the whole of Amount. It comes from somebody
	// whom the sender trusts, never from what the path says. At least 1.
	//
	// No packet is paid that doesn't bring its share of it, rounded down. So MinDelivered arrives if there is one packet,
	// and of n packets at most n-1 units less: every packet across a rate rounds down once.
	MinDelivered uint64
	// MaxRounding is how many units what has arrived may ever be behind its share of MinDelivered because of that. It
	// bounds what a path can take by insisting on small packets. At 0 nothing may be lost: a payment that has to be split
	// then fails if its packets round down.
	MaxRounding uint64
	// Asset is what MinDelivered counts. A receiver with another asset gets nothing.
	Asset ilp.Asset
	// Whole sends what is to be sent as one packet or not at all. A path without money for it is asked again some times.
	Whole bool
	// Deadline is when the payment must be over, by the sender's Clock: no packet with money is sent then, or expires
	// later. The zero time is none.
	Deadline time.Time
	// Done is what earlier Sends of the same payment did, and the Result goes on from it. Amount and MinDelivered are
	// those of the whole payment, also then; what became of an Unknown packet must have been found out.
	Done Result
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

// Send pays. It returns nil if all of Amount was sent and MinDelivered arrived, less what rounding may take, else a
// *Failure; Result is exact in both cases. When ctx ends no further packet is sent, but the answer to the one in flight is
// still waited for.
func (s *Sender) Send(ctx context.Context, p SendParams) (Result, error) {
	if p.Amount == 0 || p.MinDelivered == 0 {
		return p.Done, &Failure{Reason: TooSmall}
	}
	if p.Done.Sent >= p.Amount {
		return p.Done, nil
	}
	defer s.Close(ctx)
	asset, err := s.knowAsset(ctx, &patience{})
	if err != nil {
		return p.Done, err
	}
	if asset != p.Asset {
		return p.Done, &Failure{Reason: AssetChanged}
	}
	run := sending{Sender: s, SendParams: p, sizes: sizes{max: p.Amount - p.Done.Sent, exact: true}, result: p.Done}
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
		if !run.Deadline.IsZero() && !run.cfg.Clock.Now().Before(run.Deadline) {
			return &Failure{Reason: TimedOut}
		}
		if err := run.one(ctx); err != nil {
			return err
		}
	}
	return nil
}

// one sends one packet and settles what became of it.
func (run *sending) one(ctx context.Context) error {
	_, size := split(run.Amount-run.result.Sent, run.sizes.next())
	price, minimum := run.minimum(size)
	a, err := run.exchange(ctx, request{
		amount:      size,
		minimum:     minimum,
		fulfillable: true,
		deadline:    run.Deadline,
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
	v := judge(a.reject.Code)
	if a.authentic {
		v = judgeReceived(a.received, price, minimum)
	}
	return run.refused(ctx, size, v, a.reject)
}

// minimum returns what must arrive of the next packet: its share of the price rounded down, which every path that keeps to
// the price can meet, and whatever more it takes not to fall too far behind.
func (run *sending) minimum(size uint64) (price, minimum uint64) {
	price = share(run.MinDelivered, size, run.Amount)
	due := share(run.MinDelivered, run.result.Sent+size, run.Amount)
	behind := due - min(due, run.result.Delivered)
	allowed := min(run.MaxRounding, run.MinDelivered-1) // something arrives in any case
	return price, max(price, behind-min(behind, allowed))
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

// refused waits until a rejected packet is worth another try, or returns why it isn't.
func (run *sending) refused(ctx context.Context, size uint64, v verdict, j *packet.Reject) error {
	v.shrink = v.shrink && !run.Whole // so its size never changes
	if v.shrink {
		run.sizes.shrink(size, j.Data)
		if run.sizes.max == 0 {
			return &Failure{Reason: v.reason, Reject: j}
		}
	}
	return run.patience.wait(ctx, run.cfg.Clock, v, j)
}
