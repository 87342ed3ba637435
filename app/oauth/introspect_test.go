package oauth_test

import (
	"strings"
	"testing"
	"time"

	"pochi/app/oauth"
	"pochi/app/problem"

	"github.com/google/go-cmp/cmp"
)

const activeToken = `{"active":true,"scope":"openid profile","client_id":"c1","sub":"` + subject + `","exp":1800000001,
	"aud":["https://wallet.example"],"iss":"http://hydra.example:4444","token_type":"Bearer","token_use":"access_token"}`

func TestIntrospect(t *testing.T) {
	p, h := start(t, 200, activeToken)
	got, err := p.Introspect(t.Context(), "tok+en")
	if err != nil {
		t.Fatal(err)
	}
	want := oauth.Token{
		Subject: subject, ClientID: "c1", Scopes: []oauth.Scope{oauth.OpenID, oauth.Profile},
		Audience: []string{audience}, ExpiresAt: time.Unix(1_800_000_001, 0).UTC(),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if !got.Has(oauth.OpenID) || got.Has(oauth.OfflineAccess) || !got.For(audience) || got.For("https://other.example") {
		t.Error("the token is for something else")
	}
	if diff := cmp.Diff([]string{"token=tok%2Ben"}, h.sent); diff != "" {
		t.Error(diff)
	}
}

func TestOnlyAccessTokensAreTokens(t *testing.T) {
	for name, change := range map[string][2]string{
		"inactive":         {`"active":true`, `"active":false`},
		"refresh token":    {`"token_use":"access_token"`, `"token_use":"refresh_token"`},
		"of unknown use":   {`,"token_use":"access_token"`, ``},
		"expired":          {`"exp":1800000001`, `"exp":1800000000`},
		"without an end":   {`"exp":1800000001,`, ``},
		"without a person": {`"sub":"` + subject + `"`, `"sub":""`},
		"without a client": {`"client_id":"c1"`, `"client_id":""`},
	} {
		p, _ := start(t, 200, strings.Replace(activeToken, change[0], change[1], 1))
		if _, err := p.Introspect(t.Context(), "token"); problem.CodeOf(err) != problem.Unauthenticated {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestIntrospectDoesNotAskAboutWhatCanBeNoToken(t *testing.T) {
	p, h := start(t, 200, activeToken)
	for _, token := range []string{"", strings.Repeat("x", 5000), "tok en", "tok\x00en", "tokén"} {
		if _, err := p.Introspect(t.Context(), token); problem.CodeOf(err) != problem.Unauthenticated {
			t.Errorf("%.10q: %v", token, err)
		}
	}
	if len(h.asked) != 0 {
		t.Errorf("asked %v", h.asked)
	}
}

func TestIntrospectIsUnavailableWithoutAnAnswer(t *testing.T) {
	for _, tt := range []struct {
		status int
		body   string
	}{{500, "{}"}, {404, "{}"}, {401, "{}"}, {200, ""}, {200, "{}"}, {200, "null"}, {200, `{"active":"yes"}`}, {200, "<html>"}} {
		p, _ := start(t, tt.status, tt.body)
		if _, err := p.Introspect(t.Context(), "token"); problem.CodeOf(err) != problem.Unavailable {
			t.Errorf("%d %q: %v", tt.status, tt.body, err)
		}
	}
}

func TestATokenNamesItsAgreement(t *testing.T) {
	withClaim := func(claim string) string {
		return strings.NewReplacer(`"active":true`, `"active":true,"ext":{"agreement":`+claim+`}`, "openid profile", "agreement").Replace(activeToken)
	}
	p, _ := start(t, 200, withClaim(`"`+agreementID+`"`))
	if got, err := p.Introspect(t.Context(), "token"); err != nil || got.Agreement.String() != agreementID {
		t.Errorf("%v, %v", got.Agreement, err)
	}
	for _, claim := range []string{`""`, `"x"`, `1`, `null`, `["` + agreementID + `"]`, `"00000000-0000-0000-0000-000000000000"`} {
		p, _ := start(t, 200, withClaim(claim))
		if _, err := p.Introspect(t.Context(), "token"); problem.CodeOf(err) != problem.Unauthenticated {
			t.Errorf("%s: %v", claim, err)
		}
	}
	for name, body := range map[string]string{
		"an agreement without its scope": strings.Replace(withClaim(`"`+agreementID+`"`), `"scope":"agreement"`, `"scope":"openid"`, 1),
		"the scope without an agreement": strings.Replace(activeToken, "openid profile", "openid agreement", 1),
	} {
		p, _ := start(t, 200, body)
		if _, err := p.Introspect(t.Context(), "token"); problem.CodeOf(err) != problem.Unauthenticated {
			t.Errorf("%s: %v", name, err)
		}
	}
}
