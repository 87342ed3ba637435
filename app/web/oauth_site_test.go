package web_test

import (
	"context"
	"html"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"pochi/app/accounts"
	"pochi/app/agreements"
	"pochi/app/api"
	"pochi/app/oauth"
	"pochi/app/problem"
	"pochi/app/sessions"
	"pochi/app/users"
	"pochi/app/web"
	"pochi/db"
	"pochi/ilp"
	"pochi/ilp/connector"
	"pochi/ilp/pointer"
	"pochi/ledger"
	"pochi/static"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"
)

func ann() users.User {
	return users.User{ID: uuid.MustParse("0194d0b0-0000-7000-8000-000000000001"), Name: "Ann", Email: "ann@example.com"}
}

func ben() users.User {
	return users.User{ID: uuid.MustParse("0194d0b0-0000-7000-8000-000000000002"), Name: "Ben", Email: "ben@example.com"}
}

// knownUsers are Ann and Ben.
type knownUsers struct{ web.Users }

func (knownUsers) Find(_ context.Context, id uuid.UUID) (users.User, error) {
	for _, u := range []users.User{ann(), ben()} {
		if u.ID == id {
			return u, nil
		}
	}
	return users.User{}, problem.New(problem.NotFound, "There is no such person.")
}

// Authenticate knows everybody by one password.
func (knownUsers) Authenticate(_ context.Context, in users.LogIn) (users.User, error) {
	for _, u := range []users.User{ann(), ben()} {
		if u.Email == in.Email && in.Password == "correct horse" {
			return u, nil
		}
	}
	return users.User{}, problem.New(problem.Unauthenticated, "The e-mail or the password is wrong.")
}

// hydra answers challenges as it is told to, and keeps what was decided.
type hydra struct {
	login     oauth.LoginRequest
	consent   oauth.ConsentRequest
	logout    oauth.LogoutRequest
	err       error // of every question
	accepting error // of accepting a consent
	decided   []string
	granted   oauth.Grant
}

const (
	walletURL   = "http://wallet.example"
	hydraOrigin = "http://hydra.example:4444"
	onward      = hydraOrigin + "/oauth2/auth?verifier=v"
)

func (h *hydra) decide(what, challenge string) (string, error) {
	if h.err != nil {
		return "", h.err
	}
	h.decided = append(h.decided, what+" "+challenge)
	return onward, nil
}

func (h *hydra) Login(_ context.Context, challenge string) (oauth.LoginRequest, error) {
	request := h.login
	request.Challenge = challenge
	return request, h.err
}

func (h *hydra) AcceptLogin(_ context.Context, challenge, subject string) (string, error) {
	return h.decide("accept login of "+subject, challenge)
}

func (h *hydra) RejectLogin(_ context.Context, challenge string, reason oauth.Reason) (string, error) {
	return h.decide("reject login: "+reason.Code, challenge)
}

func (h *hydra) Consent(_ context.Context, challenge string) (oauth.ConsentRequest, error) {
	request := h.consent
	request.Challenge = challenge
	return request, h.err
}

func (h *hydra) AcceptConsent(_ context.Context, challenge string, grant oauth.Grant) (string, error) {
	if h.accepting != nil {
		return "", h.accepting
	}
	h.granted = grant
	return h.decide("accept consent", challenge)
}

func (h *hydra) RejectConsent(_ context.Context, challenge string, reason oauth.Reason) (string, error) {
	return h.decide("reject consent: "+reason.Code, challenge)
}

func (h *hydra) Logout(_ context.Context, challenge string) (oauth.LogoutRequest, error) {
	request := h.logout
	request.Challenge = challenge
	return request, h.err
}

func (h *hydra) AcceptLogout(_ context.Context, challenge string) (string, error) {
	return h.decide("accept logout", challenge)
}

func (h *hydra) RejectLogout(_ context.Context, challenge string) error {
	_, err := h.decide("reject logout", challenge)
	return err
}

// browser is somebody's browser in front of a wallet with the pages for apps.
type browser struct {
	t       *testing.T
	app     *fiber.App
	cookies map[string]*http.Cookie
}

// openBrowser starts a wallet whose Hydra is h.
func openBrowser(t *testing.T, h *hydra) *browser {
	t.Helper()
	return browseSite(t, web.OAuth{Logins: h, Consents: h, Logouts: h}, time.Now)
}

func browseSite(t *testing.T, pages web.OAuth, now func() time.Time) *browser {
	t.Helper()
	app, _ := newSite(t, walletURL, pages, now, nil)
	return &browser{t: t, app: app, cookies: map[string]*http.Cookie{}}
}

// newSite returns a wallet that has people, sessions and the pages for apps.
// Ann has an account in EUR, one in USD and one in JPY, Ben one in EUR. Agreements are the pages', or real ones when they have none.
// POST /test/login/ID logs somebody in. apis may be nil.
func newSite(t *testing.T, publicURL string, pages web.OAuth, now func() time.Time, apis *api.API) (*fiber.App, *agreements.Service) {
	t.Helper()
	d, err := db.Open(t.Context(), db.Options{
		URL: "sqlite:" + filepath.Join(t.TempDir(), "pochi.db"), Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	for _, u := range []users.User{ann(), ben()} {
		err := d.Write(t.Context(), func(tx db.Tx) error {
			_, err := tx.ExecContext(t.Context(), "INSERT INTO users (id, email, name, password_hash, created_at) VALUES (?, ?, ?, '', 0)", u.ID[:], u.Email, u.Name)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	books := openBooks(t, d, now)
	if pages.Approvals == nil {
		pages.Approvals = books.agreements
	}
	assets, err := static.New()
	if err != nil {
		t.Fatal(err)
	}
	csrf, err := web.NewCSRF(web.CSRFOptions{Key: make([]byte, 32), PublicURL: parsed(t, publicURL)})
	if err != nil {
		t.Fatal(err)
	}
	site := &web.Site{
		Users: knownUsers{}, Accounts: books, Rates: books, Guard: csrf.Protect, News: web.NewNews(parsed(t, publicURL), false), Limits: web.NewLimits(), Sessions: sessions.New(d, sessions.Options{CookieName: "pochi_test", Now: now}),
		OAuth: pages, Assets: assets, Currencies: []ledger.Asset{{Code: "USD", Scale: 2}},
		Host: "wallet.example", PublicURL: publicURL, Now: now, Log: slog.New(slog.DiscardHandler),
	}
	showError := fiber.ErrorHandler(site.ShowError)
	if apis != nil {
		showError = apis.OrElse(showError)
	}
	app := fiber.New(fiber.Config{Immutable: true, ReadBufferSize: 16 << 10, ErrorHandler: showError, DisableStartupMessage: true})
	app.Post("/test/login/:id", func(c *fiber.Ctx) error {
		id, err := uuid.Parse(c.Params("id"))
		if err != nil {
			return err
		}
		return site.Sessions.LogIn(c, id)
	})
	if apis != nil {
		apis.Register(app)
	}
	app.Use(web.SecurityHeaders(false))
	site.Routes(app)
	return app, books.agreements
}

// books are people's accounts and agreements. A dollar is 0.9137 euros.
type books struct {
	*accounts.Service
	agreements *agreements.Service
}

func openBooks(t *testing.T, d *db.DB, now func() time.Time) books {
	t.Helper()
	money, err := ledger.Open(t.Context(), d)
	if err != nil {
		t.Fatal(err)
	}
	assets := []ledger.Asset{{Code: "EUR", Scale: 2}, {Code: "USD", Scale: 2}, {Code: "JPY"}}
	for _, asset := range assets {
		if _, err := money.OpenAsset(t.Context(), asset, 0); err != nil {
			t.Fatal(err)
		}
		if _, err := money.OpenAuthority(t.Context(), asset); err != nil {
			t.Fatal(err)
		}
	}
	people := accounts.New(d, money, assets, now)
	for _, open := range []struct {
		who            users.User
		currency, name string
	}{{ann(), "USD", "Savings"}, {ann(), "EUR", "Everyday"}, {ben(), "EUR", "Everyday"}, {ann(), "JPY", "Tokyo"}} {
		if _, err := people.Open(t.Context(), open.who.ID, open.currency, open.name); err != nil {
			t.Fatal(err)
		}
	}
	return books{people, agreements.New(agreements.Config{
		DB: d, Writer: d.Writer, Ledger: money, Currencies: assets, Pointers: pointer.Parser{AllowLoopback: true}, Now: now, Log: slog.New(slog.DiscardHandler),
	})}
}

// Convert knows euros and dollars.
func (books) Convert(_ context.Context, amount uint64, from, to ilp.Asset) (uint64, error) {
	switch from.Code + to.Code {
	case "EURUSD":
		return amount * 10000 / 9137, nil
	case "USDEUR":
		return amount * 9137 / 10000, nil
	}
	return 0, connector.ErrNoRate
}

// reply is what the browser got.
type reply struct {
	Status   int
	Location string
	Policy   string // Content-Security-Policy
	Body     string
}

// shows tells whether the page has all these texts.
func (r reply) shows(texts ...string) bool {
	body := strings.ReplaceAll(html.UnescapeString(r.Body), "\u00a0", " ")
	for _, text := range texts {
		if !strings.Contains(body, text) {
			return false
		}
	}
	return true
}

func (b *browser) do(r *http.Request) reply {
	b.t.Helper()
	for _, cookie := range b.cookies {
		r.AddCookie(cookie)
	}
	r.Host = "wallet.example"
	response, err := b.app.Test(r, -1)
	if err != nil {
		b.t.Fatal(err)
	}
	defer response.Body.Close()
	for _, cookie := range response.Cookies() {
		b.cookies[cookie.Name] = cookie
		if cookie.MaxAge < 0 {
			delete(b.cookies, cookie.Name)
		}
	}
	body, err := io.ReadAll(response.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return reply{
		Status: response.StatusCode, Location: response.Header.Get("Location"),
		Policy: response.Header.Get("Content-Security-Policy"), Body: string(body),
	}
}

func (b *browser) get(target string) reply {
	b.t.Helper()
	return b.do(httptest.NewRequest(http.MethodGet, target, nil))
}

// post sends a form with the CSRF token of the page at target, as a browser
// does that has it open.
func (b *browser) post(target string, pairs ...string) reply {
	b.t.Helper()
	form := url.Values{"csrf_token": {b.csrfToken()}}
	for i := 0; i < len(pairs); i += 2 {
		form.Set(pairs[i], pairs[i+1])
	}
	r := httptest.NewRequest(http.MethodPost, target, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Origin", walletURL)
	return b.do(r)
}

// csrfToken reads the token from a form: who is signed in can log out on every
// page, others log in.
func (b *browser) csrfToken() string {
	b.t.Helper()
	for _, page := range []string{"/oauth/error", "/login"} {
		match := regexp.MustCompile(`name="csrf_token" value="([^"]*)"`).FindStringSubmatch(b.get(page).Body)
		if match != nil {
			return html.UnescapeString(match[1])
		}
	}
	b.t.Fatal("no form")
	return ""
}

func parsed(t *testing.T, text string) *url.URL {
	t.Helper()
	u, err := url.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// logIn signs somebody in, without the log-in page.
func (b *browser) logIn(u users.User) {
	b.t.Helper()
	if got := b.do(httptest.NewRequest(http.MethodPost, "/test/login/"+u.ID.String(), nil)); got.Status != http.StatusOK {
		b.t.Fatalf("log in: %d %s", got.Status, got.Body)
	}
}

// loggedIn tells whether the browser has a session.
func (b *browser) loggedIn() bool {
	return b.cookies["pochi_test"] != nil
}
