package simulation

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pochi/ilp"
	"pochi/ilp/connector"
)

// world is a network. All of it comes from its seed: each part, and each packet at each place, has dice of its own, so what one
// draws doesn't depend on what others do.
type world struct {
	t    *testing.T
	seed uint64

	trouble  int           // of 1,000 packets so many meet a fault at each place
	latency  time.Duration // of a link, at most
	span     time.Duration // in which payments begin
	skews    bool          // clocks differ
	slowDisk bool
	nodes    []*node
	wires    []*wire
	payments []*payment

	mu       sync.Mutex
	failures int
	counts   map[string]int
}

func newWorld(t *testing.T, seed uint64, payments int) *world {
	w := &world{t: t, seed: seed, counts: map[string]int{}}
	dice := w.dice("world")
	w.trouble = []int{0, 10, 50, 200}[dice.IntN(4)]
	w.latency = []time.Duration{time.Millisecond, 50 * time.Millisecond, 2 * time.Second}[dice.IntN(3)]
	w.span = time.Duration(1+dice.IntN(30)) * time.Second
	w.skews, w.slowDisk = dice.IntN(3) == 0, dice.IntN(2) == 0
	size, triangle := 2+dice.IntN(3), false
	if size == 3 {
		triangle = dice.IntN(2) == 0
	}
	for i := range size {
		w.nodes = append(w.nodes, newNode(w, string(rune('a'+i))))
	}
	for i := range size - 1 {
		w.join(w.nodes[i], w.nodes[i+1])
	}
	if triangle {
		w.join(w.nodes[2], w.nodes[0])
	}
	w.routes(triangle)
	for i := range payments {
		w.payments = append(w.payments, newPayment(w, i))
	}
	return w
}

// dice returns what a part of the world draws with.
func (w *world) dice(what string, more ...[]byte) *rand.Rand {
	h := sha256.New()
	_ = binary.Write(h, binary.BigEndian, w.seed)
	h.Write([]byte(what))
	for _, m := range more {
		h.Write(m)
	}
	sum := h.Sum(nil)
	return rand.New(rand.NewPCG(binary.BigEndian.Uint64(sum), binary.BigEndian.Uint64(sum[8:])))
}

func (w *world) chacha(what string) *rand.ChaCha8 {
	return rand.NewChaCha8(sha256.Sum256(fmt.Appendf(nil, "%d %s", w.seed, what)))
}

// join makes two nodes peers.
func (w *world) join(a, b *node) {
	dice := w.dice("join " + a.name + b.name)
	asset := assets[dice.IntN(len(assets))]
	atA, atB := id{0: 0xbb, 1: a.name[0], 2: b.name[0]}, id{0: 0xbb, 1: b.name[0], 2: a.name[0]}
	credit := []uint64{1 << 60, 1 << 60, 1 << 20}[dice.IntN(3)]
	a.books.open(atA, asset, credit)
	b.books.open(atB, asset, credit)
	ab := &wire{world: w, from: a, to: b, at: atA, back: atB, name: a.name + b.name}
	ba := &wire{world: w, from: b, to: a, at: atB, back: atA, name: b.name + a.name}
	w.wires = append(w.wires, ab, ba)
	a.peers = append(a.peers, w.terms(dice, asset, ab))
	b.peers = append(b.peers, w.terms(dice, asset, ba))
}

// terms are on what a node exchanges packets with a peer.
func (w *world) terms(dice *rand.Rand, asset ilp.Asset, to *wire) connector.Peer {
	p := connector.Peer{ID: to.at, Name: to.to.name, Address: to.to.address, Account: to.at, Asset: asset, Link: to}
	limit := func(least, most int) uint64 { // or none
		return 1 << (least + dice.IntN(most-least)) * dice.Uint64N(2)
	}
	p.MaxPacket, p.MaxInFlightValue, p.Throughput = limit(10, 24), limit(12, 30), limit(16, 34)
	p.RateLimit, p.MaxInFlightCount = 20*dice.Uint64N(3)*dice.Uint64N(2), 4*dice.Uint64N(4)
	return p
}

// routes gives each node the ways to all others. In a chain that is a matter of the side; in a triangle each has a default
// route to the next, all in one direction: what has no route goes round.
func (w *world) routes(triangle bool) {
	for i, n := range w.nodes {
		for j := range n.peers {
			p := &n.peers[j]
			p.Routes = append(p.Routes, p.Address+".with.a.longer.way") // so that not all are of one length
			if triangle {
				p.Default = p.Link.(*wire).to == w.nodes[(i+1)%len(w.nodes)]
				continue
			}
			next := slices.Index(w.nodes, p.Link.(*wire).to)
			for k, far := range w.nodes {
				if (next < i) == (k < i) && k != i && k != next {
					p.Routes = append(p.Routes, far.address)
				}
			}
			p.Default = next > i
		}
		n.setPeers(func(all []connector.Peer) []connector.Peer { return all })
	}
}

// run has all payments made while the world changes, and returns when nothing moves any more.
func (w *world) run() {
	var all sync.WaitGroup
	for _, p := range w.payments {
		all.Go(func() { p.pay(w) })
	}
	all.Go(w.change)
	all.Wait()
	time.Sleep(5 * time.Minute) // what links repeat, and answers that nobody waits for
	synctest.Wait()
	w.trouble = 0
	for _, wire := range w.wires {
		wire.tryAll()
	}
	time.Sleep(5 * time.Minute)
	synctest.Wait()
}

// change changes rates and peers, until all payments have begun.
func (w *world) change() {
	dice := w.dice("change")
	for end := time.Now().Add(w.span); time.Now().Before(end); {
		time.Sleep(time.Duration(1 + dice.Int64N(int64(3*time.Second))))
		n := w.nodes[dice.IntN(len(w.nodes))]
		switch k := dice.IntN(len(n.peers)); dice.IntN(5) {
		case 0, 1:
			n.market.shift(assets[dice.IntN(len(assets))].Code, dice.Int64N(21)-10)
		case 2:
			if w.trouble > 0 {
				n.market.setStale(true)
				time.Sleep(time.Duration(dice.Int64N(int64(time.Second))))
				n.market.setStale(false)
			}
		case 3: // other limits
			n.setPeers(func(all []connector.Peer) []connector.Peer {
				next := w.terms(dice, all[k].Asset, all[k].Link.(*wire))
				next.Routes, next.Default = all[k].Routes, all[k].Default
				all[k] = next
				return all
			})
		case 4: // it is gone for a while
			if w.trouble == 0 {
				continue
			}
			var gone connector.Peer
			n.setPeers(func(all []connector.Peer) []connector.Peer { gone = all[k]; return slices.Delete(all, k, k+1) })
			time.Sleep(time.Duration(dice.Int64N(int64(2 * time.Second))))
			n.setPeers(func(all []connector.Peer) []connector.Peer { return slices.Insert(all, k, gone) })
			gone.Link.(*wire).forget()
		}
	}
}

// enough is how many failures of a world are told.
const enough = 10

func (w *world) failf(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.failures++; w.failures <= enough {
		w.t.Errorf("seed %d: %s", w.seed, fmt.Sprintf(format, args...))
	}
}

// count counts what happened, to see that all that can happen does.
func (w *world) count(what string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.counts[what]++
}

// table is counts in lines.
func table(counts map[string]int) string {
	var b strings.Builder
	for _, what := range slices.Sorted(maps.Keys(counts)) {
		fmt.Fprintf(&b, "\n%8d  %s", counts[what], what)
	}
	return b.String()
}
