package connector

import "sync"

// defaultInFlight is how many packets may be in flight in one direction where nothing else was agreed.
const defaultInFlight = 512

// flights is what is in flight between this node and a peer in one direction.
type flights struct {
	mu           sync.Mutex
	count, value uint64
	doubt        uint64              // value that may have arrived though the answer was lost
	from         map[[16]byte]uint64 // of count, what came from another peer
}

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
// limit is met. What counts from then on is what it carries. A packet that another peer sent counts against that one's half, too.
func (f *flights) begin(amount, carried uint64, p *Peer, from *peer) bound {
	maxCount, maxValue := p.inFlight()
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case f.count >= maxCount, from != nil && f.from[from.ID] >= (maxCount+1)/2:
		return tooMany
	case amount == 0: // nothing can be lost
	case amount > maxValue || f.value > maxValue-amount:
		return tooMuch
	case f.doubt > maxValue-amount-f.value:
		return doubtful
	}
	f.count++
	f.value += carried
	if from != nil {
		if f.from == nil {
			f.from = make(map[[16]byte]uint64)
		}
		f.from[from.ID]++
	}
	return unbound
}

func (f *flights) end(carried uint64, from *peer) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.count--
	f.value -= carried
	if from == nil {
		return
	}
	if f.from[from.ID]--; f.from[from.ID] == 0 {
		delete(f.from, from.ID)
	}
}
