package e2e

import (
	"net/http"
	"strings"
	"testing"
)

// TestEveryPage takes the pictures of all pages that a person can reach without an app; those with one, and those
// with errors, are taken where they come up.
func TestEveryPage(t *testing.T) {
	w := startWallet(t)
	browser := startBrowser(t)
	stranger := browser.newTab(w.URL, true)
	stranger.open("/")
	stranger.shot("landing")
	stranger.open("/signup")
	stranger.shot("signup")
	stranger.open("/login")
	stranger.shot("login")

	ann := browser.newPerson(w, "Ann", "USD", true)
	ann.shot("home-empty")
	ben := browser.newPerson(w, "Ben", "EUR", true)
	ann.open("/deposit")
	ann.shot("deposit")
	ann.addMoney("1240.50")
	ann.open("/send")
	ann.shot("send")
	ann.quote(ben.Pointer, "25.00", sideSend)
	ann.shot("quote")
	ann.confirm()
	ann.shot("payment")
	ann.quote(ben.Pointer, "7.20", sideReceive)
	ann.confirm()
	ann.open("/")
	ann.shot("home")
	ann.history()
	ann.shot("account")
	ben.history()
	if err := ben.page.Locator(".history a").First().Click(); err != nil {
		t.Fatal(err)
	}
	ben.arrives("/payments/.+")
	ben.shot("payment-in")

	ann.open("/ben")
	ann.shot("pay")
	ann.open("/ann")
	ann.shot("pay-own")
	stranger.open("/ben")
	stranger.shot("pay-stranger")
	stranger.open("/nobody-has-this-name")
	stranger.shot("not-found")
}

func TestAccountsAndPointers(t *testing.T) {
	w := startWallet(t)
	browser := startBrowser(t)
	ann := browser.newPerson(w, "Ann", "USD", true)
	ben := browser.newPerson(w, "Ben", "USD", true)

	for name, currency := range map[string]string{"Trip": "JPY", "Spare": "GBP"} {
		ann.open("/accounts")
		ann.choose("/accounts", "currency", currency)
		ann.fill("/accounts", "name", name)
		ann.submit("/accounts")
		ann.open("/accounts")
		ann.sees(name)
	}
	ann.shot("accounts")

	ann.open("/pointers")
	ann.fill("/pointers", "name", "ann2")
	ann.choose("/pointers", "account", ann.option("/pointers", "account", "Trip"))
	ann.submit("/pointers")
	ann.open("/pointers")
	ann.sees("/ann2")
	ann.shot("pointers")
	ann.open("/pointers")
	ann.fill("/pointers", "name", "ben")
	ann.submit("/pointers")
	ann.complains("name", "ben")

	ben.addMoney("10.00")
	ben.pay(strings.Replace(ann.Pointer, "/ann", "/ann2", 1), "10.00")
	ann.open("/accounts")
	ann.press("Rename Trip")
	ann.shot("account-edit")
	if err := ann.page.GetByLabel("Name").Fill("Nippon"); err != nil {
		t.Fatal(err)
	}
	ann.press("Save")
	ann.sees("Nippon")
	ann.open("/accounts")
	ann.seesNot("Trip")

	ann.press("Close Spare")
	ann.open("/accounts")
	ann.sees("Nippon")
	ann.sees("Closed accounts")
	ann.press("Spare Pound sterling History")
	ann.sees("closed")
}

func TestPointerAnswersProgramsAndPeople(t *testing.T) {
	w := startWallet(t)
	ben := newVisitor(t, w)
	ben.signUp(t, "Ben", "EUR")

	status, body := fetch(t, w.URL+"/ben", "Accept", "application/spsp4+json")
	if status != http.StatusOK || !strings.Contains(body, "destination_account") || !strings.Contains(body, "shared_secret") {
		t.Errorf("SPSP: %d %s", status, body)
	}
	status, body = fetch(t, w.URL+"/ben", "Accept", "text/html")
	if status != http.StatusOK || !strings.Contains(body, "Ben") {
		t.Errorf("pay page: %d %s", status, body)
	}
	if status, _ = fetch(t, w.URL+"/nobody", "Accept", "application/spsp4+json"); status != http.StatusNotFound {
		t.Errorf("SPSP of nobody: %d, want 404", status)
	}
}
