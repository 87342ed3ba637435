package connector

import (
	"context"

	"pochi/ilp"
)

// Sender is who is at the other end of a link: for now always the wallet itself, paying for one of its accounts.
type Sender struct {
	// Account pays. The zero account is refused.
	Account [16]byte
	// Asset is what amounts on this link count.
	Asset ilp.Asset
	// Reference is what it pays for, such as an outgoing payment.
	Reference [16]byte
}

// Party is one end of a delivery.
type Party struct {
	Account [16]byte
	Asset   ilp.Asset
	// Reference is what the money is for, such as an outgoing or an incoming payment.
	Reference [16]byte
}

// Delivery is the money of one packet. AmountIn is in units of From.Asset, AmountOut in units of To.Asset; neither is 0.
type Delivery struct {
	From, To            Party
	AmountIn, AmountOut uint64
}

// Books moves money for the connector.
type Books interface {
	// Deliver moves one packet's money as one atomic chain, which is durable when it returns nil. When it returns an error
	// nothing has moved, so it doesn't give up half-way when ctx ends: ctx is for not beginning. Only ErrUnknown says
	// otherwise. ErrInsufficient and ErrRefused are told to the sender; any other error is the wallet's own. All may be
	// wrapped.
	Deliver(ctx context.Context, d Delivery) error
	// CanDeliver returns the error that Deliver would return now, as far as that is known without moving anything. It is
	// asked for the packets by which senders learn what would arrive. Nothing may be held for them yet, and there may be
	// no Reference. It is quick.
	CanDeliver(ctx context.Context, d Delivery) error
}

// Payees knows who is behind a STREAM connection.
type Payees interface {
	// Payee returns who is paid by a connection with this tag. ErrNoPayee, also wrapped, says that nobody is.
	Payee(ctx context.Context, tag []byte) (Party, error)
}

// Rates converts amounts.
type Rates interface {
	// Convert returns what amount of from is worth in to, rounded down, and never less for a larger amount. It is quick and
	// has no side effects. ErrNoRate and ErrOverflow, also wrapped, say why it can't.
	Convert(ctx context.Context, amount uint64, from, to ilp.Asset) (uint64, error)
}

// Error is what Books, Payees and Rates say no with. It is a constant, so it can be compared with errors.Is.
type Error string

// Error returns the reason in words.
func (e Error) Error() string { return "connector: " + string(e) }

// The reasons.
const (
	// ErrInsufficient: an account has too little, or is at its limit; a smaller or later packet may pass.
	ErrInsufficient Error = "insufficient balance"
	// ErrUnknown: it can't be said whether the money moved. The sender gets no reply.
	ErrUnknown Error = "outcome unknown"
	// ErrRefused: these accounts don't take this payment, now or later.
	ErrRefused Error = "payment refused"
	// ErrNoPayee: nobody is paid by this tag.
	ErrNoPayee Error = "no such payee"
	// ErrNoRate: there is no current rate between two assets.
	ErrNoRate Error = "no exchange rate"
	// ErrOverflow: the converted amount is larger than an amount can be.
	ErrOverflow Error = "amount overflows"
)
