package server

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"html"
	"io"
	"mime/multipart"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/gofiber/fiber/v2"
)

// send makes a request with any method, as a page of the wallet could.
func (b *browser) send(method, path string, body io.Reader, headers ...string) answer {
	b.t.Helper()
	r := httptest.NewRequest(method, path, body)
	r.Header.Set(fiber.HeaderOrigin, b.origin)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	return b.do(r)
}

// Fields of a form that is not a plain one are never read: a few bytes of it
// can be gigabytes.
func TestOnlyPlainFormsAreRead(t *testing.T) {
	s := newWallet(t)
	ann := signUp(t, s, "ann", "USD")
	var form bytes.Buffer
	packed := gzip.NewWriter(&form)
	fields := multipart.NewWriter(packed)
	if err := fields.WriteField("csrf_token", ann.token); err != nil {
		t.Fatal(err)
	}
	if err := fields.WriteField("name", strings.Repeat("x", 30<<20)); err != nil {
		t.Fatal(err)
	}
	if err := fields.Close(); err != nil {
		t.Fatal(err)
	}
	if err := packed.Close(); err != nil {
		t.Fatal(err)
	}
	plain := "csrf_token=" + url.QueryEscape(ann.token) + "&currency=EUR&name=x"
	for name, test := range map[string]struct {
		body    string
		headers []string
		status  int
	}{
		"bomb":             {form.String(), []string{"Content-Type", fields.FormDataContentType(), "Content-Encoding", "gzip"}, 415},
		"multipart":        {"--x--\r\n", []string{"Content-Type", "multipart/form-data; boundary=x"}, 415},
		"packed":           {plain, []string{"Content-Type", fiber.MIMEApplicationForm, "Content-Encoding", "gzip"}, 415},
		"JSON":             {"{}", []string{"Content-Type", fiber.MIMEApplicationJSON, "X-CSRF-Token", ann.token}, 415},
		"of no kind":       {plain, nil, 415},
		"with its charset": {plain, []string{"Content-Type", fiber.MIMEApplicationForm + "; charset=UTF-8"}, 303},
	} {
		got := ann.send(http.MethodPost, "/accounts", strings.NewReader(test.body), test.headers...)
		got.expect(t, name, test.status)
	}
}

// What is in the address never stands for what is in the form.
func TestTheAddressIsNoForm(t *testing.T) {
	s := newWallet(t)
	ann := signUp(t, s, "ann", "USD")
	ann.post("/accounts?name=forged&currency=GBP", "name", "Mine", "currency", "EUR").expect(t, "open", http.StatusSeeOther)
	if got := ann.get("/accounts").Body; !strings.Contains(got, "Mine") || strings.Contains(got, "forged") {
		t.Error("the query named the account")
	}
}

func TestPagesWithATokenAreNotStored(t *testing.T) {
	s := newWallet(t)
	for _, path := range []string{"/login", "/", "/no/such/page", "/nobody"} {
		b := newBrowser(t, s)
		for _, visit := range []string{"first", "second"} {
			if got := b.get(path).Header.Get("Cache-Control"); got != "no-store" {
				t.Errorf("%s visit of %s: Cache-Control %q", visit, path, got)
			}
		}
	}
}

// overTCP serves the wallet and returns what it answers to raw bytes.
func overTCP(t *testing.T, s *server) func(request string) *rawAnswer {
	t.Helper()
	address := serve(t, s)
	return func(request string) *rawAnswer {
		t.Helper()
		c, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if _, err := io.WriteString(c, request); err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(c)
		if err != nil {
			t.Fatal(err)
		}
		head, body, _ := strings.Cut(string(text), "\r\n\r\n")
		return &rawAnswer{head, body}
	}
}

type rawAnswer struct{ head, body string }

// What the server refuses before a page is chosen is answered like all else.
func TestRequestsThatCannotBeRead(t *testing.T) {
	ask := overTCP(t, newWallet(t))
	cookie := "Host: localhost:3000\r\nConnection: close\r\nCookie: pochi_3000=sesame\r\n"
	for name, test := range map[string]struct {
		request string
		status  int
		kind    string
		text    string
	}{
		"long headers":     {"GET / HTTP/1.1\r\n" + cookie + "X-Long: " + strings.Repeat("x", 20<<10) + "\r\n\r\n", 431, "text/html", "too long"},
		"broken headers":   {"POST / HTTP/1.1\r\n" + cookie + "Content-Length: sesame\r\n\r\n", 400, "text/html", "be read"},
		"a large form":     {"POST /send HTTP/1.1\r\n" + cookie + "Content-Length: 70000\r\n\r\n", 413, "text/html", "Nothing was done"},
		"large, at an API": {"POST /api/me HTTP/1.1\r\n" + cookie + "Content-Length: 70000\r\n\r\n", 413, "application/problem+json", "urn:pochi:problem:too_large"},
		"a new method":     {"BREW / HTTP/1.1\r\n" + cookie + "\r\n", 501, "text/html", "Nothing was done"},
		"one at an API":    {"BREW /api/me HTTP/1.1\r\n" + cookie + "\r\n", 501, "application/problem+json", "urn:pochi:problem:"},
	} {
		got := ask(test.request)
		if !strings.HasPrefix(got.head, fmt.Sprintf("HTTP/1.1 %d ", test.status)) || !strings.Contains(got.body, test.text) {
			t.Errorf("%s: %s\n%s", name, got.head, got.body)
		}
		for _, header := range []string{"Content-Security-Policy: default-src 'none'", "X-Content-Type-Options: nosniff", "X-Request-Id: ", "Content-Type: " + test.kind} {
			if !strings.Contains(strings.ToLower(got.head), strings.ToLower(header)) {
				t.Errorf("%s: no %s in\n%s", name, header, got.head)
			}
		}
		if strings.Contains(got.body, "sesame") || strings.Contains(got.head, "sesame") {
			t.Errorf("%s: the answer shows the request's cookie", name)
		}
	}
}

var mainLink = regexp.MustCompile(`class="button button-main" href="([^"]*)"`)

// A form that comes too late leads back to itself, filled in.
func TestAFormAfterTheSessionEnded(t *testing.T) {
	for name, test := range map[string]struct {
		path  string
		form  []string
		page  string // where it leads back to
		shows []string
	}{
		"send": {"/send", []string{"to", "$localhost:3000/ben", "amount", "12.34", "side", "receive"},
			"/send?amount=12.34&side=receive&to=%24localhost%3A3000%2Fben", []string{`value="$localhost:3000/ben"`, `value="12.34"`}},
		"deposit":       {"/deposit", []string{"amount", "7.5"}, "/deposit?amount=7.5", []string{`value="7.5"`}},
		"pointer":       {"/pointers", []string{"name", "ann-shop"}, "/pointers?name=ann-shop", []string{`value="ann-shop"`}},
		"account":       {"/accounts", []string{"name", "Trip & more", "currency", "JPY"}, "/accounts?currency=JPY&name=Trip+%26+more", []string{`value="Trip &amp; more"`, `value="JPY" selected`}},
		"rename":        {"/accounts/ID", []string{"name", "Trip"}, "/accounts/ID/edit?name=Trip", []string{`value="Trip"`}},
		"close":         {"/accounts/ID/close", nil, "/accounts", nil},
		"consent":       {"/oauth/consent", []string{"consent_challenge", "c1", "decision", "allow"}, "/oauth/consent?consent_challenge=c1", nil},
		"far too long":  {"/deposit", []string{"amount", strings.Repeat("1", 5000)}, "/deposit", nil},
		"none of these": {"/somewhere", []string{"a", "b"}, "/", nil},
	} {
		t.Run(name, func(t *testing.T) {
			s := newWallet(t)
			ann := signUp(t, s, "ann", "USD")
			id := ann.account()
			path, page := strings.ReplaceAll(test.path, "ID", id), strings.ReplaceAll(test.page, "ID", id)
			stale := ann.token
			ann.post("/logout")
			ann.token = stale
			got := ann.post(path, test.form...).expect(t, "logged out", http.StatusForbidden, "You are logged out", "Nothing was done")
			login := link(got.Body)
			want := "/login"
			if page != "/" {
				want += "?next=" + url.QueryEscape(page)
			}
			if login != want {
				t.Errorf("leads to %s, want %s", login, want)
			}
			ann.get(login)
			back := ann.post("/login", "email", "ann@example.com", "password", "correct horse battery", "next", next(login)).Location
			if back != page {
				t.Errorf("then to %s, want %s", back, page)
			}
			if len(test.shows) > 0 {
				ann.get(back).expect(t, "the form again", http.StatusOK, test.shows...)
			}
			ann.token = stale
			got = ann.post(path, test.form...).expect(t, "another session", http.StatusForbidden, "out of date", "Nothing was done")
			if again := link(got.Body); again != page {
				t.Errorf("in another session: leads to %s, want %s", again, page)
			}
		})
	}
}

func link(body string) string {
	match := mainLink.FindStringSubmatch(body)
	if match == nil {
		return ""
	}
	return html.UnescapeString(match[1])
}

func next(login string) string {
	u, err := url.Parse(login)
	if err != nil {
		return ""
	}
	return u.Query().Get("next")
}

// Good news is told once, to whom it concerns, and no link can tell it.
func TestNews(t *testing.T) {
	s := newWallet(t)
	ann := signUp(t, s, "ann", "USD")
	const opened = "The account is open."
	if got := ann.get("/accounts?done=account-opened").Body; strings.Contains(got, opened) {
		t.Error("a link brought the news")
	}
	to := ann.post("/accounts", "name", "Trip", "currency", "EUR").expect(t, "open", http.StatusSeeOther).Location
	if to != "/accounts" {
		t.Errorf("leads to %s", to)
	}
	if got := ann.get("/no/such/page").Body; strings.Contains(got, opened) {
		t.Error("an error page brings good news")
	}
	ann.get(to).expect(t, "accounts", http.StatusOK, opened)
	if got := ann.get(to).Body; strings.Contains(got, opened) {
		t.Error("the news came again")
	}
	ann.post("/logout").expect(t, "log out", http.StatusSeeOther)
	got := ann.get("/").expect(t, "start", http.StatusOK, "You are logged out.")
	if got.Header.Get("Cache-Control") != "no-store" {
		t.Error("a page with news can be stored")
	}
}

func TestOtherMethods(t *testing.T) {
	s := newWallet(t)
	ann := signUp(t, s, "ann", "USD")
	for _, test := range []struct {
		method, path string
		status       int
		allow        string
	}{
		{"PUT", "/accounts", 405, "GET, HEAD, POST"},
		{"DELETE", "/", 405, "GET, HEAD"},
		{"PATCH", "/ann", 405, "GET, HEAD, OPTIONS"},
		{"PUT", "/logout", 405, "POST"},
		{"TRACE", "/send", 405, "GET, HEAD, POST"},
		{"PUT", "/no/such/page", 404, ""},
		{"PUT", "/favicon.png", 404, ""},
		{"OPTIONS", "/ann", 204, ""},
		{"OPTIONS", "/accounts", 405, "GET, HEAD, POST"},
		{"OPTIONS", "/favicon.png", 404, ""},
		{"OPTIONS", "/", 405, "GET, HEAD"},
		{"GET", "/logout", 405, "POST"},
	} {
		got := ann.send(test.method, test.path, nil)
		allow := got.Header.Get("Allow")
		if got.Status != test.status || allow != test.allow {
			t.Errorf("%s %s: %d, Allow %q, want %d, %q", test.method, test.path, got.Status, allow, test.status, test.allow)
		}
		if cors := got.Header.Get("Access-Control-Allow-Origin") != ""; cors != (test.status == 204) {
			t.Errorf("%s %s: CORS %v", test.method, test.path, cors)
		}
	}
}

func TestWhatIsNoPointer(t *testing.T) {
	s := newWallet(t)
	signUp(t, s, "ben", "EUR")
	b := newBrowser(t, s)
	for _, path := range []string{"/humans.txt", "/x", "/Accounts-", "/wp-login.php"} {
		if got := b.get(path); got.Status != http.StatusNotFound || strings.Contains(got.Body, "can be paid") {
			t.Errorf("%s: %d %s", path, got.Status, got.Body)
		}
	}
	if got := b.get("/favicon.ico").expect(t, "icon", http.StatusOK).Header.Get("Content-Type"); got != "image/x-icon" {
		t.Errorf("the icon is %s", got)
	}
	if got := b.get("/robots.txt").expect(t, "robots", http.StatusOK, "User-agent: *").Header.Get("Content-Type"); !strings.HasPrefix(got, "text/plain") {
		t.Errorf("robots.txt is %s", got)
	}
	b.get("/Ben").expect(t, "in capitals", http.StatusOK, "Pay ben")
	for accept, spsp := range map[string]bool{
		"application/spsp4+json": true, "APPLICATION/SPSP4+JSON; charset=utf-8": true, "text/html;q=0.5, application/spsp+json": true,
		"application/spsp4+json;q=0": false, "application/spsp4+json;q=0.1, text/html": false, "text/html, x-application/spsp4+json-x": false, "*/*": false, "": false,
	} {
		for path, status := range map[string]int{"/ben": 200, "/nobody": 404, "/%zz": 404, "/favicon.png": 404} {
			r := httptest.NewRequest(http.MethodGet, "/", nil)
			r.RequestURI = path
			r.Header.Set(fiber.HeaderAccept, accept)
			got := b.do(r)
			if json := strings.HasPrefix(got.Header.Get("Content-Type"), "application/"); got.Status != status || json != spsp {
				t.Errorf("%s as %q: %d %s", path, accept, got.Status, got.Header.Get("Content-Type"))
			}
		}
	}
}

// Whoever asks for quotes all the time waits, and keeps what was typed.
func TestQuotesAreLimited(t *testing.T) {
	s := newWallet(t)
	ann, ben := signUp(t, s, "ann", "USD"), signUp(t, s, "ben", "USD")
	form := []string{"to", pointerOf + "ben", "account", ann.account(), "amount", "12.34", "side", "send"}
	ann.post("/deposit", "account", ann.account(), "amount", "100")
	quote := ann.post("/send", form...).expect(t, "first", http.StatusSeeOther).Location
	var got answer
	for range 100 {
		if got = ann.post("/send", form...); got.Status != http.StatusSeeOther {
			break
		}
	}
	got.expect(t, "too many", http.StatusTooManyRequests, "too often", `value="12.34"`)
	if got.Header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	ann.post(quote+"/renew").expect(t, "renew", http.StatusTooManyRequests, "too often")
	for range 200 {
		if got = ann.get("/send/payee?to=" + url.QueryEscape(pointerOf+"ben")); got.Status != http.StatusOK {
			break
		}
	}
	got.expect(t, "payee", http.StatusTooManyRequests, "too often")
	ben.get("/send/payee?to="+url.QueryEscape(pointerOf+"ann")).expect(t, "somebody else", http.StatusOK, "ann")
}

func TestErrorPagesSayWhatIsTheMatter(t *testing.T) {
	s := newWallet(t)
	ann := signUp(t, s, "ann", "USD")
	token := ann.token
	ann.origin = "https://evil.example"
	if got := ann.post("/logout").expect(t, "foreign", http.StatusForbidden, "came from elsewhere"); strings.Contains(got.Body, "out of date") {
		t.Error("a foreign form is called out of date")
	}
	b := newBrowser(t, s)
	b.token = token
	if got := b.post("/login").expect(t, "no cookie", http.StatusForbidden, "kept no cookie"); strings.Contains(got.Body, "out of date") {
		t.Error("a form without cookie is called out of date")
	}
}
