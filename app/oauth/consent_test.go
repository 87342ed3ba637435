package oauth_test

import (
	"crypto/sha256"
	"slices"
	"testing"

	"pochi/app/oauth"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
)

func TestConsent(t *testing.T) {
	p, _ := start(t, 200, consentAnswer(t, "openid profile"))
	got, err := p.Consent(t.Context(), "sesame")
	if err != nil {
		t.Fatal(err)
	}
	want := oauth.ConsentRequest{
		Challenge:  "sesame",
		Key:        sha256.Sum256([]byte("l1\nc1\n" + subject)),
		App:        oauth.App{ID: "c1", Name: "c1", PolicyURL: "https://shop.example/policy"},
		Subject:    subject,
		Scopes:     []oauth.Scope{oauth.OpenID, oauth.Profile},
		Hosts:      []string{"shop.example", "com.example.app"},
		RestartURL: requestURL("scope", "openid profile"),
		FormURLs:   []string{publicURL, "https://shop.example/cb"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestConsentToAnAgreement(t *testing.T) {
	p, _ := start(t, 200, consentAnswer(t, "openid agreement", "authorization_details", detailsText))
	got, err := p.Consent(t.Context(), "sesame")
	if err != nil || got.Refusal != nil {
		t.Fatalf("%+v, %v", got.Refusal, err)
	}
	if got.Detail == nil || got.Detail.Terms.Description != "Flowers" || got.Detail.Terms.Amount.Value != 1200 {
		t.Errorf("%+v", got.Detail)
	}
}

func TestConsentWithoutARedirectURIGoesToTheOnlyOne(t *testing.T) {
	for uris, want := range map[string][]string{
		`["https://shop.example/cb"]`:                     {"shop.example"},
		`["com.example.app:/cb"]`:                         {"com.example.app"},
		`["com.example.app://bank.example/cb"]`:           {"com.example.app"}, // which never sees it
		`["https://shop\u202e.example:8443/cb"]`:          {"shop.example:8443"},
		`["https://a.example/cb","https://b.example/cb"]`: {"a.example", "b.example"},
		`null`: nil,
	} {
		p, _ := start(t, 200, `{"challenge":"x","login_challenge":"l1","subject":"s","client":{"client_id":"c1","redirect_uris":`+uris+`},"request_url":"`+publicURL+`/oauth2/auth"}`)
		got, err := p.Consent(t.Context(), "sesame")
		if err != nil || !slices.Equal(got.Hosts, want) {
			t.Errorf("%s: %q, %v", uris, got.Hosts, err)
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
			oauth.Grant{Scopes: []oauth.Scope{oauth.AgreementScope}, Agreement: uuid.MustParse(agreementID)},
			map[string]any{"grant_scope": []any{"agreement"}, "session": map[string]any{
				"id_token": map[string]any{}, "access_token": map[string]any{"agreement": agreementID},
			}},
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

func TestAnAgreementAndItsScopeAreGrantedTogetherOnly(t *testing.T) {
	for _, grant := range []oauth.Grant{
		{Scopes: []oauth.Scope{oauth.OpenID, oauth.AgreementScope}},
		{Scopes: []oauth.Scope{oauth.OpenID}, Agreement: uuid.MustParse(agreementID)},
	} {
		p, h := start(t, 200, `{"redirect_to":"`+publicURL+`/oauth2/auth"}`)
		if _, err := p.AcceptConsent(t.Context(), "sesame", grant); err == nil || len(h.asked) != 0 {
			t.Errorf("%+v: %v, asked %v", grant, err, h.asked)
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
