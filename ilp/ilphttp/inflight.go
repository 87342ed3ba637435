package ilphttp

import (
	"context"
	"sync"

	"pochi/ilp/packet"
)

// inFlight counts the packets that are worked on, in all and by peer. It remembers only peers that have some.
type inFlight struct {
	share int // of each peer, that no other can take away

	mu    sync.Mutex
	all   int
	shut  bool
	peers map[[16]byte]int
	none  chan struct{} // closed when there are none left; nil while nobody waits
}

// admission is the answer to a packet that wants to begin.
type admission int

const (
	admitted admission = iota
	peerFull
	allFull
	stopping
)

// refusal is what a peer is told whose packet isn't admitted.
func (a admission) refusal() (code packet.Code, message string) {
	switch a {
	case peerFull:
		return packet.RateLimited, "Too many of your packets are in flight. Send fewer at once."
	case allFull:
		return packet.ConnectorBusy, "Too many packets are in flight. Try again later."
	}
	return packet.InternalError, "This wallet is stopping. Try again later."
}

// close lets nothing begin any more.
func (f *inFlight) close() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.shut = true
}

// begin counts a packet in, unless that makes more than maxPeer of the peer or maxAll. The peer's share passes however many others
// have.
func (f *inFlight) begin(peer [16]byte, maxPeer, maxAll int) admission {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case f.shut:
		return stopping
	case f.peers[peer] >= maxPeer:
		return peerFull
	case f.all >= maxAll && f.peers[peer] >= f.share:
		return allFull
	}
	if f.peers == nil {
		f.peers = make(map[[16]byte]int)
	}
	f.all++
	f.peers[peer]++
	return admitted
}

func (f *inFlight) end(peer [16]byte) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.all--
	if f.peers[peer]--; f.peers[peer] == 0 {
		delete(f.peers, peer)
	}
	if f.all == 0 && f.none != nil {
		close(f.none)
		f.none = nil
	}
}

// wait returns when nothing is in flight, or with the context's error.
func (f *inFlight) wait(ctx context.Context) error {
	f.mu.Lock()
	if f.all == 0 {
		f.mu.Unlock()
		return nil
	}
	if f.none == nil {
		f.none = make(chan struct{})
	}
	none := f.none
	f.mu.Unlock()
	select {
	case <-none:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
