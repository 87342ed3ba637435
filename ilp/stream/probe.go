package stream

import (
	"context"
	"errors"
	"math/bits"

	"pochi/ilp"
)

// Probe is what a path promises, without any money having moved.
type Probe struct {
	// Sent is the amount asked about, in units of the sender's asset.
	Sent uint64
	// Received is what would arrive of it, in units of Asset: the sum over Packets, each rounded as the path rounds it.
	Received uint64
	// Asset is the receiver's.
	Asset ilp.Asset
	// MaxPacket is the largest packet that the path took, at most Sent.
	MaxPacket uint64
	// Packets is into how many packets the amount is split.
	Packets uint64
}

// AtLeast returns what arrives if the path makes so many packets of the amount, or fewer, in the worst case: each rounds
// down once. Nothing is lost of a rate that is a whole number.
func (p Probe) AtLeast(packets uint64) uint64 {
	if packets <= 1 || p.Sent == 0 || p.Received%p.Sent == 0 {
		return p.Received
	}
	return p.Received - min(p.Received, packets-1)
}

// maxParts is into how many packets an amount is split at the most for want of liquidity: what is probed for less is dust.
const maxParts = 256

// ProbeWhole asks the path what would arrive of amount in one packet, which is how Send sends it if Whole is set. The
// packet can't be fulfilled. It takes the first answer, whatever it is, and never pauses. Amount is at least 1. A failure
// is a *Failure.
func (s *Sender) ProbeWhole(ctx context.Context, amount uint64) (Probe, error) {
	if amount == 0 {
		return Probe{}, &Failure{Reason: TooSmall}
	}
	hurry := &patience{probing: true}
	received, err := s.ask(ctx, amount, hurry)
	if err != nil {
		return Probe{}, err
	}
	if received == 0 {
		return Probe{}, &Failure{Reason: TooSmall}
	}
	asset, err := s.knowAsset(ctx, hurry)
	if err != nil {
		return Probe{}, err
	}
	return Probe{Sent: amount, Received: received, Asset: asset, MaxPacket: amount, Packets: 1}, nil
}

// Probe asks the path what would arrive of amount, with packets that nobody can fulfill: first how large one may be, then
// what arrives of packets of the sizes that Send will use. Temporary errors are waited for, but for a second in all and
// no more. Amount is at least 1. A failure is a *Failure.
func (s *Sender) Probe(ctx context.Context, amount uint64) (Probe, error) {
	if amount == 0 {
		return Probe{}, &Failure{Reason: TooSmall}
	}
	patience := &patience{probing: true, left: probePauses}
	largest, received, err := s.largest(ctx, amount, patience)
	if err != nil {
		return Probe{}, err
	}
	packets, first := split(amount, largest)
	p := Probe{Sent: amount, Received: received, MaxPacket: largest, Packets: packets}
	if packets > maxPackets {
		return Probe{}, &Failure{Reason: Exhausted}
	}
	if packets > 1 {
		if p.Received, err = s.sum(ctx, amount, packets, first, patience); err != nil {
			return Probe{}, err
		}
	}
	if p.Received == 0 {
		return Probe{}, &Failure{Reason: TooSmall}
	}
	if p.Asset, err = s.knowAsset(ctx, patience); err != nil {
		return Probe{}, err
	}
	return p, nil
}

// Asset asks the receiver for its asset, with packets that carry no money. Temporary errors are waited for as Probe does. A
// failure is a *Failure.
func (s *Sender) Asset(ctx context.Context) (ilp.Asset, error) {
	return s.knowAsset(ctx, &patience{probing: true, left: probePauses})
}

// largest looks for the largest packet that gets through, up to amount, and returns what arrives of it.
func (s *Sender) largest(ctx context.Context, amount uint64, patience *patience) (size, received uint64, err error) {
	z := newSizes(amount)
	var short *Failure // the last time that a packet was refused for its size
	for {
		test := z.next()
		a, err := s.exchange(ctx, request{amount: test})
		switch {
		case err != nil:
			return 0, 0, err
		case a.authentic:
			z.accept(test)
			received, patience.tries = a.received, 0
		default:
			v := judge(a.reject.Code)
			if v.shrink {
				z.shrink(test, a.reject.Data)
				short = &Failure{Reason: v.reason, Reject: a.reject}
			}
			if v.reason == TooSmall && short != nil {
				return 0, 0, short
			}
			if z.max == 0 || v.reason == Illiquid && z.max < amount/maxParts {
				return 0, 0, &Failure{Reason: v.reason, Reject: a.reject}
			}
			if err := patience.wait(ctx, s.cfg.Clock, v, a.reject); err != nil {
				return 0, 0, err
			}
		}
		if z.found() {
			return z.fits, received, nil
		}
	}
}

// sum returns what arrives of amount in so many packets, of which the first are of one size and the rest one smaller.
func (s *Sender) sum(ctx context.Context, amount, packets, first uint64, patience *patience) (uint64, error) {
	smaller := packets*first - amount
	total, overflow, err := s.times(ctx, packets-smaller, first, patience)
	if err != nil {
		return 0, err
	}
	more, overflowMore, err := s.times(ctx, smaller, first-1, patience)
	if err != nil {
		return 0, err
	}
	total, carry := bits.Add64(total, more, 0)
	if overflow || overflowMore || carry != 0 {
		return 0, &Failure{Reason: BadAnswer, Err: errors.New("more than 2^64-1 units would arrive")}
	}
	return total, nil
}

// times returns what arrives of n packets of the same size, and whether that overflows.
func (s *Sender) times(ctx context.Context, n, size uint64, patience *patience) (total uint64, overflow bool, err error) {
	if n == 0 || size == 0 {
		return 0, false, nil
	}
	each, err := s.ask(ctx, size, patience)
	hi, lo := bits.Mul64(n, each)
	return lo, hi != 0, err
}

// ask returns what arrives of one packet of this very size.
func (s *Sender) ask(ctx context.Context, amount uint64, patience *patience) (received uint64, err error) {
	for {
		a, err := s.exchange(ctx, request{amount: amount})
		if err != nil {
			return 0, err
		}
		if a.authentic {
			return a.received, nil
		}
		v := judge(a.reject.Code)
		v.shrink = false
		if err := patience.wait(ctx, s.cfg.Clock, v, a.reject); err != nil {
			return 0, err
		}
	}
}

// knowAsset returns the receiver's asset, asking for it with packets that carry no money if it isn't known yet.
func (s *Sender) knowAsset(ctx context.Context, patience *patience) (ilp.Asset, error) {
	const asks = 3
	for range asks {
		if s.asset != (ilp.Asset{}) {
			return s.asset, nil
		}
		if _, err := s.ask(ctx, 0, patience); err != nil {
			return ilp.Asset{}, err
		}
	}
	if s.asset != (ilp.Asset{}) {
		return s.asset, nil
	}
	return ilp.Asset{}, &Failure{Reason: BadAnswer, Err: errors.New("the receiver didn't name its asset")}
}
