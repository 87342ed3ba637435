package api_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"pochi/app/api"
	"pochi/app/oauth"
	"pochi/app/problem"

	"github.com/google/uuid"
)

const orderText = `{"receiver": "$shop.example/pay", "debitAmount": {"value": "500", "assetCode": "EUR", "assetScale": 2}}`

const rateText = `{"rate": "9/10", "spreadBps": 50, "valid": "24h"}`

// everyScope is what a token can have at most, but for the scope that says it is
// for an agreement.
var everyScope = []oauth.Scope{
	oauth.OpenID, oauth.Profile, oauth.OfflineAccess, oauth.AccountsRead, oauth.TransactionsRead, oauth.PaymentsRequest,
	oauth.AgreementsPropose, oauth.AdminRead, oauth.AdminWrite,
}

// right returns a token that a line of the route table takes, of a kind.
func right(l api.Line, kind string) oauth.Token {
	if ofBackOffice(l) {
		t := token("office", everyScope...)
		t.ClientID = "office"
		return t
	}
	return ofShop(kind)
}

// ofShop returns a token of an app's, of a kind, that has every scope that there is.
func ofShop(kind string) oauth.Token {
	switch kind {
	case "agreement":
		return forAgreement(shopping, everyScope...)
	case "service":
		return token("shop", everyScope...)
	}
	return token(ann().String(), everyScope...)
}

// ask with the token that is right, or with one that something is wrong with: no
// line of the table lets any of these through, and nothing moves.
func TestWrongTokens(t *testing.T) {
	without := func(of oauth.Token, scope string) oauth.Token {
		of.Scopes = slices.DeleteFunc(slices.Clone(of.Scopes), func(s oauth.Scope) bool { return string(s) == scope })
		return of
	}
	tests := []struct {
		name   string
		change func(*oauth.Token, api.Line)
		lines  func(api.Line) bool // which it is wrong for; nil for all
		want   []int
	}{
		{"another audience", func(t *oauth.Token, _ api.Line) { t.Audience = []string{"https://other.example"} }, nil, []int{403}},
		{"no audience", func(t *oauth.Token, _ api.Line) { t.Audience = nil }, nil, []int{403}},
		{"every scope but the one", func(t *oauth.Token, l api.Line) { *t = without(*t, l.Scope) }, nil, []int{401, 403}},
		{"no scope", func(t *oauth.Token, _ api.Line) { t.Scopes = nil }, nil, []int{401, 403}},
		{"admin scopes alone", func(t *oauth.Token, _ api.Line) { t.Scopes = []oauth.Scope{oauth.AdminRead, oauth.AdminWrite} },
			func(l api.Line) bool { return !ofBackOffice(l) }, []int{401, 403}},
		{"the scope in capitals", func(t *oauth.Token, l api.Line) {
			*t = without(*t, l.Scope)
			t.Scopes = append(t.Scopes, oauth.Scope(strings.ToUpper(l.Scope)))
		}, nil, []int{401, 403}},
		{"an app's own", func(t *oauth.Token, l api.Line) { *t = ofShop("service") },
			func(l api.Line) bool { return !slices.Contains(l.Kinds, "service") }, []int{403}},
		{"an app's own that names an agreement", func(t *oauth.Token, l api.Line) {
			*t = ofShop("agreement")
			t.Subject = t.ClientID
		}, nil, []int{401}},
		{"a person's, for no agreement", func(t *oauth.Token, l api.Line) { *t = ofShop("person") },
			func(l api.Line) bool { return !slices.Contains(l.Kinds, "person") }, []int{403}},
		{"a person's, for an agreement", func(t *oauth.Token, l api.Line) { *t = ofShop("agreement") },
			func(l api.Line) bool { return !slices.Contains(l.Kinds, "agreement") }, []int{403}},
		{"the scope of agreements without one", func(t *oauth.Token, l api.Line) {
			t.Agreement = uuid.Nil
			t.Scopes = append(t.Scopes, oauth.AgreementScope)
		}, nil, []int{401}},
		{"an agreement without its scope", func(t *oauth.Token, l api.Line) { *t, t.Agreement = without(*t, "agreement"), shopping }, nil, []int{401}},
		{"an app's own, for the back office", func(t *oauth.Token, _ api.Line) { *t = ofShop("service") }, ofBackOffice, []int{403}},
		{"an app's that names the office as its subject", func(t *oauth.Token, _ api.Line) { t.ClientID = "shop" }, ofBackOffice, []int{403}},
		{"the office's, of a person", func(t *oauth.Token, _ api.Line) { t.Subject = ann().String() }, ofBackOffice, []int{403}},
		{"of a client of the wallet's own that has the scope no more", func(t *oauth.Token, _ api.Line) { t.Subject, t.ClientID = "clerk", "clerk" },
			ofBackOffice, []int{403}},
		{"of a client that was removed", func(t *oauth.Token, _ api.Line) { t.Subject, t.ClientID = "left", "left" }, ofBackOffice, []int{401}},
		{"of somebody who is gone", func(t *oauth.Token, _ api.Line) { t.Subject = gone().String() }, ofPeople, []int{401}},
		{"of nobody", func(t *oauth.Token, _ api.Line) { t.Subject = "ann" }, ofPeople, []int{401}},
		{"another app's, for the agreement", func(t *oauth.Token, _ api.Line) { t.ClientID = "rival" }, ofAgreements, []int{401}},
		{"another person's, for the agreement", func(t *oauth.Token, _ api.Line) { t.Agreement = bens }, ofAgreements, []int{401, 404}},
		{"for another app's agreement", func(t *oauth.Token, _ api.Line) { t.Agreement = others }, ofAgreements, []int{401, 404}},
		{"for an agreement that doesn't exist", func(t *oauth.Token, _ api.Line) { t.Agreement = id(99) }, withID, []int{404}},
		{"for another agreement", func(t *oauth.Token, _ api.Line) { t.Agreement = over }, withID, []int{404}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			opts := options()
			for _, l := range api.New(opts).Table() {
				if tt.lines != nil && !tt.lines(l) {
					continue
				}
				for _, kind := range l.Kinds {
					wrong := right(l, kind)
					tt.change(&wrong, l)
					refused(t, l, tokens{known: map[string]oauth.Token{"wrong": wrong}}, bearer("wrong"), tt.want...)
				}
			}
		})
	}
}

func ofPeople(l api.Line) bool { return !slices.Contains(l.Kinds, "service") }

// ofBackOffice are the lines that no app's token opens.
func ofBackOffice(l api.Line) bool { return strings.HasPrefix(l.Scope, "admin:") }

// ofAgreements are the lines that an agreement's token alone opens.
func ofAgreements(l api.Line) bool { return len(l.Kinds) == 1 && l.Kinds[0] == "agreement" }

func withID(l api.Line) bool { return strings.Contains(l.Path, ":id") }

// What isn't one valid token is refused at every line.
func TestNoTokens(t *testing.T) {
	for name, header := range map[string]map[string]string{
		"none":              {},
		"a cookie":          {"Cookie": "pochi_3000=x"},
		"Basic":             {"Authorization": "Basic YTpi"},
		"an empty one":      bearer(""),
		"without a scheme":  {"Authorization": "right"},
		"two headers":       {"Authorization": "Bearer right\nBearer right"},
		"two in one header": bearer("right right"),
		"one that is no more, or a refresh token": bearer("old"),
	} {
		t.Run(name, func(t *testing.T) {
			for _, l := range api.New(options()).Table() {
				known := map[string]oauth.Token{"right": right(l, l.Kinds[0])}
				refused(t, l, tokens{known: known}, header, 401)
			}
		})
	}
}

// While Hydra doesn't answer nobody is let through, nobody is told that their
// token is bad, and nothing moves.
func TestHydraIsDown(t *testing.T) {
	down := tokens{err: problem.New(problem.Unavailable, "Not possible right now.").Because(errors.New("dial"))}
	for _, l := range api.New(options()).Table() {
		refused(t, l, down, bearer("right"), 503)
	}
}

// An agreement that has ended can be looked at, and that is all.
func TestEndedAgreements(t *testing.T) {
	for _, l := range api.New(options()).Table() {
		if !slices.Contains(l.Kinds, "agreement") || l.Method == "POST" {
			continue
		}
		want := []int{403}
		if l.Ended {
			want = []int{200, 204, 404}
		}
		ended := tokens{known: map[string]oauth.Token{"over": forAgreement(over, everyScope...)}}
		refused(t, api.Line{Method: l.Method, Path: strings.Replace(l.Path, ":id", over.String(), 1)}, ended, bearer("over"), want...)
	}
}

// The tokens that are right open every line: what the others are refused for is
// nothing else.
func TestRightTokens(t *testing.T) {
	for _, l := range api.New(options()).Table() {
		for _, kind := range l.Kinds {
			opts := options()
			opts.Tokens = tokens{known: map[string]oauth.Token{"right": right(l, kind)}}
			if got := walk(t, l, opts, bearer("right")); got.Status >= 300 {
				t.Errorf("%s %s with a token of kind %s: %d %v", l.Method, l.Path, kind, got.Status, got.Body)
			}
		}
	}
}

// refused asks at a line and checks the status, and that nothing was done.
func refused(t *testing.T, l api.Line, known tokens, header map[string]string, want ...int) {
	t.Helper()
	opts := options()
	opts.Tokens = known
	got := walk(t, l, opts, header)
	if !slices.Contains(want, got.Status) {
		t.Errorf("%s %s: %d %v, want %d", l.Method, l.Path, got.Status, got.Body, want)
	}
	if n := opts.Agreements.(*agreementsFake).changes.Load() + opts.Charges.(*chargesFake).made.Load() + opts.Requests.(*requestsFake).made.Load() +
		opts.Office.(*officeFake).set.Load(); n > 0 {
		t.Errorf("%s %s: something was done", l.Method, l.Path)
	}
}

// walk asks at a line for Ann's agreement with the shop, with a body where one is
// needed.
func walk(t *testing.T, l api.Line, opts api.Options, header map[string]string) answer {
	t.Helper()
	path := api.Prefix + strings.NewReplacer(":id", shopping.String(), ":charge", sold.String(), ":payment", asked.String(), ":from", "USD", ":to", "EUR").Replace(l.Path)
	headers, text := map[string]string{"Idempotency-Key": "k"}, ""
	for name, value := range header {
		headers[name] = value
	}
	if l.Method == "POST" {
		text = orderText
	}
	if l.Method == "PUT" {
		text = rateText
	}
	if l.Method == "POST" && l.Path == "/incoming-payments" {
		text = "{}"
	}
	app, _ := serve(opts)
	return send(t, app, l.Method, path, headers, text)
}
