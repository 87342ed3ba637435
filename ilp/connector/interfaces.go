package connector

import (
	"context"

	"pochi/ilp"
	"pochi/ilp/packet"
	"pochi/ilp/stream"
)

// Link carries packets to a peer. ilphttp.Endpoint is one.
type Link interface {
	// SendPacket sends the very bytes of p and returns the answer; nobody changes p any more. An error says that none came from
	// which one could tell what became of the packet: by the protocol nothing is owed then, but the peer may have fulfilled. An
	// error with a method Relay() *packet.Reject says what to tell the sender.
	SendPacket(ctx context.Context, p *packet.PrepareView) (packet.Reply, error)
}

// Party is one end of a delivery.
type Party struct {
	Account [16]byte
	Asset   ilp.Asset
	// Reference is what the money is for, such as an outgoing or an incoming payment. A peer has none: its packets are for
	// others.
	Reference [16]byte
	// Pointer is the payment pointer that is paid, of a receiver on this node.
	Pointer [16]byte
	// Request is the payment request that is paid, of a receiver on this node; zero for none. Limit is how much its connection
	// took and takes, as of a moment ago; nil for anything.
	Request [16]byte
	Limit   *stream.Limit
	// Peer says that this is another node. Nothing was reserved for its packets, and what it gets leaves this node.
	Peer bool
}

// Delivery is the money of one packet. AmountIn is in units of From.Asset, AmountOut in units of To.Asset; neither is 0.
type Delivery struct {
	From, To            Party
	AmountIn, AmountOut uint64
	// Minimum is the least by which what the last receiver got grows with the packet, in its own units, as far as the wallet
	// itself knows that of a packet of its own, with what became known of earlier ones since; else 0.
	Minimum uint64
	// Authority is the allowance that the packet uses up; nil if it needs none.
	Authority *Authority
}

// Authority is what a packet uses of an allowance: Amount, in units of Asset, of an account that may be used up to Limit.
type Authority struct {
	Account [16]byte
	Asset   ilp.Asset
	Limit   uint64
	Amount  uint64
	// Guard says no when the terms aren't what they were when they were asked for: ErrRefused if the agreement has ended, ErrBusy if
	// only the limit is another. Books ask it where nothing can come between it and the money; nil says yes. It is quick.
	Guard func() error
}

// Books moves money for the connector. The reasons to refuse are ErrInsufficient, ErrCredit, ErrFull, ErrAllowance, ErrDisallowed,
// ErrRefused, ErrBusy and ErrTooFast, which are told to the sender; ErrUnknown says that nobody knows whether it was done; with any
// other error, the wallet's own, nothing was done. All may be wrapped.
type Books interface {
	// Deliver moves the money of a packet to a receiver on this node as one atomic chain, which is durable when it returns nil.
	// ctx is for not beginning.
	Deliver(ctx context.Context, d Delivery) error
	// CanDeliver returns the error that Deliver, or Take if To is a peer, would return now, as far as that is known without
	// moving anything. It is asked for the packets by which senders learn what would arrive. Nothing may be held for them yet,
	// and there may be no Reference. It is quick.
	CanDeliver(ctx context.Context, d Delivery) error

	// Take sets the money of a packet to a peer aside before the packet leaves. It is durable when Take returns nil, and then
	// exactly one of Post and Release follows, unless the process ends. ctx is for not beginning.
	Take(ctx context.Context, d Delivery) error
	// Post moves what Take set aside: the peer's fulfillment came in time. It is durable when it returns nil, and only then
	// the fulfillment is passed on.
	Post(ctx context.Context, d Delivery) error
	// Release puts what Take set aside back. A doubt says why nobody knows whether the peer fulfilled, for the talk that
	// settles that; it is "" when the peer refused, or never got the packet.
	Release(ctx context.Context, d Delivery, doubt string) error
}

// Payees knows who is behind a STREAM connection.
type Payees interface {
	// Payee returns who is paid by a connection with this tag. ErrNoPayee, also wrapped, says that nobody is.
	Payee(ctx context.Context, tag []byte) (Party, error)
}

// Rates converts amounts.
type Rates interface {
	// Convert returns what amount of from is worth in to, rounded down, and never less for a larger amount. It is quick and
	// has no side effects. ErrNoRate, ErrStaleRate and ErrOverflow, also wrapped, say why it can't.
	Convert(ctx context.Context, amount uint64, from, to ilp.Asset) (uint64, error)
}

// Agreements knows under which terms others may spend a person's money.
type Agreements interface {
	// Agreement returns what a packet of amount, in units of the agreement's own asset, uses and whose money it is, or an
	// error why it may not be spent: ErrInsufficient if it is more than is left, ErrRefused if there is no such agreement, or
	// it doesn't allow packets now. It changes nothing: the books do, with the money.
	Agreement(ctx context.Context, id [16]byte, amount uint64) (Terms, error)
}

// Terms are what an agreement says about a packet.
type Terms struct {
	// Account is the person's that pays; Reference is the agreement.
	Account Party
	// Authority is the allowance of the current interval; its asset is the agreement's.
	Authority Authority
}

// Error is what Books, Payees, Rates and Agreements say no with. It is a constant, so it can be compared with errors.Is.
type Error string

// Error returns the reason in words.
func (e Error) Error() string { return "connector: " + string(e) }

// The reasons.
const (
	// ErrInsufficient: an account has too little, or is at its limit; a smaller or later packet may pass.
	ErrInsufficient Error = "insufficient balance"
	// ErrCredit: the peer that sends has used up what it may owe; a smaller packet may pass, or one after it has settled.
	ErrCredit Error = "credit used up"
	// ErrFull: the payment request that is paid has got so much meanwhile that it doesn't take this; less may pass.
	ErrFull Error = "the request takes less"
	// ErrUnknown: it can't be said whether the money moved. The sender gets no reply.
	ErrUnknown Error = "outcome unknown"
	// ErrAllowance: the agreement has less than this left in the current interval; a smaller packet may pass, or one in the next.
	ErrAllowance Error = "allowance used up"
	// ErrDisallowed: the agreement has ended, or was paused, since the packet came in.
	ErrDisallowed Error = "not allowed any more"
	// ErrRefused: these accounts don't take this payment, now or later.
	ErrRefused Error = "payment refused"
	// ErrBusy: not now, but soon: other packets have to end first.
	ErrBusy Error = "too busy"
	// ErrTooFast: the sender, a peer or an app, begins more payments in a moment than it may.
	ErrTooFast Error = "too many payments begin"
	// ErrNoPayee: nobody is paid by this tag.
	ErrNoPayee Error = "no such payee"
	// ErrNoRate: there is no current rate between two assets.
	ErrNoRate Error = "no exchange rate"
	// ErrStaleRate: the rate between two assets is too old.
	ErrStaleRate Error = "exchange rate out of date"
	// ErrOverflow: the converted amount is larger than an amount can be.
	ErrOverflow Error = "amount overflows"
)
