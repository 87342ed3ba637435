package oauth_test

import (
	"testing"

	"pochi/app/oauth"

	"github.com/google/go-cmp/cmp"
)

func TestConsent(t *testing.T) {
	restart := publicURL + "/oauth2/auth?client_id=c1&redirect_uri=https%3A%2F%2Fshop.example%2Fcb"
	p, _ := start(t, 200, `{"challenge":"x","subject":"`+subject+`","skip":true,"requested_scope":["admin","profile","openid","openid"],
		"client":{"client_id":"c1","redirect_uris":["https://other.example/cb"]},"request_url":"`+restart+`"}`)
	got, err := p.Consent(t.Context(), "sesame")
	if err != nil {
		t.Fatal(err)
	}
	want := oauth.ConsentRequest{
		Challenge:  "sesame",
		App:        oauth.App{ID: "c1", Name: "c1"},
		Subject:    subject,
		Scopes:     []oauth.Scope{oauth.OpenID, oauth.Profile},
		Host:       "shop.example",
		RestartURL: restart,
		FormURLs:   []string{publicURL, "https://shop.example/cb"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestConsentWithoutARedirectURIGoesToTheOnlyOne(t *testing.T) {
	for uris, want := range map[string]string{
		`["https://shop.example/cb"]`:                     "shop.example",
		`["com.example.app:/cb"]`:                         "com.example.app",
		`["https://shop\u202e.example:8443/cb"]`:          "shop.example:8443",
		`["https://a.example/cb","https://b.example/cb"]`: "",
		`null`: "",
	} {
		p, _ := start(t, 200, `{"challenge":"x","subject":"s","client":{"client_id":"c1","redirect_uris":`+uris+`},"request_url":"`+publicURL+`/oauth2/auth"}`)
		got, err := p.Consent(t.Context(), "sesame")
		if err != nil || got.Host != want {
			t.Errorf("%s: %q, %v", uris, got.Host, err)
		}
	}
}

func TestAcceptConsentGrantsKnownScopesAndOurAudienceOnly(t *testing.T) {
	tests := []struct {
		grant oauth.Grant
		want  map[string]any
	}{
		{
			oauth.Grant{Scopes: []oauth.Scope{oauth.OfflineAccess, oauth.Profile, "admin", oauth.OpenID}, Name: "Ann"},
			map[string]any{"grant_scope": []any{"openid", "profile", "offline_access"}, "session": map[string]any{"id_token": map[string]any{"name": "Ann"}}},
		},
		{
			oauth.Grant{Scopes: []oauth.Scope{oauth.OpenID}, Name: "Ann"}, // the name isn't for this app
			map[string]any{"grant_scope": []any{"openid"}, "session": map[string]any{"id_token": map[string]any{}}},
		},
	}
	for _, tt := range tests {
		p, h := start(t, 200, `{"redirect_to":"`+publicURL+`/oauth2/auth?consent_verifier=v"}`)
		to, err := p.AcceptConsent(t.Context(), "sesame", tt.grant)
		if err != nil || to != publicURL+"/oauth2/auth?consent_verifier=v" {
			t.Errorf("%q, %v", to, err)
		}
		tt.want["remember"] = false
		tt.want["grant_access_token_audience"] = []any{audience}
		if diff := cmp.Diff(tt.want, decoded(t, h.sent[0])); diff != "" {
			t.Error(diff)
		}
	}
}

func TestRejectConsent(t *testing.T) {
	p, h := start(t, 200, `{"redirect_to":"`+publicURL+`/oauth2/auth"}`)
	if _, err := p.RejectConsent(t.Context(), "sesame", oauth.Reason{Code: "access_denied", Description: "no"}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]any{"error": "access_denied", "error_description": "no"}, decoded(t, h.sent[0])); diff != "" {
		t.Error(diff)
	}
}
