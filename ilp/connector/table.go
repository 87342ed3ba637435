package connector

import (
	"strings"

	"pochi/ilp/address"
)

// Table maps prefixes of addresses to next hops, by whole segments: the prefix "g.a" holds "g.a.b" and not "g.ab". The
// empty prefix is the default route. The zero Table is empty.
type Table[H any] struct {
	hops map[address.Address]H
	// longest is the length of the longest prefix: nothing longer is looked up.
	longest int
}

// Add sets the next hop of a prefix.
func (t *Table[H]) Add(prefix address.Address, next H) {
	if t.hops == nil {
		t.hops = make(map[address.Address]H)
	}
	t.hops[prefix] = next
	t.longest = max(t.longest, len(prefix))
}

// Lookup returns the next hop of the longest prefix of an address, and false if there is none.
func (t *Table[H]) Lookup(a address.Address) (next H, ok bool) {
	for {
		if len(a) <= t.longest {
			if next, ok = t.hops[a]; ok || a == "" {
				return next, ok
			}
		}
		a = a[:max(0, strings.LastIndexByte(string(a), '.'))]
	}
}
