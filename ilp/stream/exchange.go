package stream

import (
	"context"
	"errors"
	"io"
	"time"

	"pochi/ilp/packet"
)

const (
	// maxPackets is after how many packets a connection must end (RFC 29, section 4.2): the initialization vectors are
	// random, and must not repeat.
	maxPackets = 1 << 31
	// packetTime is how long a packet may take, linkGrace how much longer the link may take to say that it didn't make it.
	packetTime = 30 * time.Second
	linkGrace  = 2 * time.Second
)

// request is one packet to send.
type request struct {
	amount, minimum uint64
	fulfillable     bool
	deadline        time.Time // no later than which the packet expires; zero is none
	frames          []Frame
}

// answer is what came back: a valid fulfillment, a reject, or nothing of worth.
type answer struct {
	fulfilled bool
	reject    *packet.Reject // nil if there is none
	// received is what the receiver says it got; authentic says that there is such a word from it.
	received  uint64
	authentic bool
	closed    bool // the receiver wants no more
	unknown   bool // neither fulfilled nor rejected: nobody can say what became of the packet
}

// exchange sends one packet and waits for its answer. An error is a *Failure, and the answer is valid beside it: a packet
// can be fulfilled and yet show that nothing more may be sent.
func (s *Sender) exchange(ctx context.Context, req request) (answer, error) {
	prepare, err := s.prepare(req)
	if err != nil {
		return answer{}, err
	}
	reply, err := s.send(ctx, prepare, req.fulfillable)
	if err != nil {
		return answer{unknown: true}, err
	}
	switch reply := reply.(type) {
	case *packet.Fulfill:
		if !reply.Fulfills(prepare.Condition) {
			err := errors.New("the fulfillment doesn't match the condition")
			return answer{unknown: true}, &Failure{Reason: BadAnswer, Err: err}
		}
		a := answer{fulfilled: true}
		err := s.read(&a, reply.Data, packet.TypeFulfill)
		return a, err
	case *packet.Reject:
		a := answer{reject: reply}
		if !fromReceiver(reply.Code) {
			return a, nil
		}
		err := s.read(&a, reply.Data, packet.TypeReject)
		return a, err
	}
	return answer{unknown: true}, &Failure{Reason: NoAnswer, Err: errors.New("the link gave no reply")}
}

// send gives a packet to the link, with time until it expires. Money in flight is waited for, also when ctx ends.
func (s *Sender) send(ctx context.Context, p packet.Prepare, fulfillable bool) (packet.Reply, error) {
	linkCtx := ctx
	if fulfillable {
		linkCtx = context.WithoutCancel(ctx)
	}
	linkCtx, cancel := context.WithTimeout(linkCtx, p.ExpiresAt.Sub(s.cfg.Clock.Now())+linkGrace)
	defer cancel()
	reply, err := s.cfg.Link.SendPacket(linkCtx, p)
	switch {
	case err == nil:
		return reply, nil
	case ctx.Err() != nil && !fulfillable:
		return nil, stopped(ctx, nil)
	}
	return nil, &Failure{Reason: NoAnswer, Err: err}
}

// prepare makes the next packet.
func (s *Sender) prepare(req request) (packet.Prepare, error) {
	if s.sequence >= maxPackets {
		return packet.Prepare{}, &Failure{Reason: Exhausted}
	}
	s.sequence++
	plain := Packet{packet.TypePrepare, s.sequence, req.minimum, append(s.hello(), req.frames...)}
	data, err := s.keys.Seal(s.cfg.Random, plain.Append(nil))
	if err != nil {
		return packet.Prepare{}, &Failure{Reason: Cancelled, Err: err}
	}
	var condition [32]byte
	if req.fulfillable {
		condition = Condition(s.keys.Fulfillment(data))
	} else if _, err := io.ReadFull(s.cfg.Random, condition[:]); err != nil {
		return packet.Prepare{}, &Failure{Reason: Cancelled, Err: err}
	}
	expires := s.cfg.Clock.Now().Add(packetTime)
	if !req.deadline.IsZero() && req.deadline.Before(expires) {
		expires = req.deadline
	}
	return packet.Prepare{
		Amount:      req.amount,
		ExpiresAt:   expires,
		Condition:   condition,
		Destination: s.cfg.Destination,
		Data:        data,
	}, nil
}

// read adds to an answer what the receiver wrote, if it was the receiver, to this packet, on this kind of reply. Otherwise
// the data is discarded (RFC 29, section 5.2).
func (s *Sender) read(a *answer, data []byte, carrier packet.Type) error {
	plaintext, err := s.keys.Open(data)
	if err != nil {
		return nil
	}
	p, err := DecodePacket(plaintext)
	if err != nil || p.Type != carrier || p.Sequence != s.sequence {
		return nil
	}
	a.authentic, a.received = true, p.Amount
	for _, f := range p.Frames {
		if _, ok := f.(ConnectionClose); ok {
			a.closed = true
		}
	}
	return s.learnAsset(p.Frames)
}

// fromReceiver reports whether receivers, old or new, reject with this code and a STREAM packet in the data.
func fromReceiver(c packet.Code) bool {
	return c == packet.ApplicationError || c == packet.InsufficientAmount || c == packet.WrongCondition
}
