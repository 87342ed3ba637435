package e2e

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

func TestSignUpSaysWhatIsWrong(t *testing.T) {
	w := startWallet(t)
	browser := startBrowser(t)
	browser.newPerson(w, "Ann", "USD", true)

	for _, scripts := range []bool{true, false} {
		eve := &person{tab: browser.newTab(w.URL, scripts), Name: "Eve", Email: "eve@example.com"}
		for _, wrong := range []struct{ field, value string }{
			{"name", ""},
			{"name", strings.Repeat("e", 500)},
			{"email", "eve"},
			{"email", "ann@example.com"},
			{"pointer", ""},
			{"pointer", "e v e"},
			{"pointer", "ann"},
			{"pointer", "login"},
			{"pointer", strings.Repeat("e", 500)},
			{"password", ""},
			{"password", "short"},
			{"password", "password1234"},
		} {
			eve.open("/signup")
			eve.fill("/signup", "name", "Eve")
			eve.fill("/signup", "email", eve.Email)
			eve.fill("/signup", "password", password)
			eve.fill("/signup", "pointer", "eve")
			eve.choose("/signup", "currency", "JPY")
			eve.fill("/signup", wrong.field, wrong.value)
			eve.submit("/signup")
			if wrong.field == "password" {
				eve.complains("password", "") // never sent back
			} else {
				eve.complains(wrong.field, wrong.value)
			}
			if kept := eve.value("/signup", "currency"); kept != "JPY" {
				t.Errorf("after %s=%q, the currency became %q", wrong.field, wrong.value, kept)
			}
		}
		eve.shot("signup-errors")
	}
}

func TestLogInAndOut(t *testing.T) {
	w := startWallet(t)
	browser := startBrowser(t)
	ann := browser.newPerson(w, "Ann", "USD", true)
	ann.logOut()

	ann.open("/accounts") // asks to log in, then goes there
	ann.logIn()
	ann.arrives("/accounts")
	ann.logOut()

	messages := map[string]bool{}
	for _, email := range []string{"ann@example.com", "nobody@example.com"} {
		ann.open("/login")
		ann.fill("/login", "email", email)
		ann.fill("/login", "password", "not the password")
		ann.submit("/login")
		ann.sees("The e-mail or the password is wrong.")
		text, err := ann.page.Locator("[data-error-summary]").InnerText()
		if err != nil {
			t.Fatal(err)
		}
		messages[text] = true
		if kept := ann.value("/login", "email"); kept != email {
			t.Errorf("the e-mail became %q", kept)
		}
	}
	ann.shot("login-errors")
	if len(messages) != 1 {
		t.Errorf("the messages tell whether an e-mail exists: %v", messages)
	}
}

func TestFormFromBeforeLogOut(t *testing.T) {
	w := startWallet(t)
	browser := startBrowser(t)
	ben := browser.newPerson(w, "Ben", "USD", true)
	ann := browser.newPerson(w, "Ann", "USD", true)
	ann.addMoney("100.00")
	ann.quote(ben.Pointer, "10.00", sideSend)

	other, err := ann.context.NewPage()
	if err != nil {
		t.Fatal(err)
	}
	second := &person{tab: &tab{t: t, base: w.URL, context: ann.context, page: other}, Name: "Ann"}
	second.open("/")
	second.logOut()

	ann.submit("/confirm")
	poll(t, startMax, "the page says that it is stale, or asks to log in", func() bool {
		text := ann.text()
		return strings.Contains(text, "out of date") || strings.Contains(text, "Log in")
	})
	ann.open("/login")
	ann.logIn()
	ann.arrives("/")
	ann.holds("100.00")
}

func TestRequestsThatNoPageMakes(t *testing.T) {
	w := startWallet(t)
	ann := newVisitor(t, w)
	ann.signUp(t, "Ann", "USD")
	deposit, err := ann.get("/deposit")
	if err != nil {
		t.Fatal(err)
	}
	form, ok := findForm(deposit.Body, "/deposit")
	if !ok {
		t.Fatal("no form to add money")
	}
	form.Set("amount", "1.00")

	forged := url.Values{"csrf_token": {"forged"}, "account": form["account"], "amount": {"1.00"}}
	without := url.Values{"account": form["account"], "amount": {"1.00"}}
	huge := url.Values{"amount": {strings.Repeat("1", 200<<10)}, "csrf_token": form["csrf_token"]}
	for name, c := range map[string]struct {
		path string
		form url.Values
		want int
	}{
		"forged token": {"/deposit", forged, http.StatusForbidden},
		"no token":     {"/deposit", without, http.StatusForbidden},
		"huge body":    {"/deposit", huge, http.StatusRequestEntityTooLarge},
		"no such page": {"/nothing/here", form, http.StatusNotFound},
	} {
		got, err := ann.post(c.path, c.form)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if got.Status != c.want {
			t.Errorf("%s: status %d, want %d", name, got.Status, c.want)
		}
	}
	elsewhere := *ann
	elsewhere.origin = "http://evil.example"
	if got, err := elsewhere.post("/deposit", form); err != nil || got.Status != http.StatusForbidden {
		t.Errorf("from another site: status %d, %v; want 403", got.Status, err)
	}
	if balance := ann.balance(t); balance != "0.00" {
		t.Errorf("the balance is %s, want 0.00", balance)
	}
}
