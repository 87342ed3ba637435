package server

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// again asks for a page as it does itself, with what it shows.
func (b *browser) again(path, shown string) answer {
	b.t.Helper()
	r := httptest.NewRequest(http.MethodGet, path, nil)
	r.Header.Set("HX-Request", "true")
	r.Header.Set("If-None-Match", shown)
	return b.do(r)
}

// A page that asks for itself is told when nothing has changed for it, whatever
// else is written, and never what somebody else may see.
func TestLivePages(t *testing.T) {
	s := newWallet(t)
	ann, ben := signUp(t, s, "ann", "USD"), signUp(t, s, "ben", "USD")
	account := ann.account()
	for _, path := range []string{"/", "/history", "/accounts/" + account} {
		page := ann.get(path).expect(t, path, http.StatusOK, `hx-get="`+path+`"`, `hx-trigger="every 2s"`)
		shown := page.Header.Get("ETag")
		if still := ann.again(path, shown).expect(t, path+" again", http.StatusNotModified); still.Body != "" || still.Header.Get("ETag") != shown {
			t.Errorf("%s: %q, %q", path, still.Header.Get("ETag"), still.Body)
		}
		ben.post("/deposit", "account", ben.account(), "amount", "7").expect(t, "Ben's deposit", http.StatusSeeOther)
		still := ann.again(path, shown).expect(t, path+" after another's deposit", http.StatusNotModified)
		if newer := still.Header.Get("ETag"); newer == shown || newer == "" {
			t.Errorf("%s: what was written is not told from what was before: %s", path, newer)
		}
		ann.again(path, still.Header.Get("ETag")).expect(t, path+" after that", http.StatusNotModified)
		ann.post("/deposit", "account", account, "amount", "10").expect(t, "Ann's deposit", http.StatusSeeOther)
		ann.again(path, still.Header.Get("ETag")).expect(t, path+" after her deposit", http.StatusOK, "+$10.00")
	}
	ann.again("/history?before=x", "").expect(t, "an older page", http.StatusOK)
	if page := ann.get("/history?before=x"); strings.Contains(page.Body, "every 2s") {
		t.Error("an older page asks for the newest")
	}

	shown := ann.get("/").Header.Get("ETag")
	ben.again("/", shown).expect(t, "Ben with Ann's page", http.StatusOK, "+$7.00")
	ann.post("/logout").expect(t, "log out", http.StatusSeeOther)
	if page := ann.again("/", shown).expect(t, "logged out", http.StatusOK); strings.Contains(page.Body, `id="live"`) {
		t.Error("there is something to swap in")
	}
}

// The news of what led to a page aren't lost to one that asks for itself.
func TestLivePagesLeaveTheNews(t *testing.T) {
	s := newWallet(t)
	ann := signUp(t, s, "ann", "USD")
	const news = "The test money is in your account."
	ann.post("/deposit", "account", ann.account(), "amount", "10").expect(t, "deposit", http.StatusSeeOther)
	if page := ann.again("/", "").expect(t, "home again", http.StatusOK); strings.Contains(page.Body, news) {
		t.Error("the news are told to nobody")
	}
	ann.get("/").expect(t, "home", http.StatusOK, news)
}
