package e2e

import (
	"encoding/json"
	"fmt"
	"html"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/playwright-community/playwright-go"
	"golang.org/x/oauth2"
)

const flowers = `[{"type":"agreement","description":"Flowers, once a month","amount":{"value":"1200","assetCode":"EUR","assetScale":2},"interval":"R/P1M"}]`

// startAgreement is start for an app that asks for an agreement.
func (c *client) startAgreement(details string) string {
	return c.config.AuthCodeURL("state-of-"+c.Name, oauth2.S256ChallengeOption(c.verifier), oauth2.SetAuthURLParam("authorization_details", details))
}

// extra is what Hydra says besides of a token.
func (c *client) extra(w *wallet, token string) map[string]any {
	c.t.Helper()
	answer, err := http.PostForm(w.HydraAdmin+"/admin/oauth2/introspect", url.Values{"token": {token}})
	if err != nil {
		c.t.Fatal(err)
	}
	defer answer.Body.Close()
	var told struct{ Ext map[string]any }
	if err := json.NewDecoder(answer.Body).Decode(&told); err != nil {
		c.t.Fatal(err)
	}
	return told.Ext
}

func TestAnAppIsAllowedToSpend(t *testing.T) {
	for _, mode := range []struct {
		name    string
		scripts bool
	}{{"with JavaScript", true}, {"without JavaScript", false}} {
		t.Run(mode.name, func(t *testing.T) {
			w := startWallet(t)
			shop := newClient(w, "Flower Shop", "openid", "agreement")
			ann := startBrowser(t).newPerson(w, "Ann", "USD", mode.scripts)
			ann.addMoney("1240.50")

			ann.open(shop.startAgreement(flowers))
			ann.sees("Allow Flower Shop to spend your money?")
			ann.sees("every month")
			ann.sees("Flowers, once a month")
			ann.sees("About $13.13 USD for €12.00 EUR")
			ann.sees("At most €144.00 EUR in the first year")
			ann.shot("consent-agreement")
			ann.fill("/oauth/consent", "amount", "20")
			ann.press("Allow")
			ann.sees("allow €12.00 EUR or less")
			ann.shot("consent-agreement-too-much")
			ann.fill("/oauth/consent", "amount", "10")
			if mode.scripts {
				ann.sees("At most €120.00 EUR in the first year")
			}
			ann.press("Allow")
			ann.sees("Back at Flower Shop")
			if id := shop.extra(w, shop.token().AccessToken)["agreement"]; id == nil {
				t.Error("the token names no agreement")
			}

			ann.open(shop.startAgreement(flowers)) // asked again: nothing is remembered
			ann.sees("Allow Flower Shop to spend your money?")
			ann.press("Deny")
			ann.sees("Back at Flower Shop")
			if got := shop.brought().Get("error"); got != "access_denied" {
				t.Errorf("the app was told %q, want access_denied", got)
			}
		})
	}
}

// Another site can neither show the consent page as its own, nor send its form.
func TestNobodyElseConsents(t *testing.T) {
	w := startWallet(t)
	shop := newClient(w, "Flower Shop", "openid", "agreement")
	ann := startBrowser(t).newPerson(w, "Ann", "EUR", true)
	ann.open(shop.startAgreement(flowers))
	ann.sees("Allow Flower Shop to spend your money?")
	consent := ann.page.URL()
	fields := ""
	for _, name := range []string{"csrf_token", "consent_challenge", "seal", "account", "amount"} {
		value := ann.field("/oauth/consent", name)
		if value == "" {
			t.Fatalf("the form has no %s", name)
		}
		fields += fmt.Sprintf(`<input name="%s" value="%s">`, name, html.EscapeString(value))
	}
	evil := httptest.NewServer(http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(out, `<!DOCTYPE html><main><iframe src="%s"></iframe><form method="post" action="%s">%s<button name="decision" value="allow">Win</button></form></main>`,
			html.EscapeString(consent), w.URL+"/oauth/consent", fields)
	}))
	defer evil.Close()

	// At another port of localhost it gets all cookies of the wallet: only the wallet itself is in its way.
	window := ann.elsewhere(strings.Replace(evil.URL, "127.0.0.1", "localhost", 1))
	if text, err := window.FrameLocator("iframe").Locator("body").TextContent(); err == nil && strings.Contains(text, "Flower Shop") {
		t.Error("the consent page is shown in another site's frame")
	}
	if err := window.GetByRole("button").Click(); err != nil {
		t.Fatal(err)
	}
	if err := expect().Locator(window.Locator("main")).ToContainText("Nothing was done"); err != nil {
		t.Errorf("another site's form: %v", err)
	}
	ann.open(consent) // which nobody has answered
	ann.press("Deny")
	ann.sees("Back at Flower Shop")
	if got := shop.brought().Get("error"); got != "access_denied" {
		t.Errorf("the app was told %q, want access_denied", got)
	}
}

// field is the value of a form's field, of the chosen one among several.
func (tab *tab) field(action, name string) string {
	tab.t.Helper()
	found, err := tab.form(action).Locator(fmt.Sprintf("[name=%q]", name)).All()
	if err != nil || len(found) == 0 {
		tab.t.Fatalf("%s of %s: %d, %v", name, action, len(found), err)
	}
	value, err := found[0].InputValue()
	if err != nil {
		tab.t.Fatal(err)
	}
	return value
}

// elsewhere opens another site's page in the same browser, with the same cookies. What its console says is its own.
func (tab *tab) elsewhere(address string) playwright.Page {
	tab.t.Helper()
	tab.context.RemoveListeners("console")
	page, err := tab.context.NewPage()
	if err != nil {
		tab.t.Fatal(err)
	}
	if _, err := page.Goto(address); err != nil {
		tab.t.Fatal(err)
	}
	return page
}
