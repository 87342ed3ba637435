package oauth_test

import (
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"pochi/app/oauth"
	"pochi/app/problem"

	"github.com/google/go-cmp/cmp"
)

func shop() oauth.Client {
	return oauth.Client{ID: "c1", Name: "Shop", RedirectURIs: []string{"https://shop.example/cb"}, PolicyURL: "https://shop.example/policy"}
}

func TestCreateClient(t *testing.T) {
	const people = "openid profile offline_access accounts:read transactions:read payments:request agreement"
	public, confidential, service := shop(), shop(), oauth.Client{Name: "Back office", Service: true, Scopes: []oauth.Scope{oauth.AdminRead}}
	confidential.Confidential = true
	for name, tt := range map[string]struct {
		client oauth.Client
		want   map[string]any
	}{
		"a public app": {public, map[string]any{
			"client_name": "Shop", "redirect_uris": []any{"https://shop.example/cb"}, "policy_uri": "https://shop.example/policy", "tos_uri": "", "logo_uri": "",
			"grant_types": []any{"authorization_code", "refresh_token"}, "response_types": []any{"code"},
			"token_endpoint_auth_method": "none", "scope": people,
		}},
		"a confidential app": {confidential, map[string]any{
			"client_name": "Shop", "redirect_uris": []any{"https://shop.example/cb"}, "policy_uri": "https://shop.example/policy", "tos_uri": "", "logo_uri": "",
			"grant_types": []any{"authorization_code", "refresh_token", "client_credentials"}, "response_types": []any{"code"},
			"token_endpoint_auth_method": "client_secret_basic", "scope": people + " agreements:propose",
		}},
		"a service": {service, map[string]any{
			"client_name": "Back office", "grant_types": []any{"client_credentials"}, "response_types": []any{}, "owner": "wallet",
			"token_endpoint_auth_method": "client_secret_basic", "scope": "admin:read",
		}},
	} {
		p, h := start(t, 201, `{"client_id":"c1"}`)
		tt.client.ID, tt.want["client_id"] = "c1", "c1"
		got, err := p.CreateClient(t.Context(), tt.client)
		if err != nil || got.ID != "c1" {
			t.Errorf("%s: %+v, %v", name, got, err)
			continue
		}
		sent := decoded(t, h.sent[0])
		secret, _ := sent["client_secret"].(string)
		if secret != got.Secret || (len(secret) >= 32) != got.Confidential {
			t.Errorf("%s: the secret sent is %q, the one told %q", name, secret, got.Secret)
		}
		delete(sent, "client_secret")
		tt.want["audience"] = []any{audience}
		if diff := cmp.Diff(tt.want, sent); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestTwoClientsHaveTwoSecrets(t *testing.T) {
	p, _ := start(t, 201, `{"client_id":"c1"}`)
	c := shop()
	c.Confidential = true
	first, err := p.CreateClient(t.Context(), c)
	second, err2 := p.CreateClient(t.Context(), first)
	if err != nil || err2 != nil || first.Secret == second.Secret {
		t.Errorf("%q and %q, %v, %v", first.Secret, second.Secret, err, err2)
	}
}

func TestWhatNoClientCanBe(t *testing.T) {
	change := func(f func(*oauth.Client)) oauth.Client {
		c := shop()
		f(&c)
		return c
	}
	redirect := func(uris ...string) oauth.Client { return change(func(c *oauth.Client) { c.RedirectURIs = uris }) }
	policy := func(url string) oauth.Client { return change(func(c *oauth.Client) { c.PolicyURL = url }) }
	for name, tt := range map[string]struct {
		client oauth.Client
		fields []string
	}{
		"without a name":            {change(func(c *oauth.Client) { c.Name = "" }), []string{"name"}},
		"a long name":               {change(func(c *oauth.Client) { c.Name = strings.Repeat("x", 61) }), []string{"name"}},
		"a name that turns around":  {change(func(c *oauth.Client) { c.Name = "Sh\u202eop" }), []string{"name"}},
		"a name with space":         {change(func(c *oauth.Client) { c.Name = " Shop" }), []string{"name"}},
		"nowhere to go":             {redirect(), []string{"redirect_uris"}},
		"everywhere to go":          {redirect(slices.Repeat([]string{"https://shop.example/cb"}, 11)...), []string{"redirect_uris"}},
		"plain http":                {redirect("https://shop.example/cb", "http://shop.example/cb"), []string{"redirect_uris"}},
		"a fragment":                {redirect("https://shop.example/cb#x"), []string{"redirect_uris"}},
		"a wildcard":                {redirect("https://*.shop.example/cb"), []string{"redirect_uris"}},
		"a password":                {redirect("https://a:b@shop.example/cb"), []string{"redirect_uris"}},
		"relative":                  {redirect("/cb"), []string{"redirect_uris"}},
		"without a host":            {redirect("https:///cb"), []string{"redirect_uris"}},
		"javascript":                {redirect("javascript:alert(1)"), []string{"redirect_uris"}},
		"a scheme without a dot":    {redirect("shop:/cb"), []string{"redirect_uris"}},
		"a scheme without a path":   {redirect("com.example.shop:cb"), []string{"redirect_uris"}},
		"a host in disguise":        {redirect("https://b%D0%B0nk.example/cb"), []string{"redirect_uris"}},
		"a line break":              {redirect("https://shop.example/cb\nx"), []string{"redirect_uris"}},
		"too long":                  {redirect("https://shop.example/" + strings.Repeat("x", 500)), []string{"redirect_uris"}},
		"a script as policy":        {policy("javascript:alert(1)"), []string{"policy_url"}},
		"a plain policy":            {policy("http://shop.example/"), []string{"policy_url"}},
		"an app with a scope":       {change(func(c *oauth.Client) { c.Scopes = []oauth.Scope{oauth.AdminRead} }), []string{"scopes"}},
		"a service without a scope": {oauth.Client{Name: "Office", Service: true}, []string{"scopes"}},
		"a service with people's":   {oauth.Client{Name: "Office", Service: true, Scopes: []oauth.Scope{oauth.AdminRead, oauth.AccountsRead}}, []string{"scopes"}},
		"several":                   {change(func(c *oauth.Client) { c.Name, c.LogoURL = "", "ftp://shop.example/" }), []string{"logo_url", "name"}},
	} {
		p, h := start(t, 201, `{"client_id":"c1"}`)
		_, err := p.CreateClient(t.Context(), tt.client)
		if got := slices.Sorted(maps.Keys(problem.Fields(err))); problem.CodeOf(err) != problem.Invalid || !slices.Equal(got, tt.fields) || len(h.asked) != 0 {
			t.Errorf("%s: %v, asked %v", name, err, h.asked)
		}
	}
	for _, uri := range []string{"https://shop.example:8443/cb?x=1", "http://localhost:4000/cb", "http://127.0.0.1/cb", "http://[::1]:1/cb", "com.example.shop:/cb"} {
		p, _ := start(t, 201, `{"client_id":"c1"}`)
		if _, err := p.CreateClient(t.Context(), redirect(uri)); err != nil {
			t.Errorf("%s: %v", uri, err)
		}
	}
}

const shopAtHydra = `{"client_id":"c1","client_name":"Shop","redirect_uris":["https://shop.example/cb"],"tos_uri":"https://shop.example/terms",
	"token_endpoint_auth_method":"client_secret_basic","scope":"openid"}`

func TestFindClient(t *testing.T) {
	p, h := start(t, 200, shopAtHydra)
	got, err := p.FindClient(t.Context(), "c1")
	want := oauth.Client{ID: "c1", Name: "Shop", Confidential: true, RedirectURIs: []string{"https://shop.example/cb"}, TermsURL: "https://shop.example/terms"}
	if diff := cmp.Diff(want, got); err != nil || diff != "" || !slices.Equal(h.asked, []string{"GET /admin/clients/c1"}) {
		t.Errorf("%v, asked %v: %s", err, h.asked, diff)
	}
	p, _ = start(t, 200, `{"client_id":"s1","client_name":"Office","owner":"wallet","scope":"admin:read admin:write","token_endpoint_auth_method":"client_secret_basic"}`)
	got, err = p.FindClient(t.Context(), "s1")
	want = oauth.Client{ID: "s1", Name: "Office", Confidential: true, Service: true, Scopes: []oauth.Scope{oauth.AdminRead, oauth.AdminWrite}}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v: %s", err, diff)
	}
}

// An app can't become a service, nor lose or get a secret, by being changed.
func TestUpdateClientKeepsWhatItIs(t *testing.T) {
	p, h := start(t, 200, shopAtHydra)
	got, err := p.UpdateClient(t.Context(), oauth.Client{ID: "c1", Name: "Shop 2", RedirectURIs: []string{"https://shop.example/2"}, Service: true})
	want := oauth.Client{ID: "c1", Name: "Shop 2", Confidential: true, RedirectURIs: []string{"https://shop.example/2"}}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Fatalf("%v: %s", err, diff)
	}
	sent := decoded(t, h.sent[1])
	if sent["client_secret"] != nil || sent["token_endpoint_auth_method"] != "client_secret_basic" || sent["owner"] != nil || sent["client_name"] != "Shop 2" {
		t.Errorf("sent %v", sent)
	}
	if _, err := p.UpdateClient(t.Context(), oauth.Client{ID: "c1", Name: "Shop", RedirectURIs: []string{"http://shop.example/"}}); problem.CodeOf(err) != problem.Invalid {
		t.Errorf("with plain http: %v", err)
	}
}

func TestRotateSecret(t *testing.T) {
	p, h := start(t, 200, shopAtHydra)
	secret, err := p.RotateSecret(t.Context(), "c1")
	if err != nil || len(secret) < 32 || decoded(t, h.sent[1])["client_secret"] != secret {
		t.Errorf("%q, %v; sent %v", secret, err, h.sent)
	}
	p, _ = start(t, 200, strings.Replace(shopAtHydra, "client_secret_basic", "none", 1))
	if _, err := p.RotateSecret(t.Context(), "c1"); problem.CodeOf(err) != problem.Conflict {
		t.Errorf("of a public app: %v", err)
	}
}

func TestListServicesNamesNoApps(t *testing.T) {
	p, h := start(t, 200, `[`+shopAtHydra+`,{"client_id":"s1","client_name":"Office","owner":"wallet","scope":"admin:read"}]`)
	got, err := p.ListServices(t.Context())
	if err != nil || len(got) != 1 || got[0].ID != "s1" || h.asked[0] != "GET /admin/clients?owner=wallet&page_size=500" {
		t.Errorf("%+v, %v; asked %v", got, err, h.asked)
	}
}

func TestAClientIDIsMadeOnceAndTakenOnce(t *testing.T) {
	c := shop()
	c.ID = ""
	p, h := start(t, 201, `{"client_id":"another"}`)
	if _, err := p.CreateClient(t.Context(), c); problem.CodeOf(err) != problem.Unavailable || decoded(t, h.sent[0])["client_id"] == "" {
		t.Errorf("%v, sent %v", err, h.sent)
	}
	p, _ = start(t, 409, `{"error":"taken"}`)
	if _, err := p.CreateClient(t.Context(), shop()); problem.CodeOf(err) != problem.Conflict {
		t.Errorf("an id that is taken: %v", err)
	}
}

func TestUnknownClients(t *testing.T) {
	for status, want := range map[int]problem.Code{http.StatusNotFound: problem.NotFound, 500: problem.Unavailable, 400: problem.Internal} {
		for _, id := range []string{"c2", "../../health"} {
			p, _ := start(t, status, `{"error":"x"}`)
			_, found := p.FindClient(t.Context(), id)
			_, changed := p.UpdateClient(t.Context(), oauth.Client{ID: id})
			_, rotated := p.RotateSecret(t.Context(), id)
			for what, err := range map[string]error{"find": found, "change": changed, "rotate": rotated, "delete": p.DeleteClient(t.Context(), id)} {
				if problem.CodeOf(err) != want {
					t.Errorf("%s %s: %v, want %s", what, id, err, want)
				}
			}
		}
	}
	p, h := start(t, 204, "")
	if err := p.DeleteClient(t.Context(), ""); problem.CodeOf(err) != problem.NotFound || len(h.asked) != 0 {
		t.Errorf("%v, asked %v", err, h.asked)
	}
}
