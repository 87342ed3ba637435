package connector

import "sync"

// defaultInFlight is how many packets may be in flight in one direction where nothing else was agreed.
const defaultInFlight = 512

// flights is what is in flight between this node and a peer in one direction.
type flights struct {
	mu    sync.Mutex
	all   load
	doubt uint64          // value that may have arrived though the answer was lost
	of    map[sharer]load // of all, what is in flight for those that share
}

// load is packets and what they carry.
type load struct{ count, value uint64 }

// sharer is one of those that may have no more than half of what is in flight to a peer: another peer, by its id, or all apps
// together. The zero value is nobody: the wallet's own payments have places of their own.
type sharer struct {
	peer [16]byte
	apps bool
}

func (s sharer) nobody() bool { return s == sharer{} }

// bound is what keeps a packet from being in flight.
type bound int

const (
	unbound  bound = iota
	tooMany        // packets
	tooMuch        // money
	doubtful       // money, with what is in doubt
)

func (f *flights) setDoubt(amount uint64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.doubt = amount
}

// begin counts a packet in, unless one of amount makes more than the limits of p, whose flights these are, allow. It says which
// limit is met. What counts from then on is what it carries. A packet that somebody sent who shares counts against their half,
// too.
func (f *flights) begin(amount, carried uint64, p *Peer, by sharer) bound {
	maxCount, maxValue := p.inFlight()
	f.mu.Lock()
	defer f.mu.Unlock()
	met := f.all.met(amount, maxCount, maxValue)
	if met == unbound && !by.nobody() {
		met = f.of[by].met(amount, half(maxCount), half(maxValue))
	}
	switch {
	case met != unbound:
		return met
	case amount > 0 && f.doubt > maxValue-amount-f.all.value:
		return doubtful
	}
	f.all = f.all.plus(carried)
	if !by.nobody() {
		if f.of == nil {
			f.of = make(map[sharer]load)
		}
		f.of[by] = f.of[by].plus(carried)
	}
	return unbound
}

// half rounds up: one packet always has room.
func half(n uint64) uint64 { return n - n/2 }

// met returns which limit one more packet of amount would exceed. Of one without money nothing can be lost.
func (l load) met(amount, maxCount, maxValue uint64) bound {
	switch {
	case l.count >= maxCount:
		return tooMany
	case amount > 0 && (amount > maxValue || l.value > maxValue-amount):
		return tooMuch
	}
	return unbound
}

func (l load) plus(carried uint64) load { return load{l.count + 1, l.value + carried} }

func (l load) less(carried uint64) load { return load{l.count - 1, l.value - carried} }

func (f *flights) end(carried uint64, by sharer) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.all = f.all.less(carried)
	if by.nobody() {
		return
	}
	if f.of[by] = f.of[by].less(carried); f.of[by].count == 0 {
		delete(f.of, by)
	}
}
