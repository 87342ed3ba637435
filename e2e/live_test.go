package e2e

import (
	"context"
	"crypto/rand"
	"log/slog"
	"net/http"
	"testing"

	guard "pochi/app/fetch"
	"pochi/ilp"
	"pochi/ilp/ilphttp"
	"pochi/ilp/packet"
	"pochi/ilp/spsp"
	"pochi/ilp/stream"
)

// TestMoneyArrivesLive has a peer pay somebody over HTTP while they look at their pages: the line of the connection appears, and
// its amount and packets go up, without anything being reloaded.
func TestMoneyArrivesLive(t *testing.T) {
	w := newWallet(t, rates, "POCHI_ILP_ADDRESS=test.pochi")
	w.start()
	browser := startBrowser(t)
	rita := browser.newPerson(w, "Rita", "EUR", true)
	plain := browser.newPerson(w, "Paula", "EUR", false)
	js := newPayer(t, w)

	pages := map[string]*tab{"home": rita.tab, "the history": rita.beside("/history"), "the account": rita.beside("/")}
	if err := pages["the account"].page.Locator("main a[href^='/accounts/']").First().Click(); err != nil {
		t.Fatal(err)
	}
	pages["the account"].arrives("/accounts/.+")
	rita.open("/")
	for _, tab := range pages {
		tab.evaluate("() => { window.notReloaded = true }")
	}

	connection := js.connect(w.URL + "/rita")
	connection.send(10_00)
	for _, tab := range pages {
		tab.shows(".history li", "Received at "+rita.Pointer, "4 packets", "+€10.00 EUR")
	}
	rita.shows(".hero-balance", "€10.00 EUR")
	rita.shows("#announcer", "+€10.00 EUR Received at "+rita.Pointer)
	line := rita.beside("/history")
	if err := line.page.Locator(".history a").Click(); err != nil {
		t.Fatal(err)
	}
	line.arrives("/payments/.+")
	line.shows("#payment", "Another wallet", rita.Pointer, "€10.00 EUR")
	line.shows(".fact:has-text('Packets')", "4")
	line.evaluate("() => { window.notReloaded = true }")
	pages["the payment"] = line

	connection.send(5_00)
	for name, tab := range pages {
		if name != "the payment" {
			tab.shows(".history li", "6 packets", "+€15.00 EUR") // one line, still
		}
	}
	rita.shows(".hero-balance", "€15.00 EUR")
	line.shows(".fact:has-text('You got')", "€15.00 EUR")
	line.shows(".fact:has-text('Packets')", "6")
	for name, tab := range pages {
		if tab.evaluate("() => window.notReloaded === true") != true {
			t.Errorf("%s was reloaded", name)
		}
	}
	line.shot("payment-arrives")
	if err := rita.page.BringToFront(); err != nil {
		t.Fatal(err)
	}
	rita.shot("home-arrives")

	js.connect(w.URL + "/paula").send(2_50)
	plain.open("/")
	plain.shows(".history li", "Received at "+plain.Pointer, "1 packet", "+€2.50 EUR")
}

// TestPagesRestWhileNobodyLooks: a page that can't be seen asks for nothing, and at once when it can be seen again.
func TestPagesRestWhileNobodyLooks(t *testing.T) {
	w := newWallet(t)
	w.start()
	rita := startBrowser(t).newPerson(w, "Rita", "EUR", true)
	asked := rita.evaluate(`async () => {
		let asked = 0, hidden = true;
		window.fetch = () => { asked++; return new Promise(() => {}); };
		Object.defineProperty(document, "hidden", {get: () => hidden});
		htmx.trigger(document.querySelector("[data-live]"), "every");
		await new Promise(done => setTimeout(done));
		const before = asked;
		hidden = false;
		document.dispatchEvent(new Event("visibilitychange"));
		await new Promise(done => setTimeout(done));
		return before + ", then " + asked;
	}`)
	if asked != "0, then 1" {
		t.Errorf("asked %v, want 0, then 1", asked)
	}
}

// shows waits until an element, of which there is one, shows all the texts.
func (tab *tab) shows(selector string, texts ...string) {
	tab.t.Helper()
	for _, text := range texts {
		if err := expect().Locator(tab.page.Locator(selector)).ToContainText(text); err != nil {
			tab.t.Fatalf("%s doesn't show %q in %s: %v", tab.page.URL(), text, selector, err)
		}
	}
}

// beside opens a path in another tab of the same browser.
func (t *tab) beside(path string) *tab {
	t.t.Helper()
	other := *t
	var err error
	if other.page, err = t.context.NewPage(); err != nil {
		t.t.Fatalf("open a tab: %v", err)
	}
	other.open(path)
	return &other
}

// payer is a peer that pays people of the wallet in euros, in packets of 2.50.
type payer struct {
	t    *testing.T
	link endpoint
}

// endpoint is the wallet as a peer's STREAM connections reach it.
type endpoint struct{ *ilphttp.Endpoint }

// SendPacket implements stream.Link.
func (e endpoint) SendPacket(ctx context.Context, p packet.Prepare) (packet.Reply, error) {
	return sendTo(ctx, e.Endpoint, p)
}

func newPayer(t *testing.T, w *wallet) *payer {
	t.Helper()
	printed, ok := w.command("admin", "peer", "add", "payer", "--ilp-address", "test.payer", "--asset", "EUR/2", "--incoming-token", tokenToUs,
		"--outgoing-url", loopback(freePorts(t, 1)[0]), "--outgoing-token", tokenToIt, "--credit-limit", "100000", "--max-packet", "250")
	if !ok {
		t.Fatal(printed)
	}
	client, err := ilphttp.NewClient(ilphttp.ClientConfig{
		Address: "test.payer", DialContext: guard.DialContext(true), AllowLoopback: true, Log: slog.New(slog.NewTextHandler(t.Output(), nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.CloseIdleConnections)
	e, err := client.Endpoint(ilphttp.EndpointConfig{Name: "wallet", URL: w.ILPURL, Token: tokenToUs})
	if err != nil {
		t.Fatal(err)
	}
	return &payer{t, endpoint{e}}
}

// paying is a STREAM connection to somebody.
type paying struct {
	t *testing.T
	*stream.Sender
}

// connect begins a connection to whom a URL of a payment pointer leads to.
func (p *payer) connect(to string) paying {
	p.t.Helper()
	details, err := spsp.Client{HTTP: http.DefaultClient}.Query(p.t.Context(), to)
	if err != nil {
		p.t.Fatal(err)
	}
	return paying{p.t, stream.NewSender(stream.SenderConfig{
		Link: p.link, Destination: details.DestinationAccount, Secret: details.SharedSecret, Clock: stream.SystemClock{}, Random: rand.Reader,
	})}
}

// send sends an amount, all of which has arrived when it returns.
func (c paying) send(amount uint64) {
	c.t.Helper()
	result, err := c.Send(c.t.Context(), stream.SendParams{Amount: amount, MinDelivered: amount, Asset: ilp.Asset{Code: "EUR", Scale: 2}})
	if err != nil || result.Delivered != amount {
		c.t.Fatalf("sent %d: %+v, %v", amount, result, err)
	}
}
