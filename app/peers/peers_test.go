package peers_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"pochi/app/peers"
	"pochi/app/problem"
	"pochi/ilp/address"
	"pochi/ilp/ilphttp"
	"pochi/ledger"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestAPeerIsWhatWasSaidOfIt(t *testing.T) {
	n := newNode(t)
	c := terms("test.bob", bobToken)
	c.AddTokens = append(c.AddTokens, eveToken, bobToken)
	c.OutgoingURL, c.OutgoingToken = ptr("https://bob.example/ilp"), ptr(peers.Token("short"))
	c.Async, c.CallbackURL = ptr(true), ptr("http://localhost:1/replies?to=us")
	c.CreditLimit, c.MaxPacket, c.RateLimit = ptr[uint64](100), ptr[uint64](101), ptr[uint64](102)
	c.Throughput, c.MaxInFlightValue, c.MaxInFlightCount = ptr[uint64](103), ptr[uint64](104), ptr[uint64](105)
	c.Routes, c.SetRoutes, c.Default = []string{"test.y", "test.x", "test.y", "test.bob"}, true, ptr(true)
	got := n.mustAdd(t, "bob", "XRP/9", c)
	want := peers.Standing{CreditLimit: 100, Peer: peers.Peer{
		ID: got.ID, Name: "bob", Address: "test.bob", Asset: ledger.Asset{Code: "XRP", Scale: 9},
		Routes: []address.Address{"test.x", "test.y"}, Default: true, Tokens: got.Tokens,
		OutgoingURL: "https://bob.example/ilp", OutgoingToken: "short", Async: true, CallbackURL: "http://localhost:1/replies?to=us", MaxPacket: 101, RateLimit: 102,
		Throughput: 103, MaxInFlightValue: 104, MaxInFlightCount: 105, CreatedAt: got.CreatedAt,
	}}
	if diff := cmp.Diff(want, got); diff != "" || len(got.Tokens) != 2 {
		t.Errorf("%d tokens, %s", len(got.Tokens), diff)
	}
	if text := fmt.Sprintf("%v %+v %#v %v", got, got, got.Peer, c); strings.Contains(text, "short") || strings.Contains(text, string(bobToken)) {
		t.Errorf("a token is shown: %s", text)
	}
	account, err := ledger.Find(t.Context(), n.db.Read, got.ID)
	if err != nil || account.Code != ledger.CodePeer || account.Limit != 100 {
		t.Errorf("account %+v, %v", account, err)
	}
	all, err := peers.Standings(t.Context(), n.db.Read)
	if diff := cmp.Diff([]peers.Standing{got}, all); err != nil || diff != "" {
		t.Errorf("%v %s", err, diff)
	}
	n.wantOrder(t)
}

func TestWhatCantBeAPeer(t *testing.T) {
	n := newNode(t)
	first := terms("test.bob", bobToken)
	first.Routes, first.SetRoutes, first.Default = []string{"test.x"}, true, ptr(true)
	first.OutgoingURL, first.OutgoingToken = ptr("https://bob.example"), ptr(eveToken)
	n.mustAdd(t, "bob", "USD/2", first)
	for _, test := range []struct {
		field       string
		code        problem.Code
		name, asset string
		change      func(c *peers.Change)
	}{
		{"name", problem.Invalid, "", "USD/2", nil},
		{"name", problem.Invalid, strings.Repeat("n", 65), "USD/2", nil},
		{"name", problem.Invalid, "two words", "USD/2", nil},
		{"name", problem.Invalid, "-flag", "USD/2", nil},
		{"name", problem.Invalid, "..", "USD/2", nil},
		{"name", problem.Invalid, "a/b", "USD/2", nil},
		{"name", problem.Invalid, "e\u202Eve", "USD/2", nil},
		{"name", problem.Conflict, "bob", "USD/2", nil},
		{"asset", problem.Invalid, "eve", "USD", nil},
		{"asset", problem.Invalid, "eve", "USD/10", nil},
		{"asset", problem.Invalid, "eve", "U$D/2", nil},
		{"asset", problem.Invalid, "eve", "/2", nil},
		{"ilp-address", problem.Invalid, "eve", "USD/2", func(c *peers.Change) { c.Address = nil }},
		{"ilp-address", problem.Invalid, "eve", "USD/2", func(c *peers.Change) { c.Address = ptr("eve") }},
		{"ilp-address", problem.Invalid, "eve", "USD/2", func(c *peers.Change) { c.Address = ptr(own) }},
		{"ilp-address", problem.Invalid, "eve", "USD/2", func(c *peers.Change) { c.Address = ptr("peer.eve") }},
		{"ilp-address", problem.Invalid, "eve", "USD/2", func(c *peers.Change) { c.Address = ptr("self.eve") }},
		{"ilp-address", problem.Invalid, "eve", "USD/2", func(c *peers.Change) { c.Address = ptr("local.eve") }},
		{"ilp-address", problem.Invalid, "eve", "USD/2", func(c *peers.Change) { c.Address = ptr("g.eve") }},
		{"ilp-address", problem.Invalid, "eve", "USD/2", func(c *peers.Change) { c.Address = ptr(own + "." + strings.Repeat("t", 43)) }},
		{"ilp-address", problem.Conflict, "eve", "USD/2", func(c *peers.Change) { c.Address = ptr("test.bob") }},
		{"ilp-address", problem.Conflict, "eve", "USD/2", func(c *peers.Change) { c.Address = ptr("test.x") }},
		{"routes", problem.Invalid, "eve", "USD/2", func(c *peers.Change) { c.Routes = []string{"g"} }},
		{"routes", problem.Invalid, "eve", "USD/2", func(c *peers.Change) { c.Routes = []string{"peer"} }},
		{"routes", problem.Invalid, "eve", "USD/2", func(c *peers.Change) { c.Routes = []string{""} }},
		{"routes", problem.Invalid, "eve", "USD/2", func(c *peers.Change) { c.Routes = []string{own} }},
		{"routes", problem.Invalid, "eve", "USD/2", func(c *peers.Change) { c.Routes = []string{"peer.config"} }},
		{"routes", problem.Conflict, "eve", "USD/2", func(c *peers.Change) { c.Routes = []string{"test.x"} }},
		{"routes", problem.Conflict, "eve", "USD/2", func(c *peers.Change) { c.Routes = []string{"test.bob"} }},
		{"default-route", problem.Conflict, "eve", "USD/2", func(c *peers.Change) {
			c.Default, c.OutgoingURL, c.OutgoingToken = ptr(true), ptr("https://eve.example"), ptr(eveToken)
		}},
		{"incoming-token", problem.Invalid, "eve", "USD/2", func(c *peers.Change) { c.AddTokens = nil }},
		{"incoming-token", problem.Invalid, "eve", "USD/2", func(c *peers.Change) { c.AddTokens = []peers.Token{"15-characters--"} }},
		{"incoming-token", problem.Invalid, "eve", "USD/2", func(c *peers.Change) { c.AddTokens = []peers.Token{"one with a space in it"} }},
		{"incoming-token", problem.Conflict, "eve", "USD/2", func(c *peers.Change) { c.AddTokens = []peers.Token{bobToken} }},
		{"outgoing-url", problem.Invalid, "eve", "USD/2", func(c *peers.Change) { c.OutgoingURL, c.OutgoingToken = ptr("http://eve.example"), ptr(eveToken) }},
		{"outgoing-url", problem.Invalid, "eve", "USD/2", func(c *peers.Change) { c.OutgoingToken = ptr(eveToken) }},
		{"outgoing-token", problem.Invalid, "eve", "USD/2", func(c *peers.Change) { c.OutgoingURL = ptr("https://eve.example") }},
		{"outgoing-token", problem.Invalid, "eve", "USD/2", func(c *peers.Change) {
			c.OutgoingURL, c.OutgoingToken = ptr("https://eve.example"), ptr(peers.Token("new\nline"))
		}},
		{"outgoing-token", problem.Invalid, "eve", "USD/2", func(c *peers.Change) { c.CallbackURL = ptr("https://eve.example") }},
		{"callback-url", problem.Invalid, "eve", "USD/2", func(c *peers.Change) {
			c.CallbackURL, c.OutgoingToken = ptr("http://eve.example"), ptr(eveToken)
		}},
		{"async", problem.Invalid, "eve", "USD/2", func(c *peers.Change) { c.Async = ptr(true) }},
		{"async", problem.Invalid, "eve", "USD/2", func(c *peers.Change) {
			c.Async, c.CallbackURL, c.OutgoingToken = ptr(true), ptr("https://eve.example"), ptr(eveToken)
		}},
		{"credit-limit", problem.Invalid, "eve", "USD/2", func(c *peers.Change) { c.CreditLimit = ptr(ledger.AmountMax + 1) }},
		{"max-packet", problem.Invalid, "eve", "USD/2", func(c *peers.Change) { c.MaxPacket = ptr(ledger.AmountMax + 1) }},
		{"rate-limit", problem.Invalid, "eve", "USD/2", func(c *peers.Change) { c.RateLimit = ptr(ledger.AmountMax + 1) }},
	} {
		c := terms("test.eve", eveToken)
		c.SetRoutes = true
		if test.change != nil {
			test.change(&c)
		}
		_, err := n.Add(t.Context(), test.name, test.asset, c)
		if said := problem.Fields(err); len(said) != 1 || said[test.field] == "" || problem.CodeOf(err) != test.code {
			t.Errorf("%q, %q, %+v: %v, want %s with %s", test.name, test.asset, c, err, test.code, test.field)
		}
		if strings.Contains(fmt.Sprint(err), string(eveToken)) || strings.Contains(fmt.Sprint(err), string(bobToken)) {
			t.Errorf("a token is told: %v", err)
		}
	}
	if got := n.load(t); len(got) != 1 {
		t.Errorf("%d peers", len(got))
	}
	n.mustAdd(t, "a-child", "USD/2", terms(own+".child", eveToken))
	up := terms("private.up", "parent-parent-parent")
	up.Routes, up.SetRoutes = []string{"test", "private"}, true
	n.mustAdd(t, "its-parent", "USD/2", up)
}

// What is wrong is told at once, not one thing after the other.
func TestAllThatIsWrongIsTold(t *testing.T) {
	n := newNode(t)
	_, err := n.Add(t.Context(), "two words", "USD", terms(own, "short"))
	said := problem.Fields(err)
	for _, field := range []string{"name", "asset", "ilp-address", "incoming-token"} {
		if said[field] == "" {
			t.Errorf("nothing about %s: %v", field, err)
		}
	}
}

func TestProductionIsStricter(t *testing.T) {
	n := newNode(t, func(c *peers.Config) { c.Production = true })
	c := terms("test.bob", bobToken[:31])
	c.OutgoingURL, c.OutgoingToken = ptr("http://127.0.0.1:3002/ilp"), ptr(eveToken)
	_, err := n.Add(t.Context(), "bob", "USD/2", c)
	if said := problem.Fields(err); said["incoming-token"] == "" || said["outgoing-url"] == "" || said["max-in-flight-value"] == "" {
		t.Errorf("%v", err)
	}
	c.AddTokens, c.OutgoingURL, c.MaxInFlightValue = []peers.Token{bobToken}, ptr("https://bob.example/ilp"), ptr[uint64](1000)
	n.mustAdd(t, "bob", "USD/2", c)
	_, err = n.Update(t.Context(), "bob", peers.Change{MaxInFlightValue: ptr[uint64](0)})
	if problem.Fields(err)["max-in-flight-value"] == "" {
		t.Errorf("the bound taken away: %v", err)
	}
}

// A peer from before the bound was asked for can be changed all the same.
func TestProductionChangesUnboundedPeers(t *testing.T) {
	n := newNode(t)
	n.mustAdd(t, "bob", "USD/2", terms("test.bob", bobToken))
	n.Production = true
	if _, err := n.Update(t.Context(), "bob", peers.Change{AddTokens: []peers.Token{eveToken}}); err != nil {
		t.Error(err)
	}
}

// A URL that is never called is refused when it is given, not when money goes
// there.
func TestURLsThatAreNeverCalled(t *testing.T) {
	for _, production := range []bool{false, true} {
		n := newNode(t, func(c *peers.Config) { c.Production = production })
		bob := terms("test.bob", bobToken)
		bob.MaxInFlightValue = ptr[uint64](1000)
		n.mustAdd(t, "bob", "USD/2", bob)
		for url, where := range map[string]string{
			"https://bob.example/ilp": "both", "https://bob.example:443/ilp": "both", "https://93.184.216.34/ilp": "both",
			"https://bob.example:8443/ilp": "none", "https://10.0.0.1/ilp": "none", "https://[fd00::1]/ilp": "none", "https://169.254.169.254/ilp": "none",
			"https://127.0.0.1/ilp": "dev", "https://localhost:3002/ilp": "dev", "https://[::1]:3002/ilp": "dev", "http://127.0.0.1:3002/ilp": "dev",
		} {
			for field, c := range map[string]peers.Change{"outgoing-url": {OutgoingURL: &url}, "callback-url": {CallbackURL: &url}} {
				c.OutgoingToken = ptr(eveToken)
				_, err := n.Update(t.Context(), "bob", c)
				if want := where == "both" || where == "dev" && !production; (err == nil) != want || !want && problem.Fields(err)[field] == "" {
					t.Errorf("%s as %s, production %t: %v", url, field, production, err)
				}
				if _, err := n.Update(t.Context(), "bob", peers.Change{OutgoingURL: ptr(""), CallbackURL: ptr("")}); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
}

func TestUpdate(t *testing.T) {
	n := newNode(t)
	c := terms("test.bob", bobToken)
	c.Routes, c.SetRoutes, c.Default, c.MaxPacket = []string{"test.x"}, true, ptr(true), ptr[uint64](7)
	c.OutgoingURL, c.OutgoingToken = ptr("https://bob.example"), ptr(eveToken)
	before := n.mustAdd(t, "bob", "USD/2", c)
	eve := n.mustAdd(t, "eve", "USD/2", terms("test.eve", eveToken))
	update := func(c peers.Change) peers.Standing {
		t.Helper()
		now, err := n.Update(t.Context(), "bob", c)
		if err != nil {
			t.Fatal(err)
		}
		return now.Standing
	}
	if diff := cmp.Diff(before, update(peers.Change{})); diff != "" {
		t.Errorf("nothing was to change: %s", diff)
	}
	now := update(peers.Change{AddTokens: []peers.Token{"the-next-token-of-bob"}, CreditLimit: ptr[uint64](5), Routes: []string{"test.y"}, SetRoutes: true})
	if len(now.Tokens) != 2 || now.CreditLimit != 5 || now.MaxPacket != 7 || !cmp.Equal(now.Routes, []address.Address{"test.y"}) {
		t.Errorf("%+v", now)
	}
	now = update(peers.Change{RemoveTokens: []peers.Token{bobToken}, Default: ptr(false), SetRoutes: true})
	if len(now.Tokens) != 1 || now.Tokens[0] != ilphttp.HashToken("the-next-token-of-bob") || now.Default || now.Routes != nil {
		t.Errorf("%+v", now)
	}
	shown := peers.Token(peers.ShortHash(now.Tokens[0]))
	if _, err := n.Update(t.Context(), "bob", peers.Change{RemoveTokens: []peers.Token{shown}}); problem.Fields(err)["remove-incoming-token"] == "" {
		t.Errorf("without any token: %v", err)
	}
	now = update(peers.Change{RemoveTokens: []peers.Token{shown}, AddTokens: []peers.Token{bobToken}, Address: ptr("test.x")})
	if len(now.Tokens) != 1 || now.Tokens[0] != ilphttp.HashToken(string(bobToken)) || now.Address != "test.x" {
		t.Errorf("%+v", now)
	}
	for field, c := range map[string]peers.Change{
		"incoming-token":        {AddTokens: []peers.Token{eveToken}},
		"remove-incoming-token": {RemoveTokens: []peers.Token{eveToken}},
		"ilp-address":           {Address: ptr("test.eve")},
		"default-route":         {Default: ptr(true), OutgoingURL: ptr("")},
	} {
		if _, err := n.Update(t.Context(), "bob", c); problem.Fields(err)[field] == "" {
			t.Errorf("%s: %v", field, err)
		}
	}
	if _, err := n.Update(t.Context(), "ann", peers.Change{}); problem.CodeOf(err) != problem.NotFound {
		t.Errorf("nobody: %v", err)
	}
	if diff := cmp.Diff([]peers.Peer{now.Peer, eve.Peer}, n.load(t)); diff != "" {
		t.Error(diff)
	}
	n.wantOrder(t)
}

// Whoever runs on the peers is told, after each commit, exactly what is
// committed, and nothing of what was refused.
func TestOnChangeTellsWhatIsCommitted(t *testing.T) {
	n := newNode(t)
	var told []peers.Peer
	calls := 0
	start := func() {
		t.Helper()
		if err := n.Start(t.Context(), using(func(all []peers.Peer) { told = all; calls++ })); err != nil {
			t.Fatal(err)
		}
	}
	start()
	const seed = 6
	random := rand.New(rand.NewPCG(seed, seed))
	made := map[bool]int{}
	for i := range 200 {
		before := calls
		repeated, err := changeSomething(t, n, random)
		if want := err == nil && !repeated; (calls == before+1) != want || calls > before+1 || problem.CodeOf(err) == problem.Internal {
			t.Fatalf("change %d: %v, repeated %t: told %d times", i, err, repeated, calls-before)
		}
		if diff := cmp.Diff(n.load(t), told, cmpopts.EquateEmpty()); diff != "" {
			t.Fatalf("change %d: %v: %s", i, err, diff)
		}
		made[err == nil]++
	}
	if made[true] < 20 || made[false] < 20 {
		t.Errorf("%v changes: too few of one kind to show anything", made)
	}
	before := told
	if start(); !cmp.Equal(before, told, cmpopts.EquateEmpty()) {
		t.Errorf("at the start: %s", cmp.Diff(before, told))
	}
	n.wantOrder(t)
}

// What couldn't be used isn't committed, and the wallet doesn't start on it: there
// are no two truths.
func TestPeersThatCantBeUsed(t *testing.T) {
	n := newNode(t)
	unusable := errors.New("two peers are one")
	var used []peers.Peer
	prepare := func(all []peers.Peer) (func(), error) {
		if len(all) > 1 {
			return nil, unusable
		}
		return func() { used = all }, nil
	}
	if err := n.Start(t.Context(), prepare); err != nil {
		t.Fatal(err)
	}
	n.mustAdd(t, "bob", "USD/2", terms("test.bob", bobToken))
	if _, err := n.Add(t.Context(), "eve", "USD/2", terms("test.eve", eveToken)); !errors.Is(err, unusable) {
		t.Errorf("%v", err)
	}
	if there := n.load(t); len(there) != 1 || len(used) != 1 {
		t.Errorf("committed %v, used %v", there, used)
	}
	if err := n.Start(t.Context(), func([]peers.Peer) (func(), error) { return nil, unusable }); !errors.Is(err, unusable) {
		t.Errorf("start: %v", err)
	}
	n.wantOrder(t)
}

// changeSomething adds, updates or removes a peer; many of the changes can't be
// made.
func changeSomething(t *testing.T, n node, random *rand.Rand) (repeated bool, err error) {
	t.Helper()
	one := func(of ...string) string { return of[random.IntN(len(of))] }
	name := one("ann", "bob", "eve")
	c := peers.Change{
		Address:   ptr(one("test.ann", "test.bob", "test.eve", own)),
		AddTokens: []peers.Token{peers.Token(one("ann-ann-ann-ann-ann", string(bobToken), string(eveToken)))},
		Routes:    []string{one("test.u", "test.v", "test.w"), one("test.x", "test.y", "test.ann")}, SetRoutes: random.IntN(3) == 0,
		Default: ptr(random.IntN(3) == 0), MaxPacket: ptr(random.Uint64N(9)), CreditLimit: ptr(random.Uint64N(9)),
		OutgoingURL: ptr("https://peer.example"), OutgoingToken: ptr(eveToken),
	}
	switch one("add", "update", "remove") {
	case "add":
		var p peers.Changed
		p, err = n.Add(t.Context(), name, "USD/2", c)
		repeated = len(p.Differences) == 0
	case "update":
		var p peers.Changed
		p, err = n.Update(t.Context(), name, c)
		repeated = len(p.Differences) == 0
	default:
		_, repeated, err = n.Remove(t.Context(), name)
	}
	return repeated, err
}

// Changes at the same time come one after the other, and so do those who are
// told.
func TestChangesAtOnce(t *testing.T) {
	n := newNode(t)
	var told []peers.Peer
	if err := n.Start(t.Context(), using(func(all []peers.Peer) { told = all })); err != nil {
		t.Fatal(err)
	}
	const many = 8
	done := make(chan error, many)
	for i := range many {
		go func() {
			c := terms(fmt.Sprintf("test.peer%d", i), peers.Token(fmt.Sprintf("token-of-the-peer-%d", i)))
			_, err := n.Add(t.Context(), fmt.Sprintf("peer%d", i), "USD/2", c)
			done <- err
		}()
	}
	var errs []error
	for range many {
		errs = append(errs, <-done)
	}
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(n.load(t), told); diff != "" || len(told) != many {
		t.Errorf("%d told, %s", len(told), diff)
	}
}

// A changed exchange limit holds for peers' assets from the next start, too.
func TestStartSetsTheExchangeLimits(t *testing.T) {
	limit := uint64(1000)
	n := newNode(t, func(c *peers.Config) {
		c.ExchangeLimit = func(ledger.Asset) (uint64, error) { return limit, nil }
	})
	n.mustAdd(t, "bob", "XRP/9", terms("test.bob", bobToken))
	for _, limit = range []uint64{1000, 2000} {
		if err := n.Start(t.Context(), using(func([]peers.Peer) {})); err != nil {
			t.Fatal(err)
		}
		account, err := ledger.Find(t.Context(), n.db.Read, ledger.HouseAccount(ledger.Asset{Code: "XRP", Scale: 9}, ledger.CodeExchange))
		if err != nil || account.Limit != limit {
			t.Errorf("limit %d, %v, want %d", account.Limit, err, limit)
		}
	}
}

// Where http may be used is said where it is refused.
func TestPlainHTTPIsForThisMachine(t *testing.T) {
	c := terms("test.bob", bobToken)
	c.OutgoingURL, c.OutgoingToken = ptr("http://10.0.0.1/ilp"), ptr(eveToken)
	_, err := newNode(t).Add(t.Context(), "bob", "USD/2", c)
	if !strings.Contains(problem.Fields(err)["outgoing-url"], "http is for localhost") {
		t.Errorf("%v", err)
	}
}

// A wallet whose own address no longer goes with its peers doesn't start: they
// couldn't be reached, or it couldn't.
func TestStartFindsAddressesThatClash(t *testing.T) {
	for changed, clashes := range map[address.Address]bool{
		"test.other": false, "test.bob": true, "test.bob.below": false, "test.route": true, "g.pochi": true,
	} {
		n := newNode(t)
		c := terms("test.bob", bobToken)
		c.SetRoutes, c.Routes = true, []string{"test.route", "test.far"}
		n.mustAdd(t, "bob", "USD/2", c)
		n.Own = changed
		err := n.Start(t.Context(), using(func([]peers.Peer) {}))
		if (err != nil) != clashes || clashes && (!strings.Contains(err.Error(), "POCHI_ILP_ADDRESS") || !strings.Contains(err.Error(), "bob")) {
			t.Errorf("%s: %v", changed, err)
		}
	}
}

func TestAuditFindsWhatDiffers(t *testing.T) {
	n := newNode(t)
	bob := n.mustAdd(t, "bob", "USD/2", terms("test.bob", bobToken))
	for _, change := range []string{
		"UPDATE peers SET removed_at = 1",
		"UPDATE peers SET removed_at = NULL; INSERT INTO peers SELECT zeroblob(16), 'eve', 'test.eve', '', '', 0, '', 0, 0, 0, 0, 0, 0, 0, NULL",
		"DELETE FROM peers WHERE name = 'eve'; DELETE FROM peer_tokens; DELETE FROM peers",
	} {
		outside(t, n, change)
		found := n.defects(t)
		if len(found) != 1 || found[0].Name != peers.DefectPeer {
			t.Errorf("%s: %v of %s", change, found, bob.ID)
		}
	}
}
