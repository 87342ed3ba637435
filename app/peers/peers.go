// Package peers keeps the other nodes that this one exchanges packets with:
// who they are, how they prove it, where they take packets, what they may do,
// and what they and this wallet owe each other. All of it may change while the
// wallet runs.
//
// What a peer owes and is owed is its account in the ledger, under the peer's
// own id; its asset and its credit limit are that account's. Every other amount
// here is in the smallest unit of that asset, too.
package peers

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"pochi/db"
	"pochi/ilp/address"
	"pochi/ilp/ilphttp"
	"pochi/ledger"

	"github.com/google/uuid"
)

// Bounds of what there may be.
const (
	PeersMax  = 1000
	TokensMax = 8   // of one peer, that it calls with
	RoutesMax = 100 // of one peer
)

// Token is a bearer token. It is never shown: fmt and slog write a placeholder.
type Token string

// String returns a placeholder.
func (Token) String() string { return "(secret)" }

// GoString returns a placeholder.
func (Token) GoString() string { return "(secret)" }

// Peer is what the wallet needs to exchange packets with a peer. A limit of 0
// is none, but for MaxInFlightCount, where it is the connector's own.
type Peer struct {
	ID               uuid.UUID // its account's, too
	Name             string
	Address          address.Address     // the way there is a route of its own
	Asset            ledger.Asset        // what amounts on the link count
	Routes           []address.Address   // further prefixes that it is the way to
	Default          bool                // the way to whatever nobody has a route to
	Tokens           []ilphttp.TokenHash // it calls with one of these
	OutgoingURL      string              // where it takes packets; empty when it takes none
	OutgoingToken    Token
	Async            bool   // it answers our packets in callbacks
	CallbackURL      string // where it takes the replies to its own; empty when in the response
	MaxPacket        uint64 // units
	RateLimit        uint64 // packets a second from it
	Throughput       uint64 // units a second from it
	MaxInFlightValue uint64 // units, each direction apart
	MaxInFlightCount uint64 // packets, each direction apart
	CreatedAt        time.Time
}

// Ledger is what this package needs of the ledger.
type Ledger interface {
	Submit(ctx context.Context, chain ledger.Chain, rows func(db.Tx) error) error
	OpenAsset(ctx context.Context, asset ledger.Asset, exchangeLimit uint64) (uint32, error)
}

// Config says what a Service works with. All fields but CallbackURL are required.
type Config struct {
	DB     *db.DB
	Ledger Ledger
	// Own is this node's address.
	Own address.Address
	// ExchangeLimit is how much the wallet may owe from exchanging an asset.
	ExchangeLimit func(ledger.Asset) (uint64, error)
	// Production refuses what is convenient on a laptop: peers on this machine,
	// short tokens.
	Production bool
	// HTTP is how peers are pinged. Without its Pending, when nobody listens for
	// callbacks, those that answer in callbacks can't be.
	HTTP *ilphttp.Client
	// CallbackURL is where peers reach the wallet, when it runs, with callbacks;
	// empty when they can't.
	CallbackURL string
	Now         func() time.Time
}

// Service changes peers. It is safe for concurrent use.
type Service struct {
	Config

	mu      sync.Mutex // one change at a time, until whoever runs on peers knows
	prepare func([]Peer) (use func(), err error)
}

// New returns the service.
func New(cfg Config) *Service {
	return &Service{Config: cfg, prepare: func([]Peer) (func(), error) { return func() {}, nil }}
}

// Start opens the peers' assets with the limits of now and has all peers used,
// unless one of them can't be with this node's address of now: at once, and then
// after each commit that changes any of them, before whoever asked for that
// change is answered. Before each commit prepare is told what the peers are to
// be: it refuses what can't be used, or returns what uses it. Calls don't
// overlap, and what they are given is theirs.
func (s *Service) Start(ctx context.Context, prepare func([]Peer) (use func(), err error)) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	all, err := Load(ctx, s.DB.Read)
	if err != nil {
		return err
	}
	for _, p := range all {
		if err := s.checkOwn(p); err != nil {
			return err
		}
		if err := s.setExchangeLimit(ctx, p); err != nil {
			return err
		}
	}
	use, err := prepare(all)
	if err != nil {
		return fmt.Errorf("the peers in the database can't be used: %w", err)
	}
	s.prepare = prepare
	use()
	return nil
}

// checkOwn says why a peer that was added under another address of this node
// can't be one under the address of now.
func (s *Service) checkOwn(p Peer) error {
	_, defect := s.parseAddress(string(p.Address))
	for i := 0; i < len(p.Routes) && defect == ""; i++ {
		_, defect = s.parsePrefix(string(p.Routes[i]))
	}
	if defect == "" {
		return nil
	}
	return fmt.Errorf("POCHI_ILP_ADDRESS is %s, with which %s can't be a peer: %s Change one of the two: "+
		"pochi admin peer update %s --ilp-address A (or --routes)", s.Own, p.Name, defect, p.Name)
}

func (s *Service) setExchangeLimit(ctx context.Context, p Peer) error {
	limit, err := s.ExchangeLimit(p.Asset)
	if err == nil {
		_, err = s.Ledger.OpenAsset(ctx, p.Asset, limit)
	}
	if err != nil {
		return fmt.Errorf("peer %s: %w", p.Name, err)
	}
	return nil
}

// commit makes a change durable, unless the peers couldn't be used then, and has
// them used. The caller has mu.
func (s *Service) commit(ctx context.Context, chain ledger.Chain, rows func(db.Tx) error, now []Peer) error {
	use, err := s.prepare(now)
	if err != nil {
		return fmt.Errorf("nothing was changed, since it couldn't be used: %w", err)
	}
	if err := s.Ledger.Submit(ctx, chain, rows); err != nil {
		return err
	}
	use()
	return nil
}

// others returns all peers but one.
func others(all []Peer, id uuid.UUID) []Peer {
	return slices.DeleteFunc(slices.Clone(all), func(p Peer) bool { return p.ID == id })
}

// sorted puts peers into the order of Load.
func sorted(all []Peer) []Peer {
	slices.SortFunc(all, func(a, b Peer) int { return slices.Compare(a.ID[:], b.ID[:]) })
	return all
}
