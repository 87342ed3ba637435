package e2e

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
)

// TestDemo pays from either wallet of make demo to the other and in the shop, and starts all of it again.
func TestDemo(t *testing.T) {
	d := newDemo(t)
	all := d.start()
	amina, rita := d.logIn("nairobi", "amina"), d.logIn("lisbon", "rita")

	d.quotes(amina, d.pointer("lisbon", "rita"), "2500.00", sideSend, "You send", "They get at least", "€17.62")
	d.quotes(amina, d.pointer("lisbon", "rita"), "10.00", sideReceive, "You send at most", "They get at least", "€10.00")
	d.quotes(amina, d.pointer("nairobi", "otieno"), "100.00", sideReceive, "You send", "They get", "100.00")
	d.pay(amina, d.pointer("lisbon", "rita"), "2500.00") // 17.6390… EUR
	amina.awaitBalance(t, "147500.00")
	rita.awaitBalance(t, "1217.63")
	d.pay(rita, d.pointer("nairobi", "amina"), "40.00") // 5669.2568… KES
	rita.awaitBalance(t, "1177.63")
	amina.awaitBalance(t, "153169.25")

	// 43,778,045,310 came from Lisbon, 19,305,019,305 went there.
	agreed := owing{Asset: "USD/9", OwedByPeer: "24473026005", OwedToPeer: "0"}
	if got := d.peer("nairobi", "lisbon"); got != agreed {
		t.Errorf("Nairobi says of Lisbon %+v, want %+v", got, agreed)
	}
	agreed.OwedByPeer, agreed.OwedToPeer = agreed.OwedToPeer, agreed.OwedByPeer
	if got := d.peer("lisbon", "nairobi"); got != agreed {
		t.Errorf("Lisbon says of Nairobi %+v, want %+v", got, agreed)
	}
	d.buy(amina, "Sunflowers")
	amina.awaitBalance(t, "152419.25")
	d.stop(all)

	all = d.start()
	amina.awaitBalance(t, "152419.25")
	rita.awaitBalance(t, "1177.63")
	d.pay(rita, d.pointer("nairobi", "amina"), "1.00")
	amina.awaitBalance(t, "152560.98")
	d.buy(amina, "Lavender")
	amina.awaitBalance(t, "152110.98")
	for _, city := range cities {
		d.as(city, "bin/pochi", "check")
	}
	d.stop(all)
	d.secretsAreKept(all.log.String())
}

// TestDemoThatCannotStart says why in one line that names what to set.
func TestDemoThatCannotStart(t *testing.T) {
	for name, test := range map[string]struct {
		variables func(*testing.T, *demo) []string
		want      string
	}{
		"a port in use": {func(t *testing.T, d *demo) []string {
			listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", d.ports["lisbon"][4]))
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { listener.Close() })
			return nil
		}, "or set DEMO_LISBON\n"},
		"the shop's port in use": {func(t *testing.T, d *demo) []string {
			listener, err := net.Listen("tcp", "127.0.0.1:"+strings.TrimPrefix(d.shop, "http://localhost:"))
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { listener.Close() })
			return nil
		}, "or set DEMO_SHOP\n"},
		"too few ports": {func(*testing.T, *demo) []string { return []string{"DEMO_NAIROBI=3400"} }, "demo: DEMO_NAIROBI is \"3400\""},
		"no folder":     {func(*testing.T, *demo) []string { return []string{"DEMO_DATA=/dev/null"} }, "or set DEMO_DATA\n"},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDemo(t)
			all := startProcess(t, append(d.environment, test.variables(t, d)...), "../tools/demo")
			poll(t, startMax, "it has ended", all.hasEnded)
			log := all.log.String()
			if code := all.cmd.ProcessState.ExitCode(); code != 1 || strings.Count(log, "\n") != 1 || !strings.Contains(log, test.want) {
				t.Errorf("it exits with %d and says %q; want 1 and one line with %q", code, log, test.want)
			}
		})
	}
}

// cities are where the demo's wallets are, and what they are called.
var cities = []string{"nairobi", "lisbon"}

// demo is what make demo runs, on free ports.
type demo struct {
	t           *testing.T
	data        string
	ports       map[string][]int // of each city; the first is that of the pages
	shop        string           // URL
	environment []string
}

func newDemo(t *testing.T) *demo {
	t.Helper()
	needPrograms(t)
	free := freePorts(t, 11)
	d := &demo{t: t, data: filepath.Join(t.TempDir(), "demo"), ports: map[string][]int{"nairobi": free[:5], "lisbon": free[5:10]}}
	d.shop = fmt.Sprintf("http://localhost:%d", free[10])
	list := func(city string) string { return strings.Trim(fmt.Sprint(d.ports[city]), "[]") }
	d.environment = append(os.Environ(), "DEMO_DATA="+d.data, "DEMO_NAIROBI="+list("nairobi"), "DEMO_LISBON="+list("lisbon"),
		fmt.Sprintf("DEMO_SHOP=%d", free[10]),
		"POCHI_RATES=meant for another wallet")
	return d
}

// start starts both wallets and waits until it is said what to try.
func (d *demo) start() *process {
	d.t.Helper()
	all := startProcess(d.t, d.environment, "../tools/demo")
	poll(d.t, startMax, "it says what to try", func() bool {
		if all.hasEnded() {
			d.t.Fatal("it has ended")
		}
		return strings.Contains(all.log.String(), "Log in to Nairobi as Amina, pay "+d.pointer("lisbon", "rita"))
	})
	return all
}

// stop stops both wallets as Ctrl-C does. Nothing of them may be left.
func (d *demo) stop(all *process) {
	d.t.Helper()
	left := descendants(d.t, all.cmd.Process.Pid)
	all.stop()
	if code := all.cmd.ProcessState.ExitCode(); code != 0 {
		d.t.Errorf("after Ctrl-C it exits with %d, want 0", code)
	}
	for pid, command := range left {
		if syscall.Kill(pid, 0) == nil {
			d.t.Errorf("%s (%d) outlives Ctrl-C", command, pid)
		}
	}
}

func (d *demo) pointer(city, name string) string {
	return fmt.Sprintf("$localhost:%d/%s", d.ports[city][0], name)
}

func (d *demo) password() string {
	d.t.Helper()
	text, err := os.ReadFile(filepath.Join(d.data, "password"))
	if err != nil {
		d.t.Fatal(err)
	}
	return string(text)
}

// logIn is one of the demo's people.
func (d *demo) logIn(city, name string) *visitor {
	d.t.Helper()
	v := newVisitor(d.t, &wallet{URL: fmt.Sprintf("http://localhost:%d", d.ports[city][0])})
	v.logIn(d.t, name+"@"+city+".example", d.password())
	return v
}

// linePattern finds what a quote says of an amount.
var linePattern = regexp.MustCompile(`(?s)<p class="ticket-line"><span class="soft">([^<]*)</span>`)

// quotes asks what a payment costs, and looks at how the page names what leaves and what arrives, and at the latter.
func (d *demo) quotes(from *visitor, to, amount, side, leaves, arrives, receive string) {
	d.t.Helper()
	quote, err := from.submit("/send", "/send", url.Values{"to": {to}, "amount": {amount}, "side": {side}})
	if err != nil {
		d.t.Fatal(err)
	}
	page, err := from.get(quote.Location)
	if err != nil {
		d.t.Fatal(err)
	}
	lines := linePattern.FindAllStringSubmatch(page.Body, -1)
	if len(lines) != 2 || strings.TrimSpace(lines[0][1]) != leaves || strings.TrimSpace(lines[1][1]) != arrives || !strings.Contains(page.Body, receive) {
		d.t.Errorf("%s to %s: the quote says %q, want %q and %q of %s", amount, to, lines, leaves, arrives, receive)
	}
}

// pay sends an amount to the other wallet and waits until it is delivered.
func (d *demo) pay(from *visitor, to, amount string) {
	d.t.Helper()
	payment, err := from.pay(to, amount)
	if err != nil {
		d.t.Fatalf("pay %s to %s: %v", amount, to, err)
	}
	poll(d.t, startMax, amount+" is delivered to "+to, func() bool {
		page, err := from.get(payment)
		return err == nil && strings.Contains(page.Body, "Delivered")
	})
}

// buy buys a bouquet in the shop.
func (d *demo) buy(v *visitor, flower string) {
	d.t.Helper()
	at := *v
	at.base, at.origin = d.shop, d.shop
	sent, err := at.post("/bouquets", url.Values{"flower": {flower}})
	if err != nil || sent.Status != http.StatusSeeOther {
		d.t.Fatalf("buy %s: %d, %v", flower, sent.Status, err)
	}
	back := v.allows(d.t, sent.Location, d.shop+"/callback")
	paid, err := at.get(strings.TrimPrefix(back, d.shop))
	if err != nil || paid.Status != http.StatusSeeOther {
		d.t.Fatalf("back at the shop: %d, %v: %s", paid.Status, err, paid.Body)
	}
	if page, err := at.get(paid.Location); err != nil || !strings.Contains(page.Body, "Thank you, Amina Mwangi") {
		d.t.Errorf("the shop says %s, %v", page.Body, err)
	}
}

// awaitBalance waits until home shows that balance for the first account.
func (v *visitor) awaitBalance(t *testing.T, want string) {
	t.Helper()
	poll(t, startMax, "the balance is "+want, func() bool { return v.balance(t) == want })
}

// as runs a command as one of the wallets and returns what it printed.
func (d *demo) as(city string, command ...string) string {
	d.t.Helper()
	cmd := exec.CommandContext(testContext(d.t), "../tools/demo", append([]string{city}, command...)...)
	cmd.Env = d.environment
	out, err := cmd.Output()
	if err != nil {
		d.t.Errorf("%v as %s: %v", command, city, err)
	}
	return string(out)
}

// owing is what a wallet says about its peer.
type owing struct {
	Asset, OwedByPeer, OwedToPeer string
}

// peer is how a wallet stands with its only peer.
func (d *demo) peer(city, name string) owing {
	d.t.Helper()
	var found struct {
		owing
		Name string
	}
	if out := d.as(city, "bin/pochi", "admin", "peer", "list"); json.Unmarshal([]byte(out), &found) != nil || found.Name != name {
		d.t.Fatalf("%s lists as its peers %q, want %s alone", city, out, name)
	}
	return found.owing
}

// secretsAreKept checks that nobody else can read what was written, and that the log has no tokens.
func (d *demo) secretsAreKept(log string) {
	d.t.Helper()
	tokens := 0
	err := filepath.WalkDir(d.data, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		if mode := info.Mode().Perm(); mode&0o077 != 0 {
			d.t.Errorf("%s has mode %o: others can read it", path, mode)
		}
		if filepath.Ext(path) != ".token" {
			return nil
		}
		token, err := os.ReadFile(path)
		if tokens++; strings.Contains(log, string(token)) {
			d.t.Errorf("the log has %s", entry.Name())
		}
		return err
	})
	if err != nil || tokens != 2 {
		d.t.Errorf("%d tokens, %v; want 2", tokens, err)
	}
}
