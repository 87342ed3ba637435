package admin

import (
	"cmp"
	"log/slog"
	"time"

	"pochi/app/peers"
	"pochi/ilp/address"
	"pochi/ilp/packet"

	"github.com/google/uuid"
)

// Peer is another node, with what it and this wallet owe each other. Amounts
// are in the smallest unit of its asset, as texts, since many a reader of JSON
// rounds large numbers. Limits of 0 are none, but for the credit limit, and for
// the packets in flight, where the wallet then sees to it itself.
type Peer struct {
	Name             string            `json:"name"`
	ID               uuid.UUID         `json:"id"` // its account's, too
	Address          address.Address   `json:"ilpAddress"`
	Asset            string            `json:"asset"` // USD/2
	OutgoingURL      string            `json:"outgoingUrl"`
	HasOutgoingToken bool              `json:"hasOutgoingToken"`
	Async            bool              `json:"async"`
	CallbackURL      string            `json:"callbackUrl"`
	Tokens           PeerTokens        `json:"tokens"`
	Routes           []address.Address `json:"routes"` // besides its own address
	Default          bool              `json:"defaultRoute"`
	MaxPacket        uint64            `json:"maxPacket,string"`
	RateLimit        uint64            `json:"rateLimit"`         // packets a second
	Throughput       uint64            `json:"throughput,string"` // a second
	MaxInFlightValue uint64            `json:"maxInFlightValue,string"`
	MaxInFlightCount uint64            `json:"maxInFlightCount"`
	CreditLimit      uint64            `json:"creditLimit,string"`
	OwedToPeer       uint64            `json:"owedToPeer,string"`
	OwedByPeer       uint64            `json:"owedByPeer,string"`
	InFlight         PeerInFlight      `json:"inFlight"`
	InSuspense       int               `json:"inSuspense"` // items; see suspense list
	InDoubt          PeerInDoubt       `json:"inDoubt"`
	CreatedAt        time.Time         `json:"createdAt"`
	RemovedAt        *time.Time        `json:"removedAt,omitempty"`
	Settlement       *uuid.UUID        `json:"settlement,omitempty"` // the one that was asked for
	Repeated         bool              `json:"repeated,omitempty"`   // the command was done before; nothing was done now

	changed []peers.Difference // for the log
}

// record implements recorder.
func (p Peer) record() []any {
	changes := make([]any, len(p.changed))
	for i, d := range p.changed {
		changes[i] = slog.String(d.Term, cmp.Or(d.From, "none")+" → "+cmp.Or(d.To, "none"))
	}
	out := []any{slog.Any("peer", p.ID), slog.Group("changed", changes...)}
	if p.Settlement != nil {
		out = append(out, slog.Any("settlement", p.Settlement))
	}
	return out
}

// PeerTokens tells the tokens that a peer calls with apart.
type PeerTokens struct {
	Count  int      `json:"count"`
	Hashes []string `json:"hashes"` // the first 8 hex digits of their SHA-256
}

// PeerInFlight is what packets that haven't ended carry.
type PeerInFlight struct {
	FromPeer uint64 `json:"fromPeer,string"`
	ToPeer   uint64 `json:"toPeer,string"`
}

// PeerInDoubt is what packets carried whose answers were lost: this wallet owes
// nothing for them, but the peer may say that it fulfilled them in time.
type PeerInDoubt struct {
	Count  int    `json:"count"`
	Amount uint64 `json:"amount,string"`
}

func newPeer(s peers.Standing) Peer {
	out := Peer{
		Name: s.Name, ID: s.ID, Address: s.Address, Asset: s.Asset.String(), OutgoingURL: s.OutgoingURL, HasOutgoingToken: s.OutgoingToken != "",
		Async: s.Async, CallbackURL: s.CallbackURL,
		Tokens: PeerTokens{Count: len(s.Tokens), Hashes: []string{}}, Routes: append([]address.Address{}, s.Routes...), Default: s.Default,
		MaxPacket: s.MaxPacket, RateLimit: s.RateLimit, Throughput: s.Throughput,
		MaxInFlightValue: s.MaxInFlightValue, MaxInFlightCount: s.MaxInFlightCount,
		CreditLimit: s.CreditLimit, OwedToPeer: s.OwedToPeer, OwedByPeer: s.OwedByPeer,
		InFlight: PeerInFlight{s.FromInFlight, s.ToInFlight}, InSuspense: s.Suspense, InDoubt: PeerInDoubt{s.Doubts, s.DoubtAmount},
		CreatedAt: s.CreatedAt,
	}
	for _, hash := range s.Tokens {
		out.Tokens.Hashes = append(out.Tokens.Hashes, peers.ShortHash(hash))
	}
	if !s.RemovedAt.IsZero() {
		out.RemovedAt = &s.RemovedAt
	}
	return out
}

// Pong is what a ping found. The packet to the peer's own address carried
// nothing, so that a right answer to it is a refusal.
type Pong struct {
	Name            string      `json:"name"`
	Reachable       bool        `json:"reachable"`
	OK              bool        `json:"ok"` // nothing is wrong
	RoundTripMS     float64     `json:"roundTripMs"`
	Answer          *PongAnswer `json:"answer,omitempty"`
	ILDCP           *PongConfig `json:"ildcp,omitempty"`           // when it answered that
	AssetMismatch   string      `json:"assetMismatch,omitempty"`   // what is wrong
	AddressMismatch string      `json:"addressMismatch,omitempty"` // what is wrong
	Warning         string      `json:"warning,omitempty"`         // what may be wrong
}

// PongAnswer is how a peer refuses a packet to its own address.
type PongAnswer struct {
	Code        packet.Code     `json:"code"`
	TriggeredBy address.Address `json:"triggeredBy"`
	Message     string          `json:"message"`
}

// PongConfig is what a peer says about the link.
type PongConfig struct {
	Address address.Address `json:"address"` // that it gave this wallet
	Asset   string          `json:"asset"`
}

func newPong(peer peers.Peer, p peers.Pong) Pong {
	out := Pong{
		Name: peer.Name, Reachable: true, RoundTripMS: float64(p.RoundTrip.Microseconds()) / 1000,
		AssetMismatch: p.AssetMismatch(peer), AddressMismatch: p.AddressMismatch(peer), Warning: p.Warning(peer),
	}
	out.OK = out.AssetMismatch == "" && out.AddressMismatch == ""
	if p.Code != "" {
		out.Answer = &PongAnswer{p.Code, p.TriggeredBy, p.Message}
	}
	if p.Config != nil {
		out.ILDCP = &PongConfig{p.Config.Address, p.Config.Asset.String()}
	}
	return out
}
