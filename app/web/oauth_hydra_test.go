package web_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"pochi/app/accounts"
	"pochi/app/agreements"
	"pochi/app/api"
	"pochi/app/config"
	"pochi/app/oauth"
	"pochi/app/problem"
	"pochi/app/users"
	"pochi/app/web"
	"pochi/ilp/pointer"
	"pochi/ledger"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
)

const (
	hydraStart = time.Minute // to migrate its database and to serve, at most
	callback   = "http://shop.example/cb"
	goodbye    = "http://shop.example/bye"
)

// world is a wallet and a real Hydra.
type world struct {
	wallet, hydra, admin string // URLs
	provider             *oauth.Provider
	agreements           *agreements.Service
	hook                 *httptest.Server // asked about tokens, at any path
	stop                 func()           // stops Hydra
}

// startWorld starts the program HYDRA_BIN beside a wallet.
func startWorld(t *testing.T) world {
	t.Helper()
	program := os.Getenv("HYDRA_BIN")
	if program == "" {
		t.Skip("set HYDRA_BIN to the path of bin/hydra to test with a real Hydra; make test does")
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := world{wallet: "http://localhost:" + port(t, listener.Addr()), hydra: "http://localhost:" + freePort(t), admin: "http://127.0.0.1:" + freePort(t)}
	w.provider = oauth.New(oauth.Options{AdminURL: parsed(t, w.admin), PublicURL: parsed(t, w.hydra), Audience: w.wallet, Terms: oauth.TermsReader{
		Pointers: pointer.Parser{AllowLoopback: true}, Assets: []ledger.Asset{{Code: "EUR", Scale: 2}, {Code: "USD", Scale: 2}},
	}})
	apis := api.New(api.Options{Tokens: w.provider, People: knownUsers{}, Pointers: onePointer{}, Audience: w.wallet, Host: "wallet.example"})
	known := allButStrangers{w.provider}
	app, deals := newSite(t, w.wallet, web.OAuth{Logins: w.provider, Consents: w.provider, Logouts: w.provider, Apps: known}, time.Now, apis)
	w.agreements = deals
	go func() { _ = app.Listener(listener) }()
	t.Cleanup(func() { _ = app.Shutdown() })
	deals.OnEnd(w.provider.ForgetAgreement)
	data := t.TempDir()
	key, err := config.Config{Data: data}.HookKey()
	if err != nil {
		t.Fatal(err)
	}
	w.hook = httptest.NewServer(oauth.TokenHook{Key: key, Agreements: deals, Apps: known, Clients: w.provider, Log: slog.New(slog.DiscardHandler)})
	t.Cleanup(w.hook.Close)
	w.stop = startHydra(t, program, w, data)
	return w
}

// allButStrangers takes every client at Hydra for an app of the wallet's, but its own
// services and those that are called Stranger.
type allButStrangers struct{ provider *oauth.Provider }

func (a allButStrangers) Registered(ctx context.Context, clientID string) error {
	found, err := a.provider.FindClient(ctx, clientID)
	if err == nil && (found.Service || found.Name == "Stranger") {
		return problem.New(problem.NotFound, "This wallet doesn't know the app.")
	}
	return err
}

// startHydra runs Hydra until the function that it returns is called, or the
// test ends.
func startHydra(t *testing.T, program string, w world, data string) (stop func()) {
	t.Helper()
	var output bytes.Buffer
	cmd := exec.Command(program)
	cmd.Env = append(os.Environ(), "POCHI_ENV=dev", "POCHI_DATA="+data, "POCHI_OPS_LISTEN="+w.hook.Listener.Addr().String(),
		"POCHI_PUBLIC_URL="+w.wallet, "POCHI_HYDRA_PUBLIC_URL="+w.hydra, "POCHI_HYDRA_ADMIN_URL="+w.admin, "POCHI_HYDRA_SECRET=")
	cmd.Stdout, cmd.Stderr = &output, &output
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		_ = cmd.Wait()
		close(ended)
	}()
	stop = func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		<-ended
	}
	t.Cleanup(stop)
	deadline, cancel := context.WithTimeout(t.Context(), hydraStart)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for w.provider.Ready(deadline) != nil {
		select {
		case <-tick.C:
		case <-ended:
			t.Fatalf("Hydra ended: %s", output.String())
		case <-deadline.Done():
			stop()
			t.Fatalf("Hydra isn't ready after %s: %s", hydraStart, output.String())
		}
	}
	return stop
}

func port(t *testing.T, address net.Addr) string {
	t.Helper()
	_, port, err := net.SplitHostPort(address.String())
	if err != nil {
		t.Fatal(err)
	}
	return port
}

func freePort(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return port(t, listener.Addr())
}

type onePointer struct{}

func (onePointer) Pointers(context.Context, uuid.UUID) ([]accounts.Pointer, error) {
	return []accounts.Pointer{{Name: "ann"}}, nil
}

// register makes an app known to Hydra and returns its id.
func (w world) register(t *testing.T) string {
	t.Helper()
	client := w.send(t, http.MethodPost, w.admin+"/admin/clients", map[string]any{
		"client_name": "Shop", "redirect_uris": []string{callback}, "post_logout_redirect_uris": []string{goodbye},
		"grant_types": []string{"authorization_code", "refresh_token"}, "response_types": []string{"code"},
		"scope": "openid profile offline_access agreement accounts:read admin", "audience": []string{w.wallet}, "token_endpoint_auth_method": "none",
	})
	id, _ := client["client_id"].(string)
	if id == "" {
		t.Fatalf("register: %v", client)
	}
	return id
}

// send asks Hydra's admin interface.
func (w world) send(t *testing.T, method, target string, body any) map[string]any {
	t.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(t.Context(), method, target, bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	status, answer := roundTrip(t, r)
	if status >= 300 {
		t.Fatalf("%s %s: %d %v", method, target, status, answer)
	}
	return answer
}

func roundTrip(t *testing.T, r *http.Request) (int, map[string]any) {
	t.Helper()
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var answer map[string]any
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		t.Fatalf("%s: %v", r.URL, err)
	}
	return response.StatusCode, answer
}

// visit is one browser that an app has sent to Hydra.
type visit struct {
	world
	t        *testing.T
	client   *http.Client
	app      string
	verifier string
}

// page is where the browser ended up: a page, or back at the app.
type page struct {
	Status int
	URL    *url.URL
	Body   string
}

func (w world) visit(t *testing.T, app string) *visit {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &visit{world: w, t: t, app: app, verifier: rand.Text() + rand.Text(), client: &http.Client{
		Jar: jar,
		CheckRedirect: func(r *http.Request, _ []*http.Request) error {
			if r.URL.Host == "shop.example" || r.URL.Path == "/" { // which aren't there
				return http.ErrUseLastResponse
			}
			return nil
		},
	}}
}

func (v *visit) do(r *http.Request) page {
	v.t.Helper()
	response, err := v.client.Do(r)
	if err != nil {
		v.t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		v.t.Fatal(err)
	}
	at := response.Request.URL
	if to, err := response.Location(); err == nil {
		at = to
	}
	return page{Status: response.StatusCode, URL: at, Body: string(body)}
}

func (v *visit) get(target string) page {
	v.t.Helper()
	r, err := http.NewRequestWithContext(v.t.Context(), http.MethodGet, target, nil)
	if err != nil {
		v.t.Fatal(err)
	}
	return v.do(r)
}

// submit posts the page's last form, with the values changed or added.
func (v *visit) submit(p page, pairs ...string) page {
	v.t.Helper()
	form := hidden(p)
	for i := 0; i < len(pairs); i += 2 {
		form.Set(pairs[i], pairs[i+1])
	}
	actions := regexp.MustCompile(`<form[^>]* action="([^"]*)"`).FindAllStringSubmatch(p.Body, -1)
	if len(actions) == 0 {
		v.t.Fatalf("%s has no form: %s", p.URL, p.Body)
	}
	target := v.wallet + html.UnescapeString(actions[len(actions)-1][1])
	r, err := http.NewRequestWithContext(v.t.Context(), http.MethodPost, target, strings.NewReader(form.Encode()))
	if err != nil {
		v.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Origin", v.wallet)
	return v.do(r)
}

// hidden are the values in a page that its forms send along.
func hidden(p page) url.Values {
	form := url.Values{}
	for _, input := range regexp.MustCompile(`<input type="hidden" name="([^"]*)" value="([^"]*)"`).FindAllStringSubmatch(p.Body, -1) {
		form.Set(input[1], html.UnescapeString(input[2]))
	}
	return form
}

// logIn signs somebody in at the wallet, without the log-in page.
func (v *visit) logIn(u users.User) {
	v.t.Helper()
	r, err := http.NewRequestWithContext(v.t.Context(), http.MethodPost, v.wallet+"/test/login/"+u.ID.String(), nil)
	if err != nil {
		v.t.Fatal(err)
	}
	r.Header.Set("Origin", v.wallet)
	if got := v.do(r); got.Status != http.StatusOK {
		v.t.Fatalf("log in: %+v", got)
	}
}

// ask sends the browser to Hydra as the app does, for these scopes and with
// further parameters; an empty value takes one away.
func (v *visit) ask(scopes string, pairs ...string) page {
	v.t.Helper()
	return v.get(v.askURL(scopes, pairs...))
}

func (v *visit) askURL(scopes string, pairs ...string) string {
	challenge := sha256.Sum256([]byte(v.verifier))
	query := url.Values{
		"client_id": {v.app}, "response_type": {"code"}, "redirect_uri": {callback}, "scope": {scopes}, "state": {"0123456789"},
		"code_challenge": {base64.RawURLEncoding.EncodeToString(challenge[:])}, "code_challenge_method": {"S256"},
	}
	for i := 0; i < len(pairs); i += 2 {
		query.Set(pairs[i], pairs[i+1])
	}
	maps.DeleteFunc(query, func(_ string, values []string) bool { return values[0] == "" })
	return v.hydra + "/oauth2/auth?" + query.Encode()
}

// at fails the test unless the browser is at that path, with that status.
func (v *visit) at(p page, status int, path string) page {
	v.t.Helper()
	if p.Status != status || p.URL.Path != path {
		v.t.Fatalf("got %d at %s, want %d at %s: %s", p.Status, p.URL, status, path, p.Body)
	}
	return p
}

// token exchanges what the app got for tokens.
func (v *visit) token(pairs ...string) (int, map[string]any) {
	v.t.Helper()
	form := url.Values{"client_id": {v.app}}
	for i := 0; i < len(pairs); i += 2 {
		form.Set(pairs[i], pairs[i+1])
	}
	r, err := http.NewRequestWithContext(v.t.Context(), http.MethodPost, v.hydra+"/oauth2/token", strings.NewReader(form.Encode()))
	if err != nil {
		v.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return roundTrip(v.t, r)
}

// redeem exchanges the code that the callback got.
func (v *visit) redeem(p page) map[string]any {
	v.t.Helper()
	v.at(p, http.StatusSeeOther, "/cb")
	status, tokens := v.token("grant_type", "authorization_code", "code", p.URL.Query().Get("code"),
		"redirect_uri", callback, "code_verifier", v.verifier)
	if status != http.StatusOK {
		v.t.Fatalf("exchange of %s: %d %v", p.URL, status, tokens)
	}
	return tokens
}

// me asks the wallet's API who the token belongs to.
func (v *visit) me(token any) (int, map[string]any) {
	v.t.Helper()
	r, err := http.NewRequestWithContext(v.t.Context(), http.MethodGet, v.wallet+"/api/me", nil)
	if err != nil {
		v.t.Fatal(err)
	}
	if token != nil {
		r.Header.Set("Authorization", fmt.Sprintf("Bearer %v", token))
	}
	return roundTrip(v.t, r)
}

func TestAppsWithARealHydra(t *testing.T) {
	w := startWorld(t)
	app := w.register(t)
	for name, test := range map[string]func(*visit){
		"allowed":            allowed,
		"denied":             denied,
		"scopes":             onlyKnownScopes,
		"twice":              twice,
		"somebody else":      somebodyElse,
		"fresh login":        freshLogin,
		"refused by Hydra":   refusedByHydra,
		"logged out":         loggedOutByApp,
		"unknown challenges": unknownChallenges,
		"hidden parameters":  hiddenParameters,
		"an agreement":       anAgreement,
		"a proposal":         aProposal,
		"revoked":            revoked,
		"second thoughts":    onSecondThoughts,
		"the longest":        theLongestRequest,
		"clients":            clients,
		"a service":          aService,
		"a stranger":         aStranger,
		"disconnected":       disconnected,
		"signing keys":       signingKeys,
	} {
		t.Run(name, func(t *testing.T) { test(w.visit(t, app)) })
	}
	t.Run("Hydra is down", func(t *testing.T) { hydraDown(w.visit(t, app)) })
}

func allowed(v *visit) {
	login := v.at(v.ask("openid profile offline_access"), 200, "/oauth/login")
	if !strings.Contains(login.Body, "Shop") {
		v.t.Error("the log-in page doesn't name the app")
	}
	v.logIn(ann())
	consent := v.at(v.get(login.URL.String()), 200, "/oauth/consent")
	tokens := v.redeem(v.submit(consent, "decision", "allow"))
	status, me := v.me(tokens["access_token"])
	want := map[string]any{"sub": ann().ID.String(), "name": "Ann", "paymentPointers": []any{"$wallet.example/ann"}}
	if diff := cmp.Diff(want, me); status != 200 || diff != "" {
		v.t.Error(status, diff)
	}
	for _, other := range []any{nil, tokens["refresh_token"], tokens["id_token"], "nonsense"} {
		if status, _ := v.me(other); status != 401 {
			v.t.Errorf("with %.20v: %d", other, status)
		}
	}
	if claims := v.claims(tokens["id_token"]); claims["name"] != "Ann" || claims["sub"] != ann().ID.String() {
		v.t.Errorf("id token: %v", claims)
	}
	status, refreshed := v.token("grant_type", "refresh_token", "refresh_token", fmt.Sprint(tokens["refresh_token"]))
	if status != 200 {
		v.t.Fatalf("refresh: %d %v", status, refreshed)
	}
	if status, _ := v.me(refreshed["access_token"]); status != 200 {
		v.t.Errorf("with the refreshed token: %d", status)
	}
	token, err := v.provider.Introspect(v.t.Context(), fmt.Sprint(refreshed["access_token"]))
	if err != nil || token.ClientID != v.app || !token.For(v.wallet) || len(token.Audience) != 1 || token.ExpiresAt.Before(time.Now()) {
		v.t.Errorf("introspected: %+v, %v", token, err)
	}
	// Signed in at the wallet, the next request goes straight to consent: nothing is remembered.
	v.at(v.ask("openid profile offline_access"), 200, "/oauth/consent")
}

// claims reads an id token without checking it.
func (v *visit) claims(token any) map[string]any {
	v.t.Helper()
	parts := strings.Split(fmt.Sprint(token), ".")
	if len(parts) != 3 {
		v.t.Fatalf("not a JWT: %v", token)
	}
	text, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		v.t.Fatal(err)
	}
	var claims map[string]any
	if err := json.Unmarshal(text, &claims); err != nil {
		v.t.Fatal(err)
	}
	return claims
}

func denied(v *visit) {
	v.logIn(ann())
	consent := v.at(v.ask("openid"), 200, "/oauth/consent")
	got := v.at(v.submit(consent, "decision", "deny"), 303, "/cb").URL.Query()
	if got.Get("error") != "access_denied" || got.Get("state") != "0123456789" || got.Has("code") {
		v.t.Error(got)
	}
}

func onlyKnownScopes(v *visit) {
	for _, scopes := range []string{"admin", "openid admin"} {
		got := v.at(v.ask(scopes), 303, "/cb").URL.Query()
		if got.Get("error") != "invalid_scope" {
			v.t.Error(scopes, got)
		}
	}
	v.logIn(ann())
	tokens := v.redeem(v.submit(v.ask("openid"), "decision", "allow"))
	if tokens["scope"] != "openid" || tokens["refresh_token"] != nil {
		v.t.Errorf("granted %v", tokens["scope"])
	}
	if status, me := v.me(tokens["access_token"]); status != 200 || len(me) != 1 {
		v.t.Errorf("%d %v", status, me)
	}
	tokens = v.redeem(v.submit(v.ask("profile"), "decision", "allow"))
	if status, _ := v.me(tokens["access_token"]); status != 403 {
		v.t.Errorf("without openid: %d", status)
	}
}

// Of two answers to one consent the browser can use one.
func twice(v *visit) {
	v.logIn(ann())
	consent := v.at(v.ask("openid"), 200, "/oauth/consent")
	first := v.submit(consent, "decision", "allow")
	second := v.at(v.submit(consent, "decision", "allow"), 303, "/cb").URL.Query()
	if second.Get("error") != "access_denied" {
		v.t.Error(second)
	}
	v.redeem(first)
}

func somebodyElse(v *visit) {
	v.logIn(ann())
	consent := v.at(v.ask("openid"), 200, "/oauth/consent")
	v.logIn(ben())
	again := v.at(v.get(consent.URL.String()), 403, "/oauth/consent")
	token := hidden(again)["csrf_token"][0]
	refused := v.at(v.submit(consent, "decision", "allow", "csrf_token", token), 403, "/oauth/consent")
	for _, p := range []page{again, refused} {
		if !strings.Contains(p.Body, "Continue as Ben") {
			v.t.Error(p.Body)
		}
	}
	restart := regexp.MustCompile(`href="(` + regexp.QuoteMeta(v.hydra) + `/[^"]*)"`).FindStringSubmatch(refused.Body)
	if restart == nil {
		v.t.Fatal("no way to start again")
	}
	tokens := v.redeem(v.submit(v.get(html.UnescapeString(restart[1])), "decision", "allow"))
	if _, me := v.me(tokens["access_token"]); me["sub"] != ben().ID.String() {
		v.t.Error(me)
	}
}

func freshLogin(v *visit) {
	got := v.at(v.ask("openid", "prompt", "none"), 303, "/cb").URL.Query()
	if got.Get("error") != "login_required" {
		v.t.Error(got)
	}
	v.logIn(ann())
	login := v.at(v.ask("openid", "prompt", "login"), 200, "/oauth/login")
	consent := v.submit(login, "email", "ben@example.com", "password", "correct horse")
	tokens := v.redeem(v.submit(v.at(consent, 200, "/oauth/consent"), "decision", "allow"))
	if _, me := v.me(tokens["access_token"]); me["sub"] != ben().ID.String() {
		v.t.Error(me)
	}
	v.at(v.ask("openid", "max_age", "0"), 200, "/oauth/login")
	v.at(v.ask("openid", "max_age", "600"), 200, "/oauth/consent")
	got = v.at(v.get(v.askURL("openid")+"&prompt=login"+"&prompt=consent"), 303, "/cb").URL.Query()
	if got.Get("error") != "invalid_request" {
		v.t.Error(got)
	}
}

func refusedByHydra(v *visit) {
	v.logIn(ann())
	v.at(v.ask("openid", "redirect_uri", "http://evil.example/"), 400, "/oauth/error")
	v.at(v.ask("openid", "client_id", "nobody"), 400, "/oauth/error")
	got := v.at(v.ask("openid", "code_challenge", "", "code_challenge_method", ""), 303, "/cb").URL.Query()
	if got.Get("error") != "invalid_request" || got.Has("code") {
		v.t.Error("without PKCE:", got)
	}
}

// Hydra asks about a logout only when it remembers the login, as no page of
// the wallet tells it to.
func loggedOutByApp(v *visit) {
	challenge := v.at(v.ask("openid"), 200, "/oauth/login").URL.Query().Get("login_challenge")
	accepted := v.send(v.t, http.MethodPut, v.admin+"/admin/oauth2/auth/requests/login/accept?login_challenge="+challenge,
		map[string]any{"subject": ann().ID.String(), "remember": true})
	v.logIn(ann())
	tokens := v.redeem(v.submit(v.get(fmt.Sprint(accepted["redirect_to"])), "decision", "allow"))
	logout := v.hydra + "/oauth2/sessions/logout?" + url.Values{
		"id_token_hint": {fmt.Sprint(tokens["id_token"])}, "post_logout_redirect_uri": {goodbye},
	}.Encode()
	v.at(v.submit(v.at(v.get(logout), 200, "/oauth/logout"), "decision", "deny"), 303, "/")
	v.at(v.ask("openid"), 200, "/oauth/consent") // still signed in
	asked := v.at(v.get(logout), 200, "/oauth/logout")
	v.at(v.submit(asked, "decision", "allow"), 302, "/bye")
	v.at(v.ask("openid"), 200, "/oauth/login")
	v.at(v.get(asked.URL.String()), 302, "/bye") // used: Hydra says where to go
}

// Hydra has one key for id tokens and one for access tokens: of two it would sign with
// the one and check with the other.
func signingKeys(v *visit) {
	keys, _ := v.send(v.t, http.MethodGet, v.hydra+"/.well-known/jwks.json", nil)["keys"].([]any)
	if len(keys) != 2 {
		v.t.Errorf("%d keys: %v", len(keys), keys)
	}
}

func unknownChallenges(v *visit) {
	v.logIn(ann())
	for _, kind := range []string{"login", "consent", "logout"} {
		for _, challenge := range []string{"", "nonsense", strings.Repeat("x", 6000)} {
			v.at(v.get(v.wallet+"/oauth/"+kind+"?"+kind+"_challenge="+challenge), 404, "/oauth/"+kind)
		}
	}
	login := v.at(v.ask("openid"), 200, "/oauth/consent").URL.Query().Get("consent_challenge")
	v.at(v.get(v.wallet+"/oauth/login?login_challenge="+login), 404, "/oauth/login")
}

func hydraDown(v *visit) {
	v.logIn(ann())
	consent := v.at(v.ask("openid"), 200, "/oauth/consent")
	v.stop()
	v.at(v.get(consent.URL.String()), 503, "/oauth/consent")
	v.at(v.submit(consent, "decision", "allow"), 503, "/oauth/consent")
	v.at(v.get(v.wallet+"/oauth/login?login_challenge=x"), 503, "/oauth/login")
	v.at(v.get(v.wallet+"/oauth/logout?logout_challenge=x"), 503, "/oauth/logout")
	v.at(v.get(v.wallet+"/signup"), 303, "/") // of who is signed in
	if status, answer := v.me("token"); status != 503 || answer["type"] != "urn:pochi:problem:unavailable" {
		v.t.Errorf("API: %d %v", status, answer)
	}
	if err := v.provider.Ready(v.t.Context()); problem.CodeOf(err) != problem.Unavailable {
		v.t.Error(err)
	}
}
