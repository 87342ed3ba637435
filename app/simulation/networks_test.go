package simulation

import (
	"fmt"
	"slices"
	"strings"

	"github.com/google/go-cmp/cmp"

	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"testing/synctest"
)

// The variables that say which networks there are, and how many.
const (
	seedEnv  = "POCHI_SIM_SEED"
	countEnv = "POCHI_SIM_COUNT"
)

// perNetwork is how many payments a network has.
const perNetwork = 50

// seeds returns what to try: one seed if it was asked for, else so many, other ones each time.
func seeds(t *testing.T, count int) []uint64 {
	t.Helper()
	if text := os.Getenv(seedEnv); text != "" {
		seed, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		return []uint64{seed}
	}
	if n, err := strconv.Atoi(os.Getenv(countEnv)); err == nil {
		count = n
	}
	first := rand.Uint64N(1 << 40)
	out := make([]uint64, count)
	for i := range out {
		out[i] = first + uint64(i)
	}
	return out
}

// Payments through networks of connectors, with all kinds of trouble on the way: see visit_test.go for what is true of each
// packet, and sums_test.go for what is true in the end.
func TestNetworks(t *testing.T) {
	counts := map[string]int{}
	for _, seed := range seeds(t, 40) {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, seed, perNetwork)
			w.run()
			w.compare()
			for what, n := range w.counts {
				counts[what] += n
			}
		})
		if t.Failed() {
			t.Fatalf("%s=%d", seedEnv, seed)
		}
	}
	t.Log(table(counts))
	for _, f := range fates {
		if counts["packet: "+string(f)] == 0 && os.Getenv(seedEnv) == "" {
			t.Errorf("no packet met this: %s", f)
		}
	}
}

// A seed makes the same network again, to the packet and the nanosecond: else it would be of no use to print it.
func TestSeedMakesTheSameNetwork(t *testing.T) {
	few := seeds(t, 3)
	for _, seed := range few[:min(3, len(few))] {
		var first, second string
		for _, diary := range []*string{&first, &second} {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, seed, perNetwork)
				w.run()
				*diary = w.diary()
			})
		}
		if first != second {
			t.Fatalf("%s=%d: two runs differ: %s", seedEnv, seed, cmp.Diff(strings.Split(first, "\n"), strings.Split(second, "\n")))
		}
	}
}

// diary is all visits of all packets.
func (w *world) diary() string {
	var lines []string
	for _, n := range w.nodes {
		for _, v := range n.visited {
			lines = append(lines, fmt.Sprintf("%s %x %d from %v to %v %s %t", n.name, v.condition[:4], v.amount, v.began.UnixNano(), v.ended.UnixNano(), v.state, v.doubt != ""))
		}
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}
