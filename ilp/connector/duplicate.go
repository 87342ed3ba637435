package connector

import (
	"context"
	"sync"

	"pochi/ilp/packet"
)

// duplicate refuses a packet that is equal to one on its way through this node but for what nodes may change, amount and
// expiry: it went round a loop, or is sent twice at once. There is no hop count that would end a loop (interledger/rfcs#330). A
// packet that comes again after the first has ended is another packet.
func (c *Connector) duplicate(_ context.Context, t *Transit) packet.Reply {
	identity := t.Packet.Identity()
	key := [16]byte(identity[:16])
	if !c.passing.begin(key) {
		return c.reject(packet.Unreachable, "This very packet is on its way through this wallet already: it went round a loop, or was sent twice.")
	}
	t.onEnd(func() { c.passing.end(key) })
	return nil
}

// passing is the packets that are under way. Its zero value is empty.
type passing struct {
	mu   sync.Mutex
	keys map[[16]byte]struct{}
}

func (p *passing) begin(key [16]byte) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, there := p.keys[key]; there {
		return false
	}
	if p.keys == nil {
		p.keys = make(map[[16]byte]struct{})
	}
	p.keys[key] = struct{}{}
	return true
}

func (p *passing) end(key [16]byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.keys, key)
}
