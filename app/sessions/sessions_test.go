package sessions_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pochi/app/problem"
	"pochi/app/sessions"
	"pochi/db"

	"github.com/gofiber/fiber/v2"
	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	gorilla "github.com/gorilla/sessions"
)

const day = 24 * time.Hour

// wallet is an app with the pages that sessions need, on a database of its own.
type wallet struct {
	t     *testing.T
	db    *db.DB
	store *sessions.Store
	app   *fiber.App
	now   time.Time
	ann   uuid.UUID
}

func newWallet(t *testing.T, opts sessions.Options) *wallet {
	t.Helper()
	d, err := db.Open(t.Context(), db.Options{URL: "sqlite:" + filepath.Join(t.TempDir(), "pochi.db")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	w := &wallet{t: t, db: d, now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
	w.ann = w.person("ann@example.org")
	opts.Now = func() time.Time { return w.now }
	if opts.CookieName == "" {
		opts.CookieName = "pochi_3000"
	}
	w.store = sessions.New(d, opts)
	w.app = fiber.New(fiber.Config{ErrorHandler: func(c *fiber.Ctx, err error) error {
		t.Log(err)
		return c.Status(problem.Status(err)).SendString(problem.MessageOf(err))
	}})
	w.app.Use(w.store.Load)
	w.app.Post("/login", func(c *fiber.Ctx) error { return w.store.LogIn(c, w.ann) })
	w.app.Post("/logout", func(c *fiber.Ctx) error { return w.store.LogOut(c) })
	w.app.Get("/*", func(c *fiber.Ctx) error {
		session, ok := sessions.Current(c)
		if !ok {
			return c.SendString("nobody")
		}
		return c.SendString(session.UserID.String())
	})
	return w
}

func (w *wallet) person(email string) uuid.UUID {
	id := uuid.New()
	err := w.db.Write(w.t.Context(), func(tx db.Tx) error {
		_, err := tx.ExecContext(w.t.Context(),
			"INSERT INTO users (id, email, name, password_hash, created_at) VALUES (?, ?, 'Ann', '', 0)", id[:], email)
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return id
}

func (w *wallet) rows() int {
	var n int
	if err := w.db.Read.QueryRowContext(w.t.Context(), "SELECT count(*) FROM sessions").Scan(&n); err != nil {
		w.t.Fatal(err)
	}
	return n
}

// browser keeps cookies as a browser does, but for their expiry.
type browser struct {
	*wallet
	cookies map[string]*http.Cookie
	agent   string
}

func (w *wallet) browser() *browser {
	return &browser{wallet: w, cookies: map[string]*http.Cookie{}, agent: "Test/1.0"}
}

// do returns the body and the cookies that the answer sets.
func (b *browser) do(method, path string) (string, []*http.Cookie) {
	b.t.Helper()
	req := httptest.NewRequest(method, path, nil)
	req.Header.Set("User-Agent", b.agent)
	for _, cookie := range b.cookies {
		req.AddCookie(cookie)
	}
	resp, err := b.app.Test(req, -1)
	if err != nil {
		b.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	for _, cookie := range resp.Cookies() {
		if cookie.MaxAge < 0 {
			delete(b.cookies, cookie.Name)
		} else {
			b.cookies[cookie.Name] = cookie
		}
	}
	return string(body), resp.Cookies()
}

// seenBy fails the test unless the page tells the user.
func (b *browser) seenBy(want string) {
	b.t.Helper()
	if got, _ := b.do("GET", "/"); got != want {
		b.t.Errorf("the page sees %q, want %q", got, want)
	}
}

func TestLogInAndOut(t *testing.T) {
	w := newWallet(t, sessions.Options{})
	b := w.browser()
	b.seenBy("nobody")
	b.do("POST", "/login")
	b.seenBy(w.ann.String())
	if w.rows() != 1 {
		t.Errorf("%d rows, want 1", w.rows())
	}
	copied := *b.cookies["pochi_3000"]
	b.do("POST", "/logout")
	b.seenBy("nobody")
	if len(b.cookies) != 0 || w.rows() != 0 {
		t.Errorf("after log-out: cookies %v, %d rows", b.cookies, w.rows())
	}
	b.cookies[copied.Name] = &copied
	b.seenBy("nobody")
}

func TestLogOutOfNobodyIsNoError(t *testing.T) {
	b := newWallet(t, sessions.Options{}).browser()
	if body, cookies := b.do("POST", "/logout"); body != "" || len(cookies) != 1 || cookies[0].MaxAge >= 0 {
		t.Errorf("got %q and cookies %v, want only the removal of the cookie", body, cookies)
	}
}

func TestCookie(t *testing.T) {
	for _, secure := range []bool{false, true} {
		w := newWallet(t, sessions.Options{CookieName: "name", Secure: secure})
		_, cookies := w.browser().do("POST", "/login")
		if len(cookies) != 1 {
			t.Fatalf("cookies = %v, want one", cookies)
		}
		got := *cookies[0]
		if token, err := base64.RawURLEncoding.DecodeString(got.Value); err != nil || len(token) != 32 {
			t.Errorf("value %q isn't 32 bytes", got.Value)
		}
		got.Value, got.Raw, got.RawExpires, got.Expires = "", "", "", time.Time{}
		want := http.Cookie{Name: "name", Path: "/", MaxAge: 30 * 24 * 60 * 60, Secure: secure, HttpOnly: true,
			SameSite: http.SameSiteLaxMode}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	}
}

func TestTheRowHoldsOnlyTheTokensHash(t *testing.T) {
	w := newWallet(t, sessions.Options{})
	b := w.browser()
	b.agent = strings.Repeat("é", 300) + "\xff"
	b.do("POST", "/login")
	token, err := base64.RawURLEncoding.DecodeString(b.cookies["pochi_3000"].Value)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(token)
	var agent, address string
	var user uuid.UUID
	var created, expires int64
	err = w.db.Read.QueryRowContext(t.Context(),
		"SELECT user_id, user_agent, address, created_at, expires_at FROM sessions WHERE token_hash = ?", sum[:]).
		Scan(&user, &agent, &address, &created, &expires)
	if err != nil {
		t.Fatal(err)
	}
	if user != w.ann || agent != strings.Repeat("é", 200) || address != "0.0.0.0" {
		t.Errorf("row has user %s, agent %q, address %q", user, agent, address)
	}
	if created != w.now.UnixMicro() || expires != w.now.Add(30*day).UnixMicro() {
		t.Errorf("row was created at %d, expires at %d", created, expires)
	}
}

func TestLogInAlwaysMakesANewSession(t *testing.T) {
	w := newWallet(t, sessions.Options{})
	b, other := w.browser(), w.browser()
	other.do("POST", "/login")
	b.do("POST", "/login")
	first := b.cookies["pochi_3000"]
	b.do("POST", "/login")
	if b.cookies["pochi_3000"].Value == first.Value {
		t.Error("the token is the same after a second log-in")
	}
	if w.rows() != 2 { // this browser's and the other one's
		t.Errorf("%d rows, want 2", w.rows())
	}
	b.seenBy(w.ann.String())
	other.seenBy(w.ann.String())
	b.cookies[first.Name] = first
	b.seenBy("nobody")
}

func TestUnknownTokensAreNobody(t *testing.T) {
	w := newWallet(t, sessions.Options{})
	valid := base64.RawURLEncoding.EncodeToString(make([]byte, 32))
	for _, value := range []string{"", "x", valid, valid + "A", valid[:42] + "B", strings.Repeat("A", 4000)} {
		b := w.browser()
		b.cookies["pochi_3000"] = &http.Cookie{Name: "pochi_3000", Value: value}
		b.seenBy("nobody")
		b.do("POST", "/login")
		b.seenBy(w.ann.String())
		if got := b.cookies["pochi_3000"].Value; got == value {
			t.Errorf("the browser chose its token: %q", got)
		}
	}
}

func TestBeingSeenIsWrittenEveryFiveMinutes(t *testing.T) {
	w := newWallet(t, sessions.Options{})
	b := w.browser()
	start := w.now
	b.do("POST", "/login")
	tests := []struct {
		after   time.Duration // since log-in
		written time.Duration // last_seen_at, since log-in
	}{
		{5*time.Minute - time.Microsecond, 0},
		{5 * time.Minute, 5 * time.Minute},
		{9 * time.Minute, 5 * time.Minute},
		{30 * time.Minute, 30 * time.Minute},
		{-time.Hour, 30 * time.Minute}, // the clock went back
	}
	for _, tt := range tests {
		w.now = start.Add(tt.after)
		_, cookies := b.do("GET", "/")
		var seen, expires int64
		err := w.db.Read.QueryRowContext(t.Context(), "SELECT last_seen_at, expires_at FROM sessions").Scan(&seen, &expires)
		if err != nil {
			t.Fatal(err)
		}
		want := start.Add(tt.written)
		if seen != want.UnixMicro() || expires != want.Add(30*day).UnixMicro() {
			t.Errorf("after %s: seen %s, expires %s", tt.after, time.UnixMicro(seen).UTC(), time.UnixMicro(expires).UTC())
		}
		if renewed := len(cookies) == 1; renewed != (tt.after == tt.written) {
			t.Errorf("after %s: cookie renewed: %t", tt.after, renewed)
		}
	}
}

func TestExpiry(t *testing.T) {
	w := newWallet(t, sessions.Options{})
	b := w.browser()
	b.do("POST", "/login")
	w.now = w.now.Add(30*day - time.Microsecond)
	b.seenBy(w.ann.String()) // which slides the end
	w.now = w.now.Add(30*day - time.Microsecond)
	b.seenBy(w.ann.String())
	w.now = w.now.Add(30 * day)
	b.seenBy("nobody")
	if w.rows() != 1 {
		t.Fatalf("%d rows, want the expired one", w.rows())
	}
	w.browser().do("POST", "/login")
	if w.rows() != 1 {
		t.Errorf("%d rows, want the expired one swept", w.rows())
	}
}

func TestASessionEndsInAnyCase(t *testing.T) {
	w := newWallet(t, sessions.Options{})
	b := w.browser()
	start := w.now
	b.do("POST", "/login")
	for after := 10 * day; after < 90*day; after += 10 * day {
		w.now = start.Add(after)
		b.seenBy(w.ann.String())
	}
	if got, want := b.cookies["pochi_3000"].MaxAge, int(10*day/time.Second); got != want {
		t.Errorf("on the 80th day the cookie lives for %d s, want %d", got, want)
	}
	w.now = start.Add(90*day - time.Microsecond)
	b.seenBy(w.ann.String())
	w.now = start.Add(90 * day)
	b.seenBy("nobody")
}

func TestAnEndedSessionIsNotBroughtBack(t *testing.T) {
	w := newWallet(t, sessions.Options{})
	b := w.browser()
	b.do("POST", "/login")
	r := httptest.NewRequest("GET", "/", nil)
	r.AddCookie(b.cookies["pochi_3000"])
	session, err := w.store.Get(r, "pochi_3000")
	if err != nil || session.IsNew {
		t.Fatalf("the session is new or %v", err)
	}
	b.do("POST", "/logout") // while the request above is under way
	recorder := httptest.NewRecorder()
	if err := session.Save(r, recorder); err == nil {
		t.Error("an ended session could be saved")
	}
	if w.rows() != 0 || len(recorder.Result().Cookies()) != 0 {
		t.Errorf("%d rows, cookies %v", w.rows(), recorder.Result().Cookies())
	}
}

func TestStoreIsGorillas(t *testing.T) {
	w := newWallet(t, sessions.Options{})
	r := httptest.NewRequest("GET", "/", nil)
	session, err := w.store.Get(r, "pochi_3000")
	if err != nil || !session.IsNew {
		t.Fatalf("new: %t, %v", session.IsNew, err)
	}
	if err := gorilla.Save(r, httptest.NewRecorder()); err == nil {
		t.Error("a session of nobody was saved")
	}
	again, err := w.store.Get(r, "pochi_3000")
	if err != nil || again != session {
		t.Errorf("Get returned another session, %v", err)
	}
}

func TestCurrentTellsTheSession(t *testing.T) {
	w := newWallet(t, sessions.Options{})
	var got sessions.Session
	w.app.Post("/current", func(c *fiber.Ctx) error {
		if err := w.store.LogIn(c, w.ann); err != nil {
			return err
		}
		got, _ = sessions.Current(c)
		if err := w.store.LogOut(c); err != nil {
			return err
		}
		if _, ok := sessions.Current(c); ok {
			t.Error("somebody is logged in after log-out")
		}
		return nil
	})
	b := w.browser()
	b.do("POST", "/current")
	want := sessions.Session{UserID: w.ann, UserAgent: "Test/1.0", Address: "0.0.0.0",
		CreatedAt: w.now, LastSeenAt: w.now, ExpiresAt: w.now.Add(30 * day)}
	if id, err := hex.DecodeString(got.ID); err != nil || len(id) != 32 {
		t.Errorf("ID = %q", got.ID)
	}
	got.ID = ""
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestUnreadableAddressIsNotFound(t *testing.T) {
	w := newWallet(t, sessions.Options{})
	req := httptest.NewRequest("GET", "/", nil)
	req.RequestURI = "/%zz"
	resp, err := w.app.Test(req, -1)
	if err != nil {
		t.Fatal(err)
	}
	if resp.StatusCode != http.StatusNotFound {
		t.Errorf("status = %d, want 404", resp.StatusCode)
	}
}

func TestCookieName(t *testing.T) {
	tests := []struct {
		url        string
		production bool
		want       string
	}{
		{"http://localhost:3000", false, "pochi_3000"},
		{"http://localhost", false, "pochi_80"},
		{"https://wallet.example", false, "pochi_443"},
		{"https://wallet.example", true, "__Host-pochi"},
		{"https://wallet.example:8443", true, "__Host-pochi"},
	}
	for _, tt := range tests {
		u, err := url.Parse(tt.url)
		if err != nil {
			t.Fatal(err)
		}
		if got := sessions.CookieName("pochi", u, tt.production); got != tt.want {
			t.Errorf("%s, production %t: %q, want %q", tt.url, tt.production, got, tt.want)
		}
	}
}
