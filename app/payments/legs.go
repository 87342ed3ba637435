package payments

import (
	"context"
	"fmt"

	"pochi/ilp/connector"
	"pochi/ledger"

	"github.com/google/uuid"
)

// leg is what a packet moves within one ledger: from debit to to, at once or, on
// its way to another node, in two phases through a hold toward via.
type leg struct {
	reference, debit, via, to uuid.UUID
	amount                    uint64
	code                      uint16
	reserved                  bool // the hold has a reservation
}

func (l leg) packet() ledger.Command {
	return ledger.Packet{Debit: l.debit, Credit: l.to, Amount: l.amount, Code: l.code, Reference: l.reference}
}

func (l leg) take() ledger.Command {
	return ledger.Take{Reference: l.reference, Debit: l.debit, Credit: l.via, Toward: l.to, Amount: l.amount, Unreserved: !l.reserved}
}

func (l leg) post() ledger.Command {
	return ledger.Post{Reference: l.reference, Debit: l.debit, Credit: l.via, To: l.to, Amount: l.amount, Code: l.code}
}

func (l leg) release() ledger.Command {
	return ledger.Release{Reference: l.reference, Debit: l.debit, Credit: l.via, Amount: l.amount}
}

// moneyLegs are the legs of a packet's money: one within a currency, two through
// the exchange accounts across. What rounding leaves stays on those.
func moneyLegs(d connector.Delivery) ([]leg, error) {
	first := leg{
		reference: referenceOf(d), debit: d.From.Account, via: viaOf(d), to: d.To.Account,
		amount: d.AmountIn, code: codeOf(d), reserved: fromPayment(d),
	}
	if d.From.Asset == d.To.Asset {
		if d.AmountIn != d.AmountOut {
			return nil, fmt.Errorf("%d of %s became %d", d.AmountIn, d.From.Asset, d.AmountOut)
		}
		return []leg{first}, nil
	}
	first.via, first.to = outgoingAccount(d.From.Asset), exchangeAccount(d.From.Asset)
	return []leg{first, {
		reference: first.reference, debit: exchangeAccount(d.To.Asset), via: outgoingAccount(d.To.Asset), to: d.To.Account,
		amount: d.AmountOut, code: CodeExchange,
	}}, nil
}

// viaOf returns the account that waits for what is in flight, within a currency, toward
// whoever gets a packet. What a hold has in flight goes one way only. A payment has one way
// at a time; an app may stream to several peers at once, and each of them has a hold of its
// own. Across currencies the payer's money goes to the wallet's exchange, whoever the peer
// is: after a crash nobody could tell whose part of it is whose. So there one peer is
// streamed to at a time, and packets to another are answered busy meanwhile.
func viaOf(d connector.Delivery) uuid.UUID {
	if d.Authority != nil {
		return d.To.Account
	}
	return outgoingAccount(d.To.Asset)
}

// fromPayment reports whether a payment of ours is behind a packet: all of its
// debit is reserved.
func fromPayment(d connector.Delivery) bool { return !d.From.Peer && d.Authority == nil }

// pairSpace makes the references of what peers send each other.
var pairSpace = uuid.MustParse("6d0c3b8e-2f5a-4a57-8f0e-6c1d9b7a4e13")

// referenceOf returns what a packet's money moves for: a payment or an agreement of
// ours, a connection of somebody here, or what one peer sends to another.
func referenceOf(d connector.Delivery) uuid.UUID {
	switch {
	case !d.To.Peer && !fromPayment(d):
		return d.To.Reference
	case !d.From.Peer:
		return d.From.Reference
	}
	return pairReference(d.From.Account, d.To.Account)
}

func pairReference(from, to uuid.UUID) uuid.UUID {
	return uuid.NewSHA1(pairSpace, append(from[:], to[:]...))
}

func codeOf(d connector.Delivery) uint16 {
	switch {
	case !d.To.Peer:
		return CodeArrived
	case !d.From.Peer:
		return CodeSent
	}
	return CodeForwarded
}

// legsOf returns all legs of a packet: of its money, of the allowance that it uses,
// and of the cap of the request that it pays.
func legsOf(d connector.Delivery) ([]leg, error) {
	legs, err := moneyLegs(d)
	if a := d.Authority; a != nil {
		used := usedAccount(ledger.Asset(a.Asset))
		legs = append(legs, leg{reference: d.From.Reference, debit: a.Account, via: used, to: used, amount: a.Amount, code: CodeUsed})
	}
	return append(legs, capLegs(d)...), err
}

// moves moves each leg of a packet. It looks nothing up: a packet's end must not fail
// for that.
func moves(d connector.Delivery, move func(leg) ledger.Command) (ledger.Chain, error) {
	legs, err := legsOf(d)
	var chain ledger.Chain
	for _, l := range legs {
		chain = append(chain, move(l))
	}
	return chain, err
}

// firstMoves is how a packet begins: the allowance that it uses is opened before.
func (b *Books) firstMoves(ctx context.Context, d connector.Delivery, move func(leg) ledger.Command) (ledger.Chain, error) {
	chain, err := moves(d, move)
	if err != nil || d.Authority == nil {
		return chain, err
	}
	opening, err := b.authorities.opening(ctx, d.From.Reference, *d.Authority)
	return append(ledger.Chain{opening}, chain...), err
}
