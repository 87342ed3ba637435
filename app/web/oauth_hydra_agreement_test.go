package web_test

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"pochi/app/agreements"
	"pochi/app/oauth"
	"pochi/app/problem"
	"pochi/ledger"
)

const monthlyDetails = `[{"type":"agreement","description":"Flowers","amount":{"value":"1200","assetCode":"EUR","assetScale":2},"interval":"R/P1M"}]`

// allow asks for an agreement, allows it from the account in EUR, and returns
// the tokens.
func (v *visit) allow(details, amount string) map[string]any {
	v.t.Helper()
	consent := v.at(v.ask("openid offline_access agreement", "authorization_details", details), 200, "/oauth/consent")
	account := accountsOn(reply{Body: consent.Body})[0]
	return v.redeem(v.submit(consent, "decision", "allow", "account", account, "amount", amount))
}

// introspect returns what an access token stands for.
func (v *visit) introspect(token any) oauth.Token {
	v.t.Helper()
	found, err := v.provider.Introspect(v.t.Context(), fmt.Sprint(token))
	if err != nil {
		v.t.Fatal(err)
	}
	return found
}

func (v *visit) refresh(tokens map[string]any) (int, map[string]any) {
	v.t.Helper()
	return v.token("grant_type", "refresh_token", "refresh_token", fmt.Sprint(tokens["refresh_token"]))
}

func anAgreement(v *visit) {
	v.logIn(ann())
	tokens := v.allow(monthlyDetails, "10")
	token := v.introspect(tokens["access_token"])
	granted, err := v.agreements.OfClient(v.t.Context(), v.app, token.Agreement)
	if err != nil {
		v.t.Fatal(err)
	}
	if granted.UserID != ann().ID || granted.Amount.Value != 1000 || granted.Asked != 1200 || granted.State != agreements.Active || token.Subject != ann().ID.String() {
		v.t.Errorf("%+v for %+v", granted, token)
	}
	status, refreshed := v.refresh(tokens)
	if status != 200 || v.introspect(refreshed["access_token"]).Agreement != granted.ID {
		v.t.Errorf("refreshed: %d %v", status, refreshed)
	}
	if _, err := v.provider.Introspect(v.t.Context(), fmt.Sprint(refreshed["refresh_token"])); problem.CodeOf(err) != problem.Unauthenticated {
		v.t.Errorf("a refresh token as access token: %v", err)
	}
	// Nothing is remembered: the next one is asked for, and is another one.
	if other := v.introspect(v.allow(monthlyDetails, "12")["access_token"]).Agreement; other == granted.ID {
		v.t.Error("two consents, one agreement")
	}
}

func aProposal(v *visit) {
	v.logIn(ann())
	terms := agreements.Terms{Description: "Flowers", Amount: ledger.Amount{Value: 500, Asset: eur}}
	proposal, err := v.agreements.Propose(v.t.Context(), v.app, "Shop", terms)
	if err != nil {
		v.t.Fatal(err)
	}
	details := `[{"type":"agreement","id":"` + proposal.ID.String() + `"}]`
	consent := v.at(v.ask("agreement", "authorization_details", details), 200, "/oauth/consent")
	account := accountsOn(reply{Body: consent.Body})[0]
	v.submit(consent, "decision", "allow", "account", account, "amount", "5")
	again := v.submit(consent, "decision", "allow", "account", account, "amount", "5") // ends as if denied: the first answer was followed
	if code := v.at(again, 303, "/cb").URL.Query().Get("error"); code != "access_denied" {
		v.t.Errorf("twice: %s", again.URL)
	}
	got := v.at(v.ask("agreement", "authorization_details", details), 303, "/cb").URL.Query()
	if got.Get("error") != oauth.InvalidDetails {
		v.t.Errorf("a proposal that was approved: %v", got)
	}
	foreign, err := v.agreements.Propose(v.t.Context(), "another app", "Other", terms)
	if err != nil {
		v.t.Fatal(err)
	}
	got = v.at(v.ask("agreement", "authorization_details", `[{"type":"agreement","id":"`+foreign.ID.String()+`"}]`), 303, "/cb").URL.Query()
	if got.Get("error") != oauth.InvalidDetails {
		v.t.Errorf("another app's proposal: %v", got)
	}
}

// Revoked, an agreement gets no token any more: neither for a code that was given
// before, nor for a refresh token.
func revoked(v *visit) {
	v.logIn(ann())
	tokens := v.allow(monthlyDetails, "12")
	id := v.introspect(tokens["access_token"]).Agreement
	if err := v.agreements.Pause(v.t.Context(), ann().ID, id); err != nil {
		v.t.Fatal(err)
	}
	status, tokens := v.refresh(tokens)
	if status != 200 {
		v.t.Errorf("refresh while it is paused: %d %v", status, tokens)
	}
	if err := v.agreements.Revoke(v.t.Context(), ann().ID, id); err != nil {
		v.t.Fatal(err)
	}
	if status, answer := v.refresh(tokens); status != 403 || answer["error"] != "access_denied" {
		v.t.Errorf("refresh after the end: %d %v", status, answer)
	}
	consent := v.ask("agreement", "authorization_details", monthlyDetails)
	back := v.at(v.submit(consent, "decision", "allow", "account", accountsOn(reply{Body: consent.Body})[0], "amount", "12"), 303, "/cb")
	all, err := v.agreements.List(v.t.Context(), ann().ID)
	if err != nil {
		v.t.Fatal(err)
	}
	if err := v.agreements.Revoke(v.t.Context(), ann().ID, all[0].ID); err != nil {
		v.t.Fatal(err)
	}
	status, answer := v.token("grant_type", "authorization_code", "code", back.URL.Query().Get("code"), "redirect_uri", callback, "code_verifier", v.verifier)
	if status != 403 || answer["error"] != "access_denied" {
		v.t.Errorf("exchange after the end: %d %v", status, answer)
	}
}

// Somebody who reloads a page on the way is asked twice, and allows once. Who goes
// back and denies has allowed nothing.
func onSecondThoughts(v *visit) {
	login := v.at(v.ask("agreement", "authorization_details", monthlyDetails), 200, "/oauth/login").URL.Query().Get("login_challenge")
	accepted := v.send(v.t, http.MethodPut, v.admin+"/admin/oauth2/auth/requests/login/accept?login_challenge="+url.QueryEscape(login),
		map[string]any{"subject": ann().ID.String()})
	v.logIn(ann())
	before, err := v.agreements.List(v.t.Context(), ann().ID)
	if err != nil {
		v.t.Fatal(err)
	}
	first := v.at(v.get(fmt.Sprint(accepted["redirect_to"])), 200, "/oauth/consent")
	second := v.at(v.get(fmt.Sprint(accepted["redirect_to"])), 200, "/oauth/consent")
	if first.URL.String() == second.URL.String() {
		v.t.Error("the same challenge twice: this tests nothing")
	}
	account := accountsOn(reply{Body: first.Body})[0]
	for _, consent := range []page{first, second} { // without following the answers
		v.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
		v.at(v.submit(consent, "decision", "allow", "account", account, "amount", "12"), 303, "/oauth2/auth")
	}
	after, err := v.agreements.List(v.t.Context(), ann().ID)
	if err != nil || len(after) != len(before)+1 || after[0].State != agreements.Active {
		v.t.Fatalf("%d agreements, then %d, %v", len(before), len(after), err)
	}
	v.submit(second, "decision", "deny")
	if after, err = v.agreements.List(v.t.Context(), ann().ID); err != nil || after[0].State != agreements.Revoked {
		v.t.Errorf("denied after all: %+v, %v", after[0], err)
	}
}

// The longest request fits into every header on the way.
func theLongestRequest(v *visit) {
	v.logIn(ann())
	receivers := ""
	for i := range 20 {
		receivers += fmt.Sprintf(`,"$receiver-%d.shop.example/%s"`, i, strings.Repeat("x", 16))
	}
	details := `[{"type":"agreement","description":"` + strings.Repeat("😀", 200) + `","amount":{"value":"1200","assetCode":"EUR","assetScale":2},"receivers":[` + receivers[1:] + `]`
	details += strings.Repeat(" ", 2048-len(details)-2) + "}]"
	tokens := v.allow(details, "12")
	granted, err := v.agreements.OfClient(v.t.Context(), v.app, v.introspect(tokens["access_token"]).Agreement)
	if err != nil || len(granted.Receivers) != 20 || granted.Description != strings.Repeat("😀", 200) {
		v.t.Errorf("%+v, %v", granted, err)
	}
}

// Hydra reads a POST's body, and that before the address. What isn't in the
// address isn't asked, whatever Hydra makes of it.
func hiddenParameters(v *visit) {
	v.logIn(ann())
	post := func(target string, body url.Values) page {
		v.t.Helper()
		r, err := http.NewRequestWithContext(v.t.Context(), http.MethodPost, target, strings.NewReader(body.Encode()))
		if err != nil {
			v.t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		return v.do(r)
	}
	all := parsed(v.t, v.askURL("openid")).Query()
	v.at(post(v.hydra+"/oauth2/auth", all), 400, "/oauth/error")
	for name, got := range map[string]page{
		"more scopes in the body": post(v.askURL("openid"), url.Values{"scope": {"openid profile accounts:read"}}),
		"details in the body":     post(v.askURL("openid agreement"), url.Values{"authorization_details": {monthlyDetails}}),
		"a parameter twice":       v.get(v.askURL("openid") + "&scope=openid"),
		"details twice":           v.get(v.askURL("agreement", "authorization_details", monthlyDetails) + "&authorization_details=%5B%5D"),
		"details without scope":   v.get(v.askURL("openid", "authorization_details", monthlyDetails)),
		"scope without details":   v.get(v.askURL("agreement")),
		"accounts as well":        v.get(v.askURL("agreement accounts:read", "authorization_details", monthlyDetails)),
	} {
		if query := v.at(got, 303, "/cb").URL.Query(); query.Get("error") == "" || query.Has("code") {
			v.t.Errorf("%s: %v", name, query)
		}
	}
	for _, name := range []string{"request", "request_uri"} { // Hydra refuses the one, we the other
		if got := v.get(v.askURL("openid", name, "https://shop.example/request")); strings.Contains(got.URL.Path, "consent") || got.URL.Query().Has("code") {
			v.t.Errorf("%s: at %s", name, got.URL)
		}
	}
}

// The register of clients, and what becomes of a client's tokens.
func clients(v *visit) {
	ctx := v.t.Context()
	made, err := v.provider.CreateClient(ctx, oauth.Client{Name: "Florist", RedirectURIs: []string{"http://localhost:9/cb"}, Confidential: true})
	if err != nil {
		v.t.Fatal(err)
	}
	found, err := v.provider.FindClient(ctx, made.ID)
	if err != nil || found.Name != "Florist" || !found.Confidential || len(found.RedirectURIs) != 1 || found.Secret != "" {
		v.t.Errorf("%+v, %v", found, err)
	}
	if _, err := v.provider.CreateClient(ctx, made); problem.CodeOf(err) != problem.Conflict {
		v.t.Errorf("the same id again: %v", err)
	}
	status, tokens := v.credentials(made.ID, made.Secret, "agreements:propose")
	if status != 200 {
		v.t.Fatalf("its own token: %d %v", status, tokens)
	}
	if token := v.introspect(tokens["access_token"]); token.Subject != made.ID || token.ClientID != made.ID || !token.For(v.wallet) || !token.Has(oauth.AgreementsPropose) {
		v.t.Errorf("%+v", token)
	}
	for _, scope := range []string{"accounts:read", "agreement", "openid", "", "agreements:propose accounts:read"} {
		if status, answer := v.credentials(made.ID, made.Secret, scope); status == 200 {
			v.t.Errorf("%q for itself: %v", scope, answer)
		}
	}
	secret, err := v.provider.RotateSecret(ctx, made.ID)
	if err != nil {
		v.t.Fatal(err)
	}
	if status, _ := v.credentials(made.ID, made.Secret, "agreements:propose"); status != 401 {
		v.t.Errorf("with the old secret: %d", status)
	}
	made.Name, made.RedirectURIs = "Florist & Son", []string{"http://localhost:9/other"}
	if _, err := v.provider.UpdateClient(ctx, made); err != nil {
		v.t.Fatal(err)
	}
	if found, err = v.provider.FindClient(ctx, made.ID); err != nil || found.Name != "Florist & Son" || found.RedirectURIs[0] != "http://localhost:9/other" {
		v.t.Errorf("changed: %+v, %v", found, err)
	}
	status, tokens = v.credentials(made.ID, secret, "agreements:propose")
	if status != 200 {
		v.t.Fatalf("with the new secret, after a change: %d %v", status, tokens)
	}
	v.introspect(tokens["access_token"])
	if err := v.provider.DeleteClient(ctx, made.ID); err != nil {
		v.t.Fatal(err)
	}
	if _, err := v.provider.Introspect(ctx, fmt.Sprint(tokens["access_token"])); problem.CodeOf(err) != problem.Unauthenticated {
		v.t.Errorf("a deleted client's token: %v", err)
	}
	if _, err := v.provider.FindClient(ctx, made.ID); problem.CodeOf(err) != problem.NotFound {
		v.t.Errorf("deleted: %v", err)
	}
	if err := v.provider.DeleteClient(ctx, made.ID); problem.CodeOf(err) != problem.NotFound {
		v.t.Errorf("deleted again: %v", err)
	}
}

// What was allowed besides agreements can be taken back.
func disconnected(v *visit) {
	v.app = v.register(v.t) // which nobody has allowed anything
	v.logIn(ben())
	tokens := v.redeem(v.submit(v.ask("openid accounts:read offline_access"), "decision", "allow"))
	v.introspect(tokens["access_token"])
	subject := ben().ID.String()
	if all := v.connections(subject); len(all) != 1 || len(all[0].Scopes) != 3 || all[0].Since.IsZero() {
		v.t.Errorf("%+v", all)
	}
	if err := v.provider.Disconnect(v.t.Context(), subject, v.app); err != nil {
		v.t.Fatal(err)
	}
	if _, err := v.provider.Introspect(v.t.Context(), fmt.Sprint(tokens["access_token"])); problem.CodeOf(err) != problem.Unauthenticated {
		v.t.Errorf("its access token: %v", err)
	}
	if status, answer := v.refresh(tokens); status == 200 {
		v.t.Errorf("its refresh token: %v", answer)
	}
	if all := v.connections(subject); len(all) != 0 {
		v.t.Errorf("%+v", all)
	}
}

// connections are what somebody has allowed this app.
func (v *visit) connections(subject string) []oauth.Connection {
	v.t.Helper()
	all, err := v.provider.Connections(v.t.Context(), subject)
	if err != nil {
		v.t.Fatal(err)
	}
	return slices.DeleteFunc(all, func(c oauth.Connection) bool { return c.App.ID != v.app })
}

// credentials asks for a client's own token, for the wallet.
func (v *visit) credentials(id, secret, scope string) (int, map[string]any) {
	v.t.Helper()
	form := url.Values{"grant_type": {"client_credentials"}, "scope": {scope}, "audience": {v.wallet}}
	r, err := http.NewRequestWithContext(v.t.Context(), http.MethodPost, v.hydra+"/oauth2/token", strings.NewReader(form.Encode()))
	if err != nil {
		v.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.SetBasicAuth(id, secret)
	return roundTrip(v.t, r)
}

func aService(v *visit) {
	ctx := v.t.Context()
	made, err := v.provider.CreateClient(ctx, oauth.Client{Name: "Back office", Service: true, Scopes: []oauth.Scope{oauth.AdminRead}})
	if err != nil {
		v.t.Fatal(err)
	}
	all, err := v.provider.ListServices(ctx)
	if err != nil || len(all) != 1 || all[0].ID != made.ID || !all[0].Service || all[0].Secret != "" {
		v.t.Errorf("%+v, %v", all, err)
	}
	status, tokens := v.credentials(made.ID, made.Secret, "admin:read")
	if status != 200 {
		v.t.Fatalf("%d %v", status, tokens)
	}
	if token := v.introspect(tokens["access_token"]); token.Subject != made.ID || !token.Has(oauth.AdminRead) {
		v.t.Errorf("%+v", token)
	}
	if status, answer := v.credentials(made.ID, made.Secret, "admin:write"); status == 200 {
		v.t.Errorf("more than it has: %v", answer)
	}
}

// A client that somebody has made at Hydra by hand gets no token, and nobody is asked to
// allow it anything.
func aStranger(v *visit) {
	made := v.send(v.t, http.MethodPost, v.admin+"/admin/clients", map[string]any{
		"client_name": "Stranger", "redirect_uris": []string{callback}, "scope": "openid agreements:propose admin:read", "audience": []string{v.wallet},
		"grant_types": []string{"authorization_code", "client_credentials"}, "response_types": []string{"code"},
	})
	v.app = fmt.Sprint(made["client_id"])
	for _, scope := range []string{"agreements:propose", "admin:read"} {
		status, answer := v.credentials(v.app, fmt.Sprint(made["client_secret"]), scope)
		if status != 403 || answer["access_token"] != nil {
			v.t.Errorf("%s for itself: %d %v", scope, status, answer)
		}
	}
	v.logIn(ann())
	if back := v.ask("openid"); back.URL.Query().Get("error") != "access_denied" {
		v.t.Errorf("from Ann: %d, %s", back.Status, back.URL)
	}
}

// When the wallet can't say whether an agreement goes on, there is no token.
func TestNoTokensWithoutTheWallet(t *testing.T) {
	w := startWorld(t)
	v := w.visit(t, w.register(t))
	v.logIn(ann())
	tokens := v.allow(monthlyDetails, "12")
	w.hook.Close()
	if status, answer := v.refresh(tokens); status != 500 || answer["access_token"] != nil {
		t.Errorf("%d %v", status, answer)
	}
}
