package server

import (
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
)

// The API reference says all that the document does for apps, with lines to copy.
func TestAPIReference(t *testing.T) {
	s := newWallet(t, "POCHI_PUBLIC_URL", "https://wallet.example", "POCHI_HYDRA_PUBLIC_URL", "https://id.wallet.example")
	page := newBrowser(t, s).get("/developers/api").expect(t, "logged out", http.StatusOK,
		"curl -X POST https://wallet.example/api/agreements/ID/charges", "Idempotency-Key: IDEMPOTENCY_KEY", "https://id.wallet.example/oauth2/token",
		"audience=https://wallet.example", "agreements:propose", "Bearer TOKEN", `href="https://wallet.example/api/openapi.json"`, `id="type-Charge"`)
	for _, id := range regexp.MustCompile(`href="#([^"]+)"`).FindAllStringSubmatch(page.Body, -1) {
		if !strings.Contains(page.Body, `id="`+id[1]+`"`) {
			t.Errorf("nothing is at #%s", id[1])
		}
	}
	for _, path := range []string{"/developers", "/developers/apps/new", "/agreements"} {
		newBrowser(t, s).get(path).expect(t, path, http.StatusSeeOther)
	}
	if strings.Contains(page.Body, "`") || !strings.Contains(page.Body, "<code>audience</code>") {
		t.Error("names in texts aren't shown as code")
	}
}

// TestFirstLoads checks that no page is over 100 kB with all that a browser loads
// for it, as it travels.
func TestFirstLoads(t *testing.T) {
	const limit = 100_000 // bytes
	_, s, ann := developer(t)
	app, _ := ann.register()
	ann.post("/deposit", "account", ann.account(), "amount", "100").expect(t, "deposit", http.StatusSeeOther)
	agreement := "/agreements/" + ann.allow(1200, nil).String()
	signUp(t, s, "ben", "USD")
	for _, path := range []string{
		"/", "/agreements", agreement, agreement + "/lower", agreement + "/revoke", "/developers", "/developers/apps/new", app, app + "/edit", app + "/delete", "/developers/api",
	} {
		page := ann.get(path).expect(t, path, http.StatusOK)
		total := len(page.Body)
		for _, file := range regexp.MustCompile(`(?:src|href)="(/static/[^"]+|/apps/[^"]+)"`).FindAllStringSubmatch(page.Body, -1) {
			r := httptest.NewRequest(http.MethodGet, file[1], nil)
			r.Header.Set("Accept-Encoding", "gzip")
			total += len(ann.do(r).expect(t, file[1], http.StatusOK).Body)
		}
		if total > limit {
			t.Errorf("%s: %d bytes", path, total)
		}
	}
}
