package connector

import "pochi/ilp"

// Sender is who is at the other end of a link. FromWallet, FromPeer and FromAgreement make one.
type Sender struct {
	kind  senderKind
	id    [16]byte // of the peer, or of the agreement
	party Party    // if it is the wallet itself
}

type senderKind uint8

const (
	nobody senderKind = iota
	wallet
	peerNode
	agreement
)

// FromWallet is the wallet itself, paying from one of its accounts for a reference, such as an outgoing payment. With the zero
// reference it only asks what would arrive: its packets must be such that nobody can fulfill them, and nothing is set aside for
// them.
func FromWallet(account [16]byte, asset ilp.Asset, reference [16]byte) Sender {
	return Sender{kind: wallet, party: Party{Account: account, Asset: asset, Reference: reference}}
}

// FromPeer is the peer with this id, whose token was checked.
func FromPeer(id [16]byte) Sender { return Sender{kind: peerNode, id: id} }

// FromAgreement is the holder of a token for the agreement with this id, which was checked.
func FromAgreement(id [16]byte) Sender { return Sender{kind: agreement, id: id} }

// probing reports whether the sender only asks.
func (s Sender) probing() bool { return s.kind == wallet && s.party.Reference == [16]byte{} }
