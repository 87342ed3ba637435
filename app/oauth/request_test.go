package oauth_test

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"

	"pochi/app/oauth"
)

// requestURL is the address of a right authorization request, with parameters
// changed or added; an empty value takes one away.
func requestURL(pairs ...string) string {
	query := url.Values{
		"client_id": {"c1"}, "response_type": {"code"}, "redirect_uri": {"https://shop.example/cb"}, "scope": {"openid"}, "state": {"0123456789"},
		"code_challenge": {"x"}, "code_challenge_method": {"S256"},
	}
	for i := 0; i < len(pairs); i += 2 {
		query.Set(pairs[i], pairs[i+1])
		if pairs[i+1] == "" {
			query.Del(pairs[i])
		}
	}
	return publicURL + "/oauth2/auth?" + query.Encode()
}

// answerTo is what Hydra says of a request of which it understood these scopes.
func answerTo(t *testing.T, requestURL, understood string) string {
	t.Helper()
	text, err := json.Marshal(map[string]any{
		"challenge": "x", "login_challenge": "l1", "subject": subject, "skip": false, "requested_scope": strings.Fields(understood), "request_url": requestURL,
		"client": map[string]any{
			"client_id": "c1", "redirect_uris": []string{"https://shop.example/cb", "com.example.app:/cb"},
			"policy_uri": "https://shop.example/policy", "tos_uri": "javascript:alert(1)",
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func consentAnswer(t *testing.T, scopes string, pairs ...string) string {
	t.Helper()
	return answerTo(t, requestURL(append([]string{"scope", scopes}, pairs...)...), scopes)
}

func TestRequestsThatNobodyIsAsked(t *testing.T) {
	right := requestURL()
	agreement := func(scopes string) string {
		return requestURL("scope", scopes, "authorization_details", detailsText)
	}
	for name, tt := range map[string]struct {
		url, understood, code string
	}{
		"right":                           {right, "openid", ""},
		"right, in another order":         {requestURL("scope", "profile openid"), "openid profile", ""},
		"several audiences":               {right + "&audience=a&audience=b&resource=a&resource=b", "openid", ""},
		"a parameter twice":               {right + "&state=0123456789", "openid", "invalid_request"},
		"prompt twice":                    {right + "&prompt=login&prompt=none", "openid", "invalid_request"},
		"an empty parameter twice":        {right + "&nonce=&nonce=", "openid", "invalid_request"},
		"the details twice":               {agreement("agreement") + "&authorization_details=%5B%5D", "agreement", "invalid_request"},
		"what can't be read":              {right + "&authorization_details=%zz", "openid", "invalid_request"},
		"a request object":                {right + "&request=x", "openid", "request_not_supported"},
		"a request object elsewhere":      {right + "&request_uri=x", "openid", "request_uri_not_supported"},
		"an empty request object":         {right + "&request=", "openid", "request_not_supported"},
		"claims":                          {requestURL("claims", "{}"), "openid", "invalid_request"},
		"an answer in a form":             {requestURL("response_mode", "form_post"), "openid", "invalid_request"},
		"an answer in a fragment":         {requestURL("response_mode", "fragment"), "openid", "invalid_request"},
		"an answer in the address":        {requestURL("response_mode", "query"), "openid", ""},
		"another client":                  {requestURL("client_id", "c2"), "openid", "invalid_request"},
		"the client in the body":          {requestURL("client_id", ""), "openid", "invalid_request"},
		"tokens at once":                  {requestURL("response_type", "code token"), "openid", "invalid_request"},
		"the response type in the body":   {requestURL("response_type", ""), "openid", "invalid_request"},
		"an unknown redirect":             {requestURL("redirect_uri", "https://evil.example/cb"), "openid", "invalid_request"},
		"a redirect that only begins so":  {requestURL("redirect_uri", "https://shop.example/cb/x"), "openid", "invalid_request"},
		"the redirect in the body":        {requestURL("redirect_uri", ""), "openid", "invalid_request"},
		"more scopes in the body":         {right, "openid profile", "invalid_request"},
		"the scopes in the body":          {requestURL("scope", ""), "openid", "invalid_request"},
		"fewer scopes in the body":        {requestURL("scope", "openid profile"), "openid", "invalid_request"},
		"no scope":                        {requestURL("scope", ""), "", "invalid_scope"},
		"without PKCE":                    {requestURL("code_challenge", ""), "openid", "invalid_request"},
		"plain PKCE":                      {requestURL("code_challenge_method", "plain"), "openid", "invalid_request"},
		"a scope that nobody knows":       {requestURL("scope", "openid email"), "openid email", "invalid_scope"},
		"a scope in other letters":        {requestURL("scope", "OpenID"), "OpenID", "invalid_scope"},
		"an admin's scope":                {requestURL("scope", "admin:read"), "admin:read", "invalid_scope"},
		"a service's scope":               {requestURL("scope", "openid agreements:propose"), "openid agreements:propose", "invalid_scope"},
		"an agreement":                    {agreement("agreement openid profile offline_access"), "agreement openid profile offline_access", ""},
		"an agreement with accounts":      {agreement("agreement accounts:read"), "agreement accounts:read", "invalid_scope"},
		"an agreement with transactions":  {agreement("agreement transactions:read"), "agreement transactions:read", "invalid_scope"},
		"an agreement with requests":      {agreement("agreement payments:request"), "agreement payments:request", "invalid_scope"},
		"an agreement without details":    {requestURL("scope", "agreement"), "agreement", "invalid_authorization_details"},
		"details without an agreement":    {agreement("openid"), "openid", "invalid_authorization_details"},
		"details that can't be used":      {requestURL("scope", "agreement", "authorization_details", `[{"type":"payment"}]`), "agreement", "invalid_authorization_details"},
		"details that are there, but not": {requestURL("scope", "openid") + "&authorization_details=", "openid", "invalid_authorization_details"},
	} {
		p, _ := start(t, 200, answerTo(t, tt.url, tt.understood))
		login, err := p.Login(t.Context(), "sesame")
		consent, err2 := p.Consent(t.Context(), "sesame")
		if err != nil || err2 != nil {
			t.Fatalf("%s: %v, %v", name, err, err2)
		}
		for page, reason := range map[string]*oauth.Reason{"login": login.Refusal, "consent": consent.Refusal} {
			if got := codeOf(reason); got != tt.code {
				t.Errorf("%s, %s: got %q, want %q", name, page, got, tt.code)
			}
		}
	}
}

func codeOf(reason *oauth.Reason) string {
	if reason == nil {
		return ""
	}
	if reason.Description == "" {
		return "nothing is said about " + reason.Code
	}
	return reason.Code
}

func TestAnAppOnThePersonsOwnComputerChoosesItsPort(t *testing.T) {
	for to, code := range map[string]string{
		"http://127.0.0.1:51000/cb":         "",
		"http://127.0.0.1/cb":               "",
		"http://127.0.0.1:51000/other":      "invalid_request",
		"http://127.0.0.1:51000/cb?x=1":     "invalid_request",
		"http://127.0.0.2:51000/cb":         "invalid_request",
		"https://127.0.0.1:51000/cb":        "invalid_request",
		"http://localhost:51000/cb":         "invalid_request",
		"http://127.0.0.1.evil.example/cb":  "invalid_request",
		"http://user@127.0.0.1:51000/cb":    "invalid_request",
		"http://127.0.0.1:51000/cb#section": "invalid_request",
	} {
		answer := strings.ReplaceAll(answerTo(t, requestURL("redirect_uri", to), "openid"), "https://shop.example/cb", "http://127.0.0.1/cb")
		p, _ := start(t, 200, answer)
		got, err := p.Login(t.Context(), "sesame")
		if err != nil || codeOf(got.Refusal) != code {
			t.Errorf("%s: %+v, %v", to, got.Refusal, err)
		}
	}
}
