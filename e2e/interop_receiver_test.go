package e2e

import (
	"maps"
	"slices"
	"strconv"
	"testing"
)

// TestInteropReceiver pays both generations of @interledger/stream-receiver. They say no in different ways: the older one with
// F99, as all old receivers, the newer one with F05 to what nobody can fulfill and F04 to too little.
func TestInteropReceiver(t *testing.T) {
	for name, no := range map[string]string{"@interledger/stream-receiver": "F05", "stream-receiver-alpha3": "F99"} {
		t.Run(no, func(t *testing.T) {
			onBothSides(t, func(t *testing.T, start func(string) side) { payReceiver(t, start("test.pochi"), name, no) })
		})
	}
}

func payReceiver(t *testing.T, s side, module, no string) {
	s.person("ann", usd, 1_000_00)
	dollars, toDollars := startReceiver(t, s, "dollars", module, usd)
	euros, toEuros := startReceiver(t, s, "euros", module, eur)
	for _, c := range []struct {
		name, to string
		peer     *foreign
		least    uint64 // for the rounding of packets of at most 100.00
	}{{"dollars", toDollars, dollars, 321_09}, {"euros", toEuros, euros, 288_98 - 4}} {
		before := s.has("ann")
		delivered, problem := s.pay("ann", c.to, 321_09)
		if problem != "" || delivered < c.least || delivered > 321_09 {
			t.Errorf("%s: %d were delivered: %s", c.name, delivered, problem)
		}
		wantHas(t, s, "ann", before-321_09)
		wantOwed(t, s, c.name, -int64(delivered))
		got := c.peer.sums()
		if got.Received.Amount != delivered || got.Counted != strconv.FormatUint(delivered, 10) || got.Received.Packets < 3 {
			t.Errorf("%s: delivered %d, and it counts %+v", c.name, delivered, got)
		}
		if got.Refused["F08"] == 0 || got.Refused[no] == 0 {
			t.Errorf("%s: it refused %v", c.name, slices.Sorted(maps.Keys(got.Refused)))
		}
	}
	s.check()
}

// startReceiver starts a receiver of an asset as a peer of a side. It takes packets of up to 100.00. It returns the URL that its
// payment pointer leads to.
func startReceiver(t *testing.T, s side, name, module string, a asset) (f *foreign, spsp string) {
	t.Helper()
	config := linkConfig(s)
	config["module"], config["address"], config["asset"], config["max"] = module, "test."+name, a, "10000"
	config["token"], config["incoming"] = name+tokenToUs, name+tokenToIt
	var about struct{ Port, SPSP int }
	f = startForeign(t, "stream-receiver.js", config, &about)
	p := foreignPeer(name, "test."+name, a, about.Port)
	p.In, p.Out = name+tokenToUs, name+tokenToIt
	s.peer(p)
	return f, loopback(about.SPSP) + "bob"
}
