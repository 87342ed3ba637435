package stream

import (
	"context"
	"io"
	"time"

	"pochi/ilp"
	"pochi/ilp/address"
)

// SenderConfig says whom a Sender pays, and over what.
type SenderConfig struct {
	Link        Link
	Destination address.Address
	Secret      [32]byte
	Clock       Clock
	// Random is a cryptographic source: each packet takes an initialization vector from it, probes their condition too.
	Random io.Reader
	// MaxInFlight is how many packets may be on their way at once; 0 is 100. The Link is then called by as many goroutines
	// at once. With 1, as for all that has to be whole, it is called by the caller's own.
	MaxInFlight int
}

const defaultInFlight = 100

// Sender is the paying end of one connection, for one payment. It is not safe for concurrent use.
type Sender struct {
	cfg      SenderConfig
	keys     *Keys
	sequence uint64    // of the last packet; they count from 1
	asset    ilp.Asset // the receiver's, once it said it
	deaf     bool      // it has answered, and not said which
	rate     rate      // that the receiver reported
	limit    limit     // that the receiver set
	closed   bool      // the receiver wants no more
	paying   bool      // money was sent

	plaintext []byte // room for the next packet's
}

// NewSender returns a Sender at the start of a connection. Nothing is sent yet.
func NewSender(cfg SenderConfig) *Sender {
	if cfg.MaxInFlight <= 0 {
		cfg.MaxInFlight = defaultInFlight
	}
	return &Sender{cfg: cfg, keys: NewKeys(cfg.Secret)}
}

// Limit returns how much the receiver takes in all, in units of its asset, as far as it said.
func (s *Sender) Limit() (most uint64, known bool) { return s.limit.max, s.limit.known }

// closeTime is how long a goodbye may take: long enough for some nodes on the way, each of which takes a second off.
const closeTime = 10 * time.Second

// Close tells the receiver that nothing more comes, with a packet that carries no money (RFC 29, sections 5.3.1 and
// 5.3.10), unless the receiver has said so first. A receiver that doesn't hear it loses nothing, so there is no error; it may
// take ten seconds, so what depends on the payment's end should not wait for it.
func (s *Sender) Close(ctx context.Context) {
	if ctx.Err() != nil || s.closed {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, closeTime)
	defer cancel()
	var frames []Frame
	if s.paying {
		frames = append(frames, StreamClose{moneyStream, CodeNoError, ""})
	}
	_, _ = s.exchange(ctx, request{
		deadline: s.cfg.Clock.Now().Add(closeTime),
		frames:   append(frames, ConnectionClose{CodeNoError, ""}),
	})
}

// hello returns the frame that makes the receiver name its asset. An empty address asks without offering a way back;
// receivers that didn't read that get one which leads nowhere. No others do: ilp-protocol-stream would use it, and close the
// connection when it can't.
func (s *Sender) hello() Frame {
	if s.deaf {
		return ConnectionNewAddress{"private.SEND_ONLY_CLIENT"}
	}
	return ConnectionNewAddress{""}
}
