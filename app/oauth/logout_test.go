package oauth_test

import (
	"testing"

	"pochi/app/oauth"

	"github.com/google/go-cmp/cmp"
)

func TestLogout(t *testing.T) {
	tests := []struct {
		name, body string
		want       oauth.LogoutRequest
	}{
		{
			"an app asks",
			`{"challenge":"x","subject":"ann","rp_initiated":true,"client":{"client_id":"c1","client_name":"Shop"},
			"request_url":"/oauth2/sessions/logout?post_logout_redirect_uri=https%3A%2F%2Fshop.example%2Fbye"}`,
			oauth.LogoutRequest{
				Challenge: "sesame", Subject: "ann", App: oauth.App{ID: "c1", Name: "Shop"},
				FormURLs: []string{publicURL, "https://shop.example/bye"},
			},
		},
		{
			"nobody in particular asks",
			`{"challenge":"x","subject":"ann","rp_initiated":false,"client":null,"request_url":"/oauth2/sessions/logout?"}`,
			oauth.LogoutRequest{Challenge: "sesame", Subject: "ann", FormURLs: []string{publicURL}},
		},
	}
	for _, tt := range tests {
		p, _ := start(t, 200, tt.body)
		got, err := p.Logout(t.Context(), "sesame")
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s: %s", tt.name, diff)
		}
	}
}

func TestAcceptAndRejectLogout(t *testing.T) {
	p, _ := start(t, 200, `{"redirect_to":"`+publicURL+`/oauth2/sessions/logout?logout_verifier=v"}`)
	if to, err := p.AcceptLogout(t.Context(), "sesame"); err != nil || to != publicURL+"/oauth2/sessions/logout?logout_verifier=v" {
		t.Errorf("accept: %q, %v", to, err)
	}
	p, _ = start(t, 204, "")
	if err := p.RejectLogout(t.Context(), "sesame"); err != nil {
		t.Errorf("reject: %v", err)
	}
}
