package connector

import (
	"fmt"
	"math"
	"strings"

	"pochi/ilp"
	"pochi/ilp/address"
)

// Peer is another node: what it may do here, and where packets to it go. Amounts are in units of Asset; 0 is no limit.
type Peer struct {
	ID   [16]byte
	Name string // for logs and messages
	// Address is the peer's own, and a route to it.
	Address address.Address
	// Account is where its balance is kept, in Asset, which is what amounts on the link count.
	Account [16]byte
	Asset   ilp.Asset
	// Routes are further prefixes of what lies behind it, also bare schemes. Default makes it the uplink: it gets everything
	// that has no other route.
	Routes  []address.Address
	Default bool
	// MaxPacket is the largest packet that it may send; never more than MaxInFlightValue or Throughput.
	MaxPacket uint64
	// RateLimit is how many packets it may send in a second.
	RateLimit uint64
	// Throughput is how much it may send in a second.
	Throughput uint64
	// MaxInFlightValue and MaxInFlightCount are how much, and how many packets, may be in flight from it, and as much again to
	// it, of which one other peer may have half, and so may all apps together.
	MaxInFlightValue uint64
	MaxInFlightCount uint64 // 0 is 512
	// InDoubt is how much went to it that may have arrived though the answers were lost. Until that is settled it counts as in
	// flight to the peer. SetInDoubt changes it alone.
	InDoubt uint64
	// Link is where packets to it go; nil if it takes none.
	Link Link
}

// inFlight returns the limits of what may be in flight in each direction.
func (p *Peer) inFlight() (count, value uint64) {
	if count = p.MaxInFlightCount; count == 0 {
		count = defaultInFlight
	}
	if value = p.MaxInFlightValue; value == 0 {
		value = math.MaxUint64
	}
	return count, value
}

// maxPacket returns the largest packet that may come from it. One that is larger than what may be in flight, or come in a second,
// would never pass: its sender is told so, and needn't find it out.
func (p *Peer) maxPacket() uint64 {
	_, most := p.inFlight()
	for _, limit := range [...]uint64{p.MaxPacket, p.Throughput} {
		if limit > 0 {
			most = min(most, limit)
		}
	}
	return most
}

// peer is a Peer and what is going on with it, which outlives changes to it.
type peer struct {
	Peer
	*traffic
}

// traffic is what counts against a peer's limits.
type traffic struct {
	in, out       flights
	packets, flow bucket
	warned        reminder // of its credit
}

// table is all peers at one time. It is never changed.
type table struct {
	byID    map[[16]byte]*peer
	routes  map[address.Address]*peer
	longest int // route, in bytes
	uplink  *peer
}

// SetPeers replaces all peers, for every packet from now on: those that are under way end as they began. It fails, and changes
// nothing, as CheckPeers says.
func (c *Connector) SetPeers(peers []Peer) error {
	c.setting.Lock()
	defer c.setting.Unlock()
	t, err := newTable(peers, c.trafficOf)
	if err != nil {
		return err
	}
	for _, p := range t.byID {
		p.out.setDoubt(p.InDoubt)
	}
	c.peers.Store(t)
	return nil
}

// CheckPeers says why SetPeers would fail: two peers have the same id or route, or both are the uplink.
func CheckPeers(peers []Peer) error {
	_, err := newTable(peers, func([16]byte) *traffic { return nil })
	return err
}

func newTable(peers []Peer, trafficOf func(id [16]byte) *traffic) (*table, error) {
	t := &table{byID: make(map[[16]byte]*peer, len(peers)), routes: make(map[address.Address]*peer, len(peers))}
	for _, p := range peers {
		if err := t.add(&peer{p, trafficOf(p.ID)}); err != nil {
			return nil, fmt.Errorf("connector: peer %q: %w", p.Name, err)
		}
	}
	return t, nil
}

// SetInDoubt changes a peer's InDoubt, for every packet from now on. Nothing happens if there is no such peer.
func (c *Connector) SetInDoubt(peer [16]byte, amount uint64) {
	c.setting.Lock()
	defer c.setting.Unlock()
	if p := c.peers.Load().byID[peer]; p != nil {
		p.out.setDoubt(amount)
	}
}

// trafficOf returns what is going on with a peer that is there already.
func (c *Connector) trafficOf(id [16]byte) *traffic {
	if p := c.peers.Load().byID[id]; p != nil {
		return p.traffic
	}
	return new(traffic)
}

func (t *table) add(p *peer) error {
	if t.byID[p.ID] != nil {
		return fmt.Errorf("its id is that of %q", t.byID[p.ID].Name)
	}
	t.byID[p.ID] = p
	for _, prefix := range append([]address.Address{p.Address}, p.Routes...) {
		if other := t.routes[prefix]; other != nil && other != p {
			return fmt.Errorf("its route %s is that of %q", prefix, other.Name)
		}
		t.routes[prefix] = p
		t.longest = max(t.longest, len(prefix))
	}
	if p.Default {
		if t.uplink != nil {
			return fmt.Errorf("%q is the uplink already", t.uplink.Name)
		}
		t.uplink = p
	}
	return nil
}

// route returns the peer with the longest prefix of a destination, in whole segments, and the prefix; or the uplink, if there is
// one, and "".
func (t *table) route(to address.Address) (*peer, address.Address) {
	prefix := to
	if len(prefix) > t.longest {
		cut := strings.LastIndexByte(string(prefix[:t.longest+1]), '.')
		prefix = prefix[:max(cut, 0)]
	}
	for prefix != "" {
		if p := t.routes[prefix]; p != nil {
			return p, prefix
		}
		prefix = prefix[:max(strings.LastIndexByte(string(prefix), '.'), 0)]
	}
	return t.uplink, ""
}
