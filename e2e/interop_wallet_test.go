package e2e

import (
	"encoding/json"
	"fmt"
	"html"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// money is a side that is a wallet as people run it, with real money: peers and people are added on its command line, and
// payments are made in its pages.
type money struct {
	*wallet
	people map[string]*visitor
}

// needWallet skips the test, saying so, unless wallets can be run.
func needWallet(t *testing.T) {
	t.Helper()
	if os.Getenv("POCHI_E2E") == "" {
		t.Skip("needs bin/pochi: run it with POCHI_E2E=1 after make build, or with make test")
	}
}

// startMoney starts a wallet that ends with the test. Nobody grants an app anything, so it has no Hydra.
func startMoney(t *testing.T, address string) side {
	t.Helper()
	w := newWallet(t, "POCHI_ILP_ADDRESS="+address, "POCHI_RATES=USD=1,EUR=0.9,GBP=0.8,JPY=150,KES=130,MXN=18")
	w.start()
	return &money{w, make(map[string]*visitor)}
}

func (m *money) url() string { return m.ILPURL }

// admin runs a command of pochi admin, which must succeed, and returns the JSON that it prints.
func (m *money) admin(arguments ...string) string {
	m.t.Helper()
	printed, ok := m.command(append([]string{"admin"}, arguments...)...)
	if !ok {
		m.t.Fatalf("pochi admin %s: %s", strings.Join(arguments, " "), printed)
	}
	return printed
}

func (m *money) person(name string, a asset, balance uint64) string {
	m.t.Helper()
	email := name + "@example.com"
	m.admin("user", "add", "--email", email, "--password", password, "--name", name, "--pointer", name,
		"--asset", a.String(), "--balance", strconv.FormatUint(balance, 10))
	v := newVisitor(m.t, m.wallet)
	got, err := v.submit("/login", "/login", url.Values{"email": {email}, "password": {password}})
	if err != nil || got.Status != http.StatusSeeOther {
		m.t.Fatalf("%s can't log in: %d, %v", name, got.Status, err)
	}
	m.people[name] = v
	return m.URL + "/" + name
}

func (m *money) peer(p peerConfig) {
	m.t.Helper()
	arguments := []string{
		"peer", "add", p.Name, "--ilp-address", p.Address, "--asset", p.Asset.String(), "--incoming-token", p.In,
		"--outgoing-url", p.URL, "--outgoing-token", p.Out, "--credit-limit", strconv.FormatUint(p.CreditLimit, 10),
	}
	if p.MaxPacket > 0 {
		arguments = append(arguments, "--max-packet", strconv.FormatUint(p.MaxPacket, 10))
	}
	if len(p.Routes) > 0 {
		arguments = append(arguments, "--routes", strings.Join(p.Routes, ","))
	}
	m.admin(arguments...)
}

func (m *money) pay(name, to string, amount uint64, fixed string) (delivered uint64, problem string) {
	m.t.Helper()
	v := m.people[name]
	form := url.Values{"to": {to}, "amount": {fmt.Sprintf("%d.%02d", amount/100, amount%100)}, "side": {fixed}}
	quote, err := v.submit("/send", "/send", form)
	if err != nil {
		m.t.Fatal(err)
	}
	if quote.Status != http.StatusSeeOther {
		return 0, complaint(quote.Body)
	}
	payment, err := v.submit(quote.Location, quote.Location+"/confirm", nil)
	if err != nil || payment.Status != http.StatusSeeOther {
		m.t.Fatalf("confirm: status %d, %v", payment.Status, err)
	}
	state := ""
	poll(m.t, startMax, payment.Location+" is final", func() bool {
		state = paymentState(m.t, v, payment.Location)
		return state != "Sending"
	})
	page, err := v.get(payment.Location)
	if err != nil {
		m.t.Fatal(err)
	}
	got := fact(m.t, page.Body, "They got")
	if state != "Delivered" {
		return uint64(got), state + ": " + complaint(page.Body)
	}
	return uint64(got), ""
}

// complaintPattern finds what a page says is wrong.
var complaintPattern = regexp.MustCompile(`(?s)<div class="notice[^"]*".*?</div>`)

var tagPattern = regexp.MustCompile(`<[^>]*>|\s+`)

// complaint is what a page says is wrong.
func complaint(page string) string {
	return strings.TrimSpace(tagPattern.ReplaceAllString(html.UnescapeString(complaintPattern.FindString(page)), " "))
}

// fact is the amount that a page shows under a name, in the smallest unit.
func fact(t *testing.T, page, name string) int64 {
	t.Helper()
	found := regexp.MustCompile(`(?s)<dt>` + name + `</dt>.*?` + amountPattern.String()).FindStringSubmatch(page)
	if found == nil {
		t.Fatalf("no %q in %s", name, page)
	}
	return units(t, found[1])
}

// units is an amount with two decimals as pages show it, in the smallest unit.
func units(t *testing.T, text string) int64 {
	t.Helper()
	n, err := strconv.ParseInt(strings.Replace(figure(html.UnescapeString(text)), ".", "", 1), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func (m *money) has(name string) int64 {
	m.t.Helper()
	return units(m.t, m.people[name].balance(m.t))
}

func (m *money) owed(peer string) int64 {
	m.t.Helper()
	p := m.standing(peer)
	if p.InFlight.FromPeer != 0 || p.InFlight.ToPeer != 0 {
		m.t.Errorf("%s: %+v is still in flight", peer, p.InFlight)
	}
	return p.OwedByPeer - p.OwedToPeer
}

func (m *money) doubts(peer string) int {
	m.t.Helper()
	return m.standing(peer).InDoubt.Count
}

// standing is a peer as pochi admin peer list prints it.
type standing struct {
	Name                   string
	OwedToPeer, OwedByPeer int64 `json:",string"`
	InFlight               struct {
		FromPeer, ToPeer int64 `json:",string"`
	}
	InDoubt struct{ Count int }
}

func (m *money) standing(peer string) standing {
	m.t.Helper()
	for line := range strings.Lines(m.admin("peer", "list")) {
		var p standing
		if err := json.Unmarshal([]byte(line), &p); err != nil {
			m.t.Fatalf("%s: %v", line, err)
		}
		if p.Name == peer {
			return p
		}
	}
	m.t.Fatalf("no peer %s", peer)
	return standing{}
}

// check also looks whether all is as it should be when nothing runs.
func (m *money) check() {
	m.t.Helper()
	if output, ok := m.command("check"); !ok {
		m.t.Errorf("check beside the running wallet: %s", output)
	}
	m.pochi.stop()
	if output, ok := m.command("check"); !ok {
		m.t.Errorf("check: %s", output)
	}
}
