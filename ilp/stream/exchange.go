package stream

import (
	"context"
	"errors"
	"io"
	"slices"
	"time"

	"pochi/ilp"
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
	besides         uint64 // what a MinimumLink is told with it of earlier packets
	fulfillable     bool
	deadline        time.Time // no later than which the packet expires; zero is none
	frames          []Frame
}

// answer is what came back: a valid fulfillment, a reject, or nothing of worth.
type answer struct {
	fulfilled bool
	reject    *packet.Reject // nil if there is none
	// received is what the receiver says it got; authentic says that there is such a word from it, with these frames.
	received  uint64
	authentic bool
	frames    []Frame
	unknown   Reason // if neither fulfilled nor rejected: why nobody can say what became of the packet
}

// flight is one packet on its way, and what came of it.
type flight struct {
	request
	sequence uint64
	prepare  packet.Prepare
	time     time.Duration // until it expires
	answer   answer
	err      error // a *Failure; the answer is valid beside it
}

// exchange sends one packet and waits for its answer. An error is a *Failure, and the answer is valid beside it: a packet
// can be fulfilled and yet show that nothing more may be sent.
func (s *Sender) exchange(ctx context.Context, req request) (answer, error) {
	f := new(flight)
	if err := s.prepare(f, req); err != nil {
		return answer{}, err
	}
	s.carry(ctx, f)
	s.learn(f)
	return f.answer, f.err
}

// prepare makes the next packet.
func (s *Sender) prepare(f *flight, req request) error {
	if s.sequence >= maxPackets {
		return &Failure{Reason: Exhausted}
	}
	s.sequence++
	frames := req.frames
	if s.asset == (ilp.Asset{}) {
		frames = append([]Frame{s.hello()}, frames...)
	}
	plain := Packet{packet.TypePrepare, s.sequence, req.minimum, frames}
	s.plaintext = plain.Append(s.plaintext[:0])
	data, err := s.keys.Seal(s.cfg.Random, s.plaintext)
	if err != nil {
		return &Failure{Reason: Cancelled, Err: err}
	}
	now, life := s.cfg.Clock.Now(), packetTime
	if !req.deadline.IsZero() {
		life = min(life, req.deadline.Sub(now))
	}
	*f = flight{request: req, sequence: s.sequence, time: life, prepare: packet.Prepare{
		Amount:      req.amount,
		ExpiresAt:   now.Add(life),
		Destination: s.cfg.Destination,
		Data:        data,
	}}
	if req.fulfillable {
		f.prepare.Condition = Condition(s.keys.Fulfillment(data))
	} else if _, err := io.ReadFull(s.cfg.Random, f.prepare.Condition[:]); err != nil {
		return &Failure{Reason: Cancelled, Err: err}
	}
	return nil
}

// carry sends a packet and writes down its answer. It changes nothing but the flight, so many may be carried at once.
func (s *Sender) carry(ctx context.Context, f *flight) {
	reply, err := s.send(ctx, f)
	if err != nil {
		f.answer.unknown, f.err = NoAnswer, err
		return
	}
	switch reply := reply.(type) {
	case *packet.Fulfill:
		if !reply.Fulfills(f.prepare.Condition) {
			f.answer.unknown = BadAnswer
			f.err = &Failure{Reason: BadAnswer, Err: errors.New("the fulfillment doesn't match the condition")}
			return
		}
		f.answer.fulfilled = true
		s.read(f, reply.Data, packet.TypeFulfill)
	case *packet.Reject:
		f.answer.reject = reply
		if fromReceiver(reply.Code) {
			s.read(f, reply.Data, packet.TypeReject)
		}
	default:
		f.answer.unknown, f.err = NoAnswer, &Failure{Reason: NoAnswer, Err: errors.New("the link gave no reply")}
	}
}

// send gives a packet to the link, with time until it expires. Money in flight is waited for, also when ctx ends.
func (s *Sender) send(ctx context.Context, f *flight) (packet.Reply, error) {
	linkCtx := ctx
	if f.fulfillable {
		linkCtx = context.WithoutCancel(ctx)
	}
	linkCtx, cancel := context.WithTimeout(linkCtx, f.time+linkGrace)
	defer cancel()
	reply, err := s.give(linkCtx, f)
	switch {
	case err == nil:
		return reply, nil
	case ctx.Err() != nil && !f.fulfillable:
		return nil, stopped(ctx, nil)
	}
	return nil, &Failure{Reason: NoAnswer, Err: err}
}

// tells returns what a MinimumLink is told of a packet.
func (r *request) tells() uint64 { return addSaturating(r.minimum, r.besides) }

// give calls the link, in the way that it prefers.
func (s *Sender) give(ctx context.Context, f *flight) (packet.Reply, error) {
	if link, ok := s.cfg.Link.(MinimumLink); ok && f.fulfillable {
		return link.SendMoney(ctx, f.prepare, f.tells())
	}
	return s.cfg.Link.SendPacket(ctx, f.prepare)
}

// read adds to an answer what the receiver wrote, if it was the receiver, to this packet, on this kind of reply. Otherwise
// the data is discarded (RFC 29, section 5.2).
func (s *Sender) read(f *flight, data []byte, carrier packet.Type) {
	room := plaintexts.Get().(*plaintextRoom)
	defer plaintexts.Put(room)
	plaintext, err := s.keys.AppendOpen(room[:0], data)
	if err != nil {
		return
	}
	p, err := ViewPacket(plaintext)
	if err != nil || p.Type != carrier || p.Sequence != f.sequence {
		return
	}
	f.answer.authentic, f.answer.received = true, p.Amount
	if p.count > 0 {
		f.answer.frames = slices.DeleteFunc(p.Packet().Frames, isData)
	}
}

// isData tells frames with bytes in them, which are in a room that others use next. A sender has no use for them.
func isData(f Frame) bool { return f.Type() == TypeStreamData || f.Type() == TypeStreamReceipt }

// fromReceiver reports whether receivers, old or new, reject with this code and a STREAM packet in the data.
func fromReceiver(c packet.Code) bool {
	return c == packet.ApplicationError || c == packet.InsufficientAmount || c == packet.WrongCondition
}
