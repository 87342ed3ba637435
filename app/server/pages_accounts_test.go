package server

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// accountNamed returns the id of the person's open account of a name.
func (b *browser) accountNamed(name string) string {
	b.t.Helper()
	page := b.get("/accounts").Body
	_, rest, found := strings.Cut(page, `aria-label="History of `+name+`"`)
	link := accountLink.FindAllStringSubmatch(page[:len(page)-len(rest)], -1)
	if !found || len(link) == 0 {
		b.t.Fatalf("no account %s among the accounts", name)
	}
	return link[len(link)-1][1]
}

func TestClosedAccountsAreListed(t *testing.T) {
	s := newWallet(t)
	ann, ben := signUp(t, s, "ann", "USD"), signUp(t, s, "ben", "USD")
	if page := ann.get("/accounts").Body; strings.Contains(page, "Closed accounts") {
		t.Error("a list of no closed accounts")
	}
	ann.post("/accounts", "currency", "EUR", "name", "Trip").expect(t, "open", http.StatusSeeOther)
	id := ann.accountNamed("Trip")
	ann.post("/accounts/"+id+"/close").expect(t, "close", http.StatusSeeOther)
	page := ann.get("/accounts").expect(t, "accounts", http.StatusOK, "Closed accounts", "Trip", `href="/accounts/`+id+`"`).Body
	for _, action := range []string{"/accounts/" + id + "/edit", "/accounts/" + id + "/close"} {
		if strings.Contains(page, action) {
			t.Errorf("the closed account offers %s", action)
		}
	}
	show := ann.get("/accounts/"+id).expect(t, "its page", http.StatusOK, "Trip", "closed").Body
	if strings.Contains(show, "No payment pointer pays into this account yet") {
		t.Error("the closed account waits for a pointer")
	}
	if page := ann.get("/send").Body; strings.Contains(page, "Trip") {
		t.Error("money can be sent from a closed account")
	}
	if page := ben.get("/accounts").Body; strings.Contains(page, "Trip") {
		t.Error("Ben sees what Ann closed")
	}
}

func TestAllThatKeepsAnAccountOpen(t *testing.T) {
	s := newWallet(t)
	ann := signUp(t, s, "ann", "USD")
	account := ann.account()
	keeps := func(what, want string) {
		t.Helper()
		ann.get("/accounts").expect(t, what, http.StatusOK, "Can be closed once "+want+".", `<a href="/pointers">`)
		ann.post("/accounts/"+account+"/close").
			expect(t, what+", closed nonetheless", http.StatusConflict, "The account can be closed once "+want+".")
	}
	keeps("a pointer pays it", "no payment pointer pays it")
	ann.post("/deposit", "account", account, "amount", "5").expect(t, "deposit", http.StatusSeeOther)
	keeps("and there is money in it", "it is empty and no payment pointer pays it")
}

func TestAccountsWithoutAName(t *testing.T) {
	s := newWallet(t)
	ann := signUp(t, s, "ann", "USD")
	for range 3 {
		ann.post("/accounts", "currency", "USD").expect(t, "open", http.StatusSeeOther)
	}
	ann.get("/accounts").expect(t, "accounts", http.StatusOK, "Rename USD\"", "Rename USD 2\"", "Rename USD 3\"")
}

func TestPointerOfOnesOwnAgain(t *testing.T) {
	s := newWallet(t)
	ann := signUp(t, s, "ann", "USD")
	ann.post("/pointers", "name", "Ann", "account", ann.account()).
		expect(t, "add", http.StatusUnprocessableEntity, "Payment pointer: You have this pointer already.")
}

func TestSummaryNamesTheField(t *testing.T) {
	s := newWallet(t)
	b := newBrowser(t, s)
	b.get("/signup")
	b.post("/signup", "name", "Ann", "email", "ann@example.com", "password", "short", "pointer", "ann", "currency", "USD").
		expect(t, "sign up", http.StatusUnprocessableEntity, `<a href="#field-password">Password: Use at least 10 characters.</a>`)
}

// While a pointer is typed nothing is wrong yet, and another wallet isn't asked.
func TestPayeeWhileTyping(t *testing.T) {
	s := newWallet(t)
	ann := signUp(t, s, "ann", "USD")
	signUp(t, s, "ben", "EUR")
	for _, test := range []struct{ typed, want string }{
		{"$", "payment pointer"},
		{pointerOf + "be", "Nobody can be paid"},
		{pointerOf + "ben", "gets EUR"},
		{"$other.example/ben", "Another wallet. It is checked when you continue."},
	} {
		hint := ann.get("/send/payee?to="+url.QueryEscape(test.typed)).expect(t, test.typed, http.StatusOK, test.want).Body
		if avatar := strings.Contains(hint, "avatar"); avatar != (test.want == "gets EUR") {
			t.Errorf("%s: shown as a person: %t", test.typed, avatar)
		}
		if strings.Contains(hint, "<svg") || strings.Contains(hint, "bad") {
			t.Errorf("%s raises alarm: %s", test.typed, hint)
		}
	}
}
