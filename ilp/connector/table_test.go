package connector_test

import (
	"testing"

	"pochi/ilp/address"
	"pochi/ilp/connector"
)

func TestTable(t *testing.T) {
	var table connector.Table[string]
	if next, ok := table.Lookup("g.a"); ok {
		t.Errorf("an empty table leads to %q", next)
	}
	for _, prefix := range []address.Address{"g.a", "g.a.b", "g.alice", "test"} {
		table.Add(prefix, string(prefix))
	}
	// Hazard 18: whole segments, the longest first, and a default only if there is one.
	for _, c := range []struct {
		to   address.Address
		want string
	}{
		{"g.a", "g.a"}, {"g.a.x", "g.a"}, {"g.a.b", "g.a.b"}, {"g.a.b.c.d", "g.a.b"}, {"g.a.bc", "g.a"},
		{"g.ab", ""}, {"g.alice2", ""}, {"g.alice.x", "g.alice"}, {"test.x", "test"}, {"test1.x", ""}, {"g.x", ""},
	} {
		if next, ok := table.Lookup(c.to); next != c.want || ok != (c.want != "") {
			t.Errorf("%s leads to %q, %v; want %q", c.to, next, ok, c.want)
		}
	}
	table.Add("", "default")
	if next, ok := table.Lookup("g.x"); next != "default" || !ok {
		t.Errorf("the default: %q, %v", next, ok)
	}
	if next, _ := table.Lookup("g.a.x"); next != "g.a" {
		t.Errorf("beside a default: %q", next)
	}
}
