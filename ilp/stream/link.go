package stream

import (
	"context"
	"time"

	"pochi/ilp/packet"
)

// Link carries packets towards their destination. The answer is a *packet.Fulfill or a *packet.Reject; an error means
// that there is none, and that nobody can say what became of the packet: a link that knows it (nothing left, or its money
// is free again) answers with a reject instead. It is called by as many goroutines at once as a Sender has packets in
// flight.
type Link interface {
	SendPacket(ctx context.Context, p packet.Prepare) (packet.Reply, error)
}

// MinimumLink is a Link that wants to know what arrives, to write it down with the money: a payment that goes on after a crash
// then knows of every fulfilled packet what arrived at least, and of those whose answers had been read before the last one left,
// what the receiver says that it got. A Sender calls SendMoney instead of SendPacket if its Link has it, in the same way, for
// every packet that can be fulfilled: all that SendPacket then gets are questions and goodbyes, for which nobody can claim money.
type MinimumLink interface {
	Link
	// SendMoney is SendPacket of a packet with which least is to be added to what is known to have arrived, if it is fulfilled, in
	// units of the receiver's asset: what the packet itself brings at least, and what earlier ones brought besides and wasn't
	// told yet. It is 0 where nothing need arrive of a packet because rounding may take it all.
	SendMoney(ctx context.Context, p packet.Prepare, least uint64) (packet.Reply, error)
}

// Clock is where a Sender takes its time from.
type Clock interface {
	// Now returns the current time.
	Now() time.Time
	// Sleep waits for d, or less if ctx ends first: then it returns the context's error.
	Sleep(ctx context.Context, d time.Duration) error
}

// SystemClock is the Clock of the machine.
type SystemClock struct{}

// Now returns the current time.
func (SystemClock) Now() time.Time { return time.Now() }

// Sleep waits for d or for the end of ctx.
func (SystemClock) Sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
