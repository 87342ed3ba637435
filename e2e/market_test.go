package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"testing"
)

// market is a wallet, with Hydra, and a shop that its people pay: a program that isn't the wallet's, and that its owner has
// registered on the page for developers. Its tests share it, each with windows of its own.
type market struct {
	t *testing.T
	*wallet
	*browser
	shop  string // URL
	flora *person
	ann   *person
	short *short // an agreement that expires while other tests run
}

// TestShop is what people do with apps that spend for them.
func TestShop(t *testing.T) {
	m := openMarket(t)
	for _, test := range []struct {
		name string
		run  func(*market)
	}{
		{"a bouquet is paid once", (*market).testBouquet},
		{"the customer says no", (*market).testDenied},
		{"the customer allows less", (*market).testLess},
		{"a subscription", (*market).testSubscription},
		{"an agreement that won't last", (*market).testShort},
		{"tips, and the limit is lowered meanwhile", (*market).testTips},
		{"from an account in another currency", (*market).testOtherCurrency},
		{"a second device ends it", (*market).testSecondDevice},
		{"the one that didn't last", (*market).testExpired},
		{"consent that isn't", (*market).testConsentIsGuarded},
		{"openid-client", (*market).testOpenIDClient},
		{"the books", (*market).testBooks},
	} {
		t.Run(test.name, func(t *testing.T) {
			own := m.in(t)
			test.run(own)
			m.short = own.short
		})
	}
}

// openMarket starts the wallet, signs Flora, who owns the shop, and Ann up, and starts the shop.
func openMarket(t *testing.T) *market {
	t.Helper()
	m := &market{t: t, wallet: startWallet(t), browser: startBrowser(t)}
	m.shop = fmt.Sprintf("http://localhost:%d", freePorts(t, 1)[0])
	m.flora = m.newPerson(m.wallet, "Flora", "USD", true)
	id, secret := m.register("Maua", m.shop+"/callback")
	m.ann = m.newPerson(m.wallet, "Ann", "USD", true)
	m.ann.addMoney("200.00")

	data := t.TempDir()
	file := filepath.Join(data, "secret")
	if err := os.WriteFile(file, []byte(secret+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	startProcess(t, []string{
		"SHOP_NAME=Maua", "SHOP_LISTEN=" + m.shop[len("http://"):], "SHOP_URL=" + m.shop, "SHOP_DATA=" + data,
		"SHOP_WALLET=" + m.URL, "SHOP_ISSUER=" + m.HydraURL, "SHOP_CLIENT_ID=" + id, "SHOP_SECRET_FILE=" + file,
		"SHOP_POINTER=" + m.flora.Pointer, "SHOP_ASSET=USD/2", "SHOP_STEM=150",
	}, "../bin/shop").await(m.shop)
	return m
}

// register registers an app of Flora's, as developers do it.
func (m *market) register(name, callback string) (id, secret string) {
	m.t.Helper()
	m.flora.open("/developers/apps/new")
	m.flora.fill("/developers/apps", "name", name)
	m.flora.fill("/developers/apps", "redirect_uris", callback)
	m.flora.submit("/developers/apps")
	m.flora.sees(name + " is registered")
	m.flora.shot("app-secret")
	told, err := m.flora.page.Locator(".pointer-text").AllInnerTexts()
	if err != nil || len(told) != 2 {
		m.t.Fatalf("the page tells %q, %v", told, err)
	}
	return told[1], told[0]
}

// in is the market for a test of its own: what goes wrong is that test's.
func (m *market) in(t *testing.T) *market {
	own := *m
	w, b := *m.wallet, *m.browser
	w.t, b.t = t, t
	own.t, own.wallet, own.browser = t, &w, &b
	return &own
}

// device is a new window in which somebody is logged in.
func (m *market) device(p *person) *person {
	m.t.Helper()
	there := &person{tab: m.newTab(m.URL, true), Name: p.Name, Email: p.Email, Pointer: p.Pointer}
	there.open("/login")
	there.logIn()
	there.arrives("/")
	m.t.Cleanup(func() {
		if err := there.context.Close(); err != nil {
			m.t.Error(err)
		}
	})
	return there
}

// isAt waits until the window is at the shop again, on a page about what was agreed.
func (m *market) isAt(p *person) {
	m.t.Helper()
	if err := expect().Page(p.page).ToHaveURL(regexp.MustCompile("^" + regexp.QuoteMeta(m.shop) + "/deals/")); err != nil {
		m.t.Fatalf("at %s, not at the shop: %v: %s", p.page.URL(), err, p.text())
	}
}

// opensAgreement opens the newest agreement in the wallet.
func (p *person) opensAgreement() {
	p.t.Helper()
	p.open("/agreements")
	if err := p.page.Locator("a.agreement-head").First().Click(); err != nil {
		p.t.Fatalf("open the agreement: %v: %s", err, p.text())
	}
	p.arrives("/agreements/.+")
}

// testBooks looks at the end whether all that happened adds up.
func (m *market) testBooks() {
	if output, ok := m.command("check"); !ok {
		m.t.Errorf("check beside the running wallet: %s", output)
	}
}
