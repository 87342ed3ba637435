package server

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"pochi/app/payments"
	"pochi/db"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"
)

// expect fails unless the answer has the status and shows all the texts.
func (a answer) expect(t testing.TB, what string, status int, texts ...string) answer {
	t.Helper()
	if a.Status != status {
		t.Errorf("%s: status %d, want %d: %s", what, a.Status, status, a.Body)
	}
	body := spaced(a.Body)
	for _, text := range texts {
		if !strings.Contains(body, text) {
			t.Errorf("%s: %q is not on the page", what, text)
		}
	}
	return a
}

// spaced has spaces where a page has some that don't break.
func spaced(body string) string { return strings.ReplaceAll(body, "\u00a0", " ") }

const pointerOf = "$localhost:3000/"

func TestEmptyHistory(t *testing.T) {
	ann := signUp(t, newWallet(t), "ann", "USD")
	ann.get("/history").expect(t, "a new person's history", http.StatusOK, "Nothing has moved yet")
}

func TestPayBetweenTwoPeople(t *testing.T) {
	s := newWallet(t)
	ann, ben := signUp(t, s, "ann", "USD"), signUp(t, s, "ben", "EUR")
	account := ann.account()
	ann.post("/deposit", "account", account, "amount", "100").expect(t, "deposit", http.StatusSeeOther)
	quote := ann.post("/send", "to", pointerOf+"ben", "account", account, "amount", "25", "side", "send").
		expect(t, "send", http.StatusSeeOther).Location
	ann.get(quote).expect(t, "quote", http.StatusOK, "$25.00", "€22.84", "1 USD = 0.9137 EUR", "Confirm and send")
	payment := ann.post(quote+"/confirm").expect(t, "confirm", http.StatusSeeOther).Location
	ann.get(payment).expect(t, "payment", http.StatusOK, "$25.00", "€22.84", "Delivered")
	ann.post(quote+"/confirm").expect(t, "confirm again", http.StatusSeeOther)
	ann.get(quote).expect(t, "the quote afterwards", http.StatusSeeOther)
	ann.get("/").expect(t, "Ann's home", http.StatusOK, "$75.00", "−$25.00", "Test money")
	ben.get("/").expect(t, "Ben's home", http.StatusOK, "€22.84", "+€22.84", "ann")
	ben.get(payment+"?side=in").expect(t, "Ben's side", http.StatusOK, "€22.84", "ann")
	cho := signUp(t, s, "cho", "JPY")
	for _, path := range []string{quote, payment, "/accounts/" + account, "/accounts/" + account + "/edit"} {
		cho.get(path).expect(t, "somebody else at "+path, http.StatusNotFound)
	}
}

// What a restore set aside is no payment that is being sent, nor one that
// failed: its person can tell.
func TestPaymentThatNeedsReview(t *testing.T) {
	s := newWallet(t)
	ann := signUp(t, s, "ann", "USD")
	signUp(t, s, "ben", "USD")
	account := ann.account()
	ann.post("/deposit", "account", account, "amount", "100").expect(t, "deposit", http.StatusSeeOther)
	quote := ann.post("/send", "to", pointerOf+"ben", "account", account, "amount", "25", "side", "send").
		expect(t, "send", http.StatusSeeOther).Location
	ann.get(quote) // for its token
	made := ann.post(quote+"/confirm").expect(t, "confirm", http.StatusSeeOther).Location
	ann.get(made).expect(t, "payment", http.StatusOK, "Delivered")
	id := uuid.New()
	payment := "/payments/" + id.String()
	const sentence = "We look into what became of it."
	err := s.db.Write(t.Context(), func(tx db.Tx) error {
		_, err := tx.ExecContext(t.Context(), `UPDATE outgoing_payments
			SET id = ?, state = 'sending', ended_at = NULL, sent_amount = 0, delivered_amount = 0`, id[:])
		if err == nil {
			_, err = payments.Park(t.Context(), tx)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	page := ann.get(payment).expect(t, "payment", http.StatusOK, "Needs review", sentence, "$25.00 USD stays reserved", "Still reserved")
	for _, unwanted := range []string{"Try again", "Send again", "every 2s", "Sending to"} {
		if strings.Contains(page.Body, unwanted) {
			t.Errorf("%q is on the page", unwanted)
		}
	}
	for _, path := range []string{"/", "/history", "/accounts/" + account} {
		ann.get(path).expect(t, path, http.StatusOK, "Needs review", "−$25.00")
	}
}

// Every page for people who are signed in sends others to the log-in page, and
// back.
func TestSignedOut(t *testing.T) {
	s := newWallet(t)
	b := newBrowser(t, s)
	for _, path := range []string{"/accounts", "/pointers", "/deposit", "/send", "/send?to=$x", "/payments/1", "/quotes/1", "/accounts/1"} {
		got := b.get(path).expect(t, path, http.StatusSeeOther)
		if !strings.HasPrefix(got.Location, "/login?next=") {
			t.Errorf("%s leads to %s", path, got.Location)
		}
	}
	signUp(t, s, "ann", "USD")
	for next, want := range map[string]string{
		"/accounts": "/accounts", "//evil.example/": "/", "https://evil.example/": "/", "/\\evil.example": "/", "": "/", "javascript:alert(1)": "/",
		"/\t/evil.example": "/", "/send?to=%24x": "/send?to=%24x",
	} {
		b := newBrowser(t, s)
		b.get("/login")
		got := b.post("/login", "email", "ann@example.com", "password", "correct horse battery", "next", next)
		if got.Status != http.StatusSeeOther || got.Location != want {
			t.Errorf("next %q leads to %d %q, want %q", next, got.Status, got.Location, want)
		}
	}
}

func TestSignUpKeepsWhatWasTyped(t *testing.T) {
	s := newWallet(t)
	b := newBrowser(t, s)
	b.get("/signup")
	got := b.post("/signup", "name", "Ann <b>", "email", "nowhere", "password", "password12", "pointer", "admin", "currency", "XXX")
	got.expect(t, "sign up", http.StatusUnprocessableEntity, `value="Ann &lt;b&gt;"`, `value="nowhere"`, `value="admin"`,
		"This name is reserved", "Choose one of the currencies")
	if strings.Contains(got.Body, "password12") {
		t.Error("the password is on the page")
	}
}

func TestStaleFormAfterLogOut(t *testing.T) {
	s := newWallet(t)
	ann := signUp(t, s, "ann", "USD")
	account, stale := ann.account(), ann.token
	ann.post("/logout").expect(t, "log out", http.StatusSeeOther)
	ann.token = stale
	ann.post("/deposit", "account", account, "amount", "5").expect(t, "stale form", http.StatusForbidden, "You are logged out", "Nothing was done")
	ann.origin = "https://evil.example"
	ann.get("/login")
	ann.post("/login", "email", "ann@example.com", "password", "correct horse battery").
		expect(t, "another site's form", http.StatusForbidden, "came from elsewhere")
}

func TestExpiredQuote(t *testing.T) {
	s := newWallet(t, "POCHI_QUOTE_TTL", "1ns")
	ann := signUp(t, s, "ann", "USD")
	signUp(t, s, "ben", "USD")
	account := ann.account()
	ann.post("/deposit", "account", account, "amount", "10")
	quote := ann.post("/send", "to", pointerOf+"ben", "account", account, "amount", "10", "side", "send").Location
	ann.get(quote).expect(t, "quote", http.StatusOK, "This quote has expired", "Get a new quote")
	ann.post(quote+"/confirm").expect(t, "confirm", http.StatusGone, "Nothing was taken")
	renewed := ann.post(quote+"/renew").expect(t, "renew", http.StatusSeeOther).Location
	if renewed == quote || !strings.HasPrefix(renewed, "/quotes/") {
		t.Errorf("renewed to %s", renewed)
	}
	ann.get("/").expect(t, "home", http.StatusOK, "$10.00")
}

func TestBadInputGetsASentence(t *testing.T) {
	s := newWallet(t)
	ann := signUp(t, s, "ann", "USD")
	signUp(t, s, "ben", "EUR")
	account := ann.account()
	ann.post("/deposit", "account", account, "amount", "10")
	for _, test := range []struct {
		name, path string
		form       []string
		status     int
		text       string
	}{
		{"no amount", "/send", []string{"to", pointerOf + "ben", "account", account, "amount", ""}, 422, "Enter an amount"},
		{"2^63", "/send", []string{"to", pointerOf + "ben", "account", account, "amount", "9223372036854775808"}, 422, "too large"},
		{"too much", "/send", []string{"to", pointerOf + "ben", "account", account, "amount", "10.01"}, 422, "10.00 USD"},
		{"nobody", "/send", []string{"to", pointerOf + "nobody", "account", account, "amount", "1"}, 422, "Nobody can be paid"},
		{"malformed", "/send", []string{"to", "$$$", "account", account, "amount", "1"}, 422, "payment pointer"},
		{"dead host", "/send", []string{"to", "$localhost:1/ben", "account", account, "amount", "1"}, 422, "answer"},
		{"no account", "/send", []string{"to", pointerOf + "ben", "account", "x", "amount", "1"}, 422, "Choose one of your accounts"},
		{"deposit of nothing", "/deposit", []string{"account", account, "amount", "0"}, 422, "more than 0"},
		{"rename to nothing", "/accounts/" + account, []string{"name", " "}, 422, "name"},
		{"close what a pointer pays", "/accounts/" + account + "/close", nil, 409, "pointer"},
		{"close nothing", "/accounts/7/close", nil, 404, "nothing"},
		{"pointer that is taken", "/pointers", []string{"name", "ben", "account", account}, 422, "Somebody has this name"},
		{"repoint nothing", "/pointers/7", []string{"account", account}, 404, "nothing"},
		{"confirm nothing", "/quotes/0194d0b0-0000-7000-8000-000000000001/confirm", nil, 404, "quote"},
	} {
		ann.post(test.path, test.form...).expect(t, test.name, test.status, test.text)
	}
	ann.get("/").expect(t, "home", http.StatusOK, "$10.00")
}

// Only a real connection refuses a body before it is read.
func TestOversizedBody(t *testing.T) {
	address := serve(t, newWallet(t))
	for _, size := range []int{70 << 10, 5 << 20} {
		for range 10 { // the answer must not be lost to a reset
			got, err := http.Post("http://"+address+"/send", fiber.MIMEApplicationForm, strings.NewReader(strings.Repeat("x", size)))
			if err != nil {
				t.Fatalf("%d bytes: %v", size, err)
			}
			body, err := io.ReadAll(got.Body)
			if err != nil || got.StatusCode != http.StatusRequestEntityTooLarge || !strings.Contains(string(body), "Nothing was done") {
				t.Errorf("%d bytes: %d, %v: %s", size, got.StatusCode, err, body)
			}
			got.Body.Close()
		}
	}
}

func TestPointerAnswersByWhatIsAskedFor(t *testing.T) {
	s := newWallet(t)
	signUp(t, s, "ben", "EUR")
	b := newBrowser(t, s)
	b.get("/ben").expect(t, "browser", http.StatusOK, "Pay ben", "$localhost:3000/ben", "Euro (EUR)")
	b.get("/nobody").expect(t, "unknown", http.StatusNotFound, "Nobody can be paid")
	secrets := map[string]bool{}
	for range 2 {
		r := httptest.NewRequest(http.MethodGet, "/ben", nil)
		r.Header.Set(fiber.HeaderAccept, "application/spsp4+json, application/spsp+json")
		got := b.do(r).expect(t, "SPSP", http.StatusOK, `"destination_account":"test.pochi.`, `"shared_secret":"`)
		if got.Header.Get("Content-Type") != "application/spsp4+json" || got.Header.Get("Access-Control-Allow-Origin") != "*" {
			t.Errorf("headers %v", got.Header)
		}
		secrets[got.Body] = true
	}
	if len(secrets) != 2 {
		t.Error("two queries got the same secret")
	}
	r := httptest.NewRequest(http.MethodGet, "/nobody", nil)
	r.Header.Set(fiber.HeaderAccept, "application/spsp4+json")
	b.do(r).expect(t, "SPSP of nobody", http.StatusNotFound, `"id":"InvalidReceiverError"`)
}

func TestEveryPageRefusesToBeFramed(t *testing.T) {
	s := newWallet(t)
	ann := signUp(t, s, "ann", "USD")
	for _, path := range []string{"/", "/accounts", "/pointers", "/send", "/deposit", "/ann", "/no-such-page", "/oauth/consent", "/oauth/login",
		"/oauth/error", "/static/app.css", "/api/me"} {
		policy := ann.get(path).Header.Get("Content-Security-Policy")
		if !strings.Contains(policy, "frame-ancestors 'none'") {
			t.Errorf("%s: %q", path, policy)
		}
	}
}

// Without Hydra only what needs it says so.
func TestHydraDown(t *testing.T) {
	s := newWallet(t)
	ann := signUp(t, s, "ann", "USD")
	ann.get("/oauth/consent?consent_challenge=x").expect(t, "consent", http.StatusServiceUnavailable, "Apps can")
	ann.get("/").expect(t, "home", http.StatusOK)
	recorder := httptest.NewRecorder()
	s.health.ServeHTTP(recorder, httptest.NewRequest(http.MethodGet, "/healthz", nil))
	if body := recorder.Body.String(); recorder.Code != http.StatusOK || !strings.Contains(body, `"hydra":"unreachable"`) ||
		!strings.Contains(body, `"database":"ok"`) {
		t.Errorf("health %d %s", recorder.Code, body)
	}
}

// What helps on a laptop must not be there in production.
func TestProductionHasNoConveniences(t *testing.T) {
	s := newWallet(t, "POCHI_ENV", "production", "POCHI_SECRET", strings.Repeat("s", 32),
		"POCHI_PUBLIC_URL", "https://wallet.example", "POCHI_HYDRA_PUBLIC_URL", "https://id.wallet.example", "POCHI_TRUSTED_PROXIES", "none", "POCHI_ILP_ADDRESS", "g.wallet", "POCHI_RATES", "USD=1,EUR=0.9,GBP=0.8,JPY=150,KES=130,MXN=18")
	b := newBrowser(t, s)
	b.origin = "https://wallet.example"
	b.get("/signup")
	b.post("/signup", "name", "ann", "email", "ann@example.com", "password", "correct horse battery", "pointer", "ann", "currency", "USD").
		expect(t, "sign up", http.StatusSeeOther)
	for name, cookie := range b.cookies {
		if !strings.HasPrefix(name, "__Host-pochi") || !cookie.Secure || !cookie.HttpOnly {
			t.Errorf("cookie %v", cookie)
		}
	}
	account := b.account()
	if strings.Contains(b.get("/").Body, "test money") {
		t.Error("home offers test money")
	}
	b.get("/deposit").expect(t, "faucet", http.StatusNotFound)
	b.post("/deposit", "account", account, "amount", "5").expect(t, "faucet", http.StatusNotFound)
	b.get("/")
	b.post("/send", "to", "$localhost:3000/ann", "account", account, "amount", "1").expect(t, "port", http.StatusUnprocessableEntity, "port")
	b.post("/send", "to", "$localhost/ann", "account", account, "amount", "0.01").expect(t, "loopback", http.StatusUnprocessableEntity)
}

func TestConfirmClickedManyTimesAtOnce(t *testing.T) {
	s := newWallet(t)
	ann, ben := signUp(t, s, "ann", "USD"), signUp(t, s, "ben", "USD")
	account := ann.account()
	ann.post("/deposit", "account", account, "amount", "10")
	quote := ann.post("/send", "to", pointerOf+"ben", "account", account, "amount", "10", "side", "send").Location
	ann.get(quote)
	var clicks sync.WaitGroup
	for range 5 {
		tab := *ann
		tab.cookies = map[string]*http.Cookie{}
		for name, cookie := range ann.cookies {
			tab.cookies[name] = cookie
		}
		clicks.Go(func() { tab.post(quote+"/confirm").expect(t, "confirm", http.StatusSeeOther) })
	}
	clicks.Wait()
	ann.get("/").expect(t, "Ann's home", http.StatusOK, "$0.00")
	ben.get("/").expect(t, "Ben's home", http.StatusOK, "$10.00")
}
