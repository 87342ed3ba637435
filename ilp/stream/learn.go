package stream

import (
	"pochi/ilp"
	"pochi/ilp/packet"
)

// learn takes from an authentic answer what holds for the whole connection: the receiver's asset, the rate, how much it
// takes, and whether it has closed. A flight of which it can't be is given a *Failure, unless it has one.
func (s *Sender) learn(f *flight) {
	a := &f.answer
	if !a.authentic {
		s.deaf = s.deaf || a.reject != nil && a.reject.Code == packet.UnexpectedPayment
		return
	}
	s.rate.observe(f.amount, a.received)
	for _, frame := range a.frames {
		switch frame := frame.(type) {
		case ConnectionClose:
			s.closed = true
		case StreamClose:
			s.closed = s.closed || frame.StreamID == moneyStream
		case StreamMaxMoney:
			if frame.StreamID == moneyStream {
				s.limit.learn(frame, a)
			}
		case ConnectionAssetDetails:
			if err := s.learnAsset(frame); err != nil && f.err == nil {
				f.err = err
			}
		}
	}
	s.deaf = s.asset == (ilp.Asset{})
}

// learnAsset takes the receiver's asset. It never changes (RFC 29, section 5.3.7).
func (s *Sender) learnAsset(details ConnectionAssetDetails) error {
	if !validCode(details.Code) {
		return nil
	}
	asset := ilp.Asset(details)
	if s.asset != (ilp.Asset{}) && s.asset != asset {
		return &Failure{Reason: AssetChanged}
	}
	s.asset = asset
	return nil
}

// validCode reports whether an asset's code, which a stranger chose, is fit to be shown.
func validCode(code string) bool {
	if code == "" || len(code) > 32 {
		return false
	}
	for i := range len(code) {
		if code[i] <= ' ' || code[i] >= 0x7f {
			return false
		}
	}
	return true
}

// whyClosed is why a receiver that has closed the connection wants no more.
func (s *Sender) whyClosed() Reason {
	if s.limit.used {
		return Full
	}
	return Refused
}

// limit is how much a receiver takes in all, in units of its asset: anything, until it says otherwise.
type limit struct {
	known bool
	max   uint64
	used  bool // when it was advertised last, nothing was left of it
}

// learn takes a limit that was advertised. Such limits never fall: what is lower is older (RFC 29, section 5.3.12), unless it
// is why this very packet was refused. One that several senders share falls as the others pay.
func (l *limit) learn(advertised StreamMaxMoney, a *answer) {
	l.max = max(l.max, advertised.ReceiveMax)
	if a.beyond(advertised) {
		l.max = advertised.ReceiveMax
	}
	l.known, l.used = true, advertised.TotalReceived >= advertised.ReceiveMax
}

// beyond reports whether a packet was refused because it brought more than a limit left.
func (a *answer) beyond(l StreamMaxMoney) bool {
	return a.authentic && a.reject != nil && a.received > l.ReceiveMax-min(l.ReceiveMax, l.TotalReceived)
}

// tooMuch reports whether the receiver refused a packet since it takes no more than it said.
func (a *answer) tooMuch() bool {
	for _, frame := range a.frames {
		if l, ok := frame.(StreamMaxMoney); ok && l.StreamID == moneyStream && a.beyond(l) {
			return true
		}
	}
	return false
}
