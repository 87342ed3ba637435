package web_test

import (
	"net/url"
	"testing"
)

func TestOAuthErrorPageShowsNothingOfItsAddress(t *testing.T) {
	b := openBrowser(t, &hydra{})
	for code, want := range map[string]struct {
		status int
		text   string
	}{
		"invalid_client":         {400, "invalid_client"},
		"invalid_request":        {400, "invalid_request"},
		"request_forbidden":      {400, "We lost track"},
		"access_denied":          {400, "wasn't allowed"},
		"server_error":           {400, "right now"},
		"":                       {400, "Go back to the app"},
		"<script>alert</script>": {400, "Go back to the app"},
	} {
		query := url.Values{"error": {code}, "error_description": {"Call 0900 for help"}, "error_hint": {"Call 0900 for help"}}
		got := b.get("/oauth/error?" + query.Encode())
		if got.Status != want.status || !got.shows(want.text) || got.shows("0900") || got.shows("alert</script>") {
			t.Errorf("%q: %d %s", code, got.Status, got.Body)
		}
	}
}

// Whoever builds an app reads what the mistake most likely is.
func TestOAuthErrorPageNamesTheRedirectURI(t *testing.T) {
	b := openBrowser(t, &hydra{})
	query := url.Values{"error": {"invalid_request"}, "error_description": {"The 'redirect_uri' parameter does not match. Call 0900."}}
	if got := b.get("/oauth/error?" + query.Encode()); !got.shows("(redirect_uri) has to be one that is registered") || got.shows("0900") {
		t.Errorf("%d %s", got.Status, got.Body)
	}
}
