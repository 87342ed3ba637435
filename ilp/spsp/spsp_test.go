package spsp_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"pochi/ilp"
	"pochi/ilp/spsp"
)

func details() spsp.Details {
	d := spsp.Details{DestinationAccount: "test.pochi.token"}
	for i := range d.SharedSecret {
		d.SharedSecret[i] = byte(255 - i) // base64 has '+' and '/' in it
	}
	return d
}

func TestJSON(t *testing.T) {
	b, err := json.Marshal(details())
	if err != nil {
		t.Fatal(err)
	}
	want := `{"destination_account":"test.pochi.token","shared_secret":"//79/Pv6+fj39vX08/Lx8O/u7ezr6uno5+bl5OPi4eA="}`
	if string(b) != want {
		t.Errorf("%s, want %s", b, want)
	}
	var got spsp.Details
	if err := json.Unmarshal(b, &got); err != nil || got != details() {
		t.Errorf("%v, %v", got, err)
	}
}

// What a receiver asks for comes as it went, and is nothing unless it makes sense.
func TestInvoice(t *testing.T) {
	d := details()
	d.Invoice = spsp.Invoice{Asset: ilp.Asset{Code: "EUR", Scale: 2}, Amount: 25_00, Received: 5_00}
	b, err := json.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	if want := `"balance":{"maximum":"2500","current":"500"},"asset_info":{"code":"EUR","scale":2}}`; !strings.HasSuffix(string(b), want) {
		t.Errorf("%s, want it to end with %s", b, want)
	}
	var got spsp.Details
	if err := json.Unmarshal(b, &got); err != nil || got != d || got.Invoice.Left() != 20_00 {
		t.Errorf("%v, %v", got, err)
	}
	for part, instead := range map[string][]string{
		`"maximum":"2500"`: {`"x":1`, `"maximum":-1`, `"maximum":"0"`, `"maximum":2500`},
		`"current":"500"`:  {`"x":1`, `"current":"many"`},
		`"code":"EUR"`:     {`"x":1`, `"code":""`},
		`"scale":2`:        {`"x":1`, `"scale":"two"`, `"scale":-1`},
	} {
		for _, odd := range instead {
			body := strings.Replace(string(b), part, odd, 1)
			if err := json.Unmarshal([]byte(body), &got); err != nil || got.Invoice != (spsp.Invoice{}) {
				t.Errorf("%s: %+v, %v", body, got.Invoice, err)
			}
		}
	}
}

func TestBothAlphabets(t *testing.T) {
	secret := details().SharedSecret
	for _, encoding := range []*base64.Encoding{base64.StdEncoding, base64.RawStdEncoding, base64.URLEncoding, base64.RawURLEncoding} {
		var got spsp.Details
		body := `{"destination_account":"g.a","shared_secret":"` + encoding.EncodeToString(secret[:]) + `","unknown":[1]}`
		if err := json.Unmarshal([]byte(body), &got); err != nil || got.SharedSecret != secret {
			t.Errorf("%s: %v", body, err)
		}
	}
}

func TestBadAnswers(t *testing.T) {
	for _, body := range []string{
		``, `null`, `[]`, `{}`, `{"destination_account":"test.a"}`,
		`{"destination_account":"nowhere","shared_secret":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="}`,
		`{"destination_account":"test.a","shared_secret":"AAAA"}`,
		`{"destination_account":"test.a","shared_secret":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=="}`,
		`{"destination_account":"test.a","shared_secret":"AAAAAAAAAAAAAAAAAAAAAA\nAAAAAAAAAAAAAAAAAAAAA="}`,
		`{"destination_account":"test.a","shared_secret":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB="}`,
		`{"destination_account":"test.a","shared_secret":5}`,
	} {
		var got spsp.Details
		if err := json.Unmarshal([]byte(body), &got); err == nil {
			t.Errorf("%s became %v", body, got)
		}
	}
}

// answer serves one answer and returns what a client makes of it.
func answer(t *testing.T, status int, contentType, body string) (spsp.Details, error) {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if got := r.Header.Get("Accept"); got != spsp.Accept || r.Method != http.MethodGet {
			t.Errorf("%s with Accept %q", r.Method, got)
		}
		w.Header().Set("Content-Type", contentType)
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}))
	defer server.Close()
	return spsp.Client{HTTP: server.Client()}.Query(context.Background(), server.URL+"/ann")
}

func TestQuery(t *testing.T) {
	body, err := json.Marshal(details())
	if err != nil {
		t.Fatal(err)
	}
	for _, contentType := range []string{spsp.ContentType, spsp.ContentTypeOld, "application/json; charset=utf-8"} {
		got, err := answer(t, http.StatusOK, contentType, string(body))
		if err != nil || got != details() {
			t.Errorf("%s: %v, %v", contentType, got, err)
		}
	}
	for _, c := range []struct {
		name        string
		status      int
		contentType string
		body        string
		want        spsp.Reason
	}{
		{"unknown name", 404, "application/json", `{"id":"InvalidReceiverError"}`, spsp.NotFound},
		{"gone", 410, "text/plain", "", spsp.NotFound},
		{"forbidden", 403, "text/plain", "", spsp.NotAPointer},
		{"broken", 500, "text/plain", "", spsp.NoAnswer},
		{"busy", 429, "text/plain", "", spsp.NoAnswer},
		{"web page", 200, "text/html", "<html>", spsp.NotAPointer},
		{"no type", 200, "", string(body), spsp.NotAPointer},
		{"no JSON", 200, spsp.ContentType, "<html>", spsp.NotAPointer},
		{"null", 200, spsp.ContentType, "null", spsp.NotAPointer},
		{"empty", 200, spsp.ContentType, "", spsp.NotAPointer},
		{"too long", 200, spsp.ContentType, string(body) + strings.Repeat(" ", 40_000), spsp.NotAPointer},
	} {
		_, err := answer(t, c.status, c.contentType, c.body)
		var failure *spsp.Error
		if !errors.Is(err, c.want) || !errors.As(err, &failure) || err.Error() != string(c.want) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func TestNobodyAnswers(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	url := server.URL
	server.Close()
	if _, err := (spsp.Client{HTTP: http.DefaultClient}).Query(context.Background(), url); !errors.Is(err, spsp.NoAnswer) {
		t.Errorf("%v", err)
	}
	if _, err := (spsp.Client{HTTP: http.DefaultClient}).Query(context.Background(), "://"); !errors.Is(err, spsp.NotAPointer) {
		t.Errorf("%v", err)
	}
}

func FuzzUnmarshal(f *testing.F) {
	f.Add(`{"destination_account":"test.a","shared_secret":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="}`)
	f.Add(`{"destination_account":"test.a","shared_secret":"_-"}`)
	f.Add(`null`)
	f.Fuzz(func(t *testing.T, body string) {
		var d, again spsp.Details
		if json.Unmarshal([]byte(body), &d) != nil || d == (spsp.Details{}) {
			return
		}
		b, err := json.Marshal(d)
		if err != nil || json.Unmarshal(b, &again) != nil || again != d {
			t.Errorf("%s became %v, then %s, %v", body, d, b, err)
		}
	})
}
