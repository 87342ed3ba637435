package oauth_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"pochi/app/agreements"
	"pochi/app/agreements/interval"
	"pochi/app/oauth"
	"pochi/app/problem"
	"pochi/ilp/pointer"
	"pochi/ledger"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
)

var eur = ledger.Asset{Code: "EUR", Scale: 2}

func reader() oauth.TermsReader {
	return oauth.TermsReader{Pointers: pointer.Parser{}, Assets: []ledger.Asset{eur, {Code: "JPY"}}}
}

const (
	termsText = `{"type":"agreement","description":"Flowers","amount":{"value":"1200","assetCode":"EUR","assetScale":2},
		"interval":"R/P1M","paymentMax":"500","receivers":["$shop.example/pay","https://SHOP.example/flowers"],
		"startsAt":"2027-01-31T01:00:00+01:00","expiresAt":"2028-01-31T00:00:00Z"}`
	detailsText = "[" + termsText + "]"
)

func TestDetails(t *testing.T) {
	rule, err := interval.Parse("R/P1M")
	if err != nil {
		t.Fatal(err)
	}
	want := agreements.Terms{
		Description: "Flowers", Amount: ledger.Amount{Value: 1200, Asset: eur}, Interval: rule, PaymentMax: 500,
		Receivers: []string{"$shop.example/pay", "$shop.example/flowers"},
		StartsAt:  time.Date(2027, 1, 31, 0, 0, 0, 0, time.UTC), ExpiresAt: time.Date(2028, 1, 31, 0, 0, 0, 0, time.UTC),
	}
	comparing := cmp.Comparer(func(a, b interval.Rule) bool { return a == b })
	got, err := reader().Details(detailsText)
	if diff := cmp.Diff(oauth.Detail{Terms: want}, got, comparing); err != nil || diff != "" {
		t.Errorf("%v: %s", err, diff)
	}
	for name, body := range map[string]string{"with": termsText, "without": strings.Replace(termsText, `"type":"agreement",`, "", 1)} {
		terms, err := reader().Terms([]byte(body))
		if diff := cmp.Diff(want, terms, comparing); err != nil || diff != "" {
			t.Errorf("%s a type: %v: %s", name, err, diff)
		}
	}
}

func TestTheLeastThatCanBeAskedFor(t *testing.T) {
	got, err := reader().Details(` [ {"amount":{"assetScale":0,"value":"1","assetCode":"JPY"},"type":"agreement","description":"Tip"} ] `)
	want := agreements.Terms{Description: "Tip", Amount: ledger.Amount{Value: 1, Asset: ledger.Asset{Code: "JPY"}}}
	if diff := cmp.Diff(want, got.Terms, cmp.Comparer(func(a, b interval.Rule) bool { return a == b })); err != nil || diff != "" {
		t.Errorf("%v: %s", err, diff)
	}
}

func TestDetailsByReference(t *testing.T) {
	got, err := reader().Details(`[{"type":"agreement","id":"` + agreementID + `"}]`)
	if diff := cmp.Diff(oauth.Detail{ID: uuid.MustParse(agreementID)}, got, cmp.Comparer(func(a, b interval.Rule) bool { return a == b })); err != nil || diff != "" {
		t.Errorf("%v: %s", err, diff)
	}
	for text, field := range map[string]string{
		`[{"type":"agreement","id":"` + agreementID + `","description":"x"}]`:          "description",
		`[{"type":"agreement","id":""}]`:                                               "id",
		`[{"type":"agreement","id":null}]`:                                             "id",
		`[{"type":"agreement","id":1}]`:                                                "id",
		`[{"type":"agreement","id":"00000000-0000-0000-0000-000000000000"}]`:           "id",
		`[{"type":"agreement","id":"{` + agreementID + `}"}]`:                          "id",
		`[{"type":"agreement","id":"urn:uuid:` + agreementID + `"}]`:                   "id",
		`[{"type":"agreement","id":"` + strings.ToUpper(agreementID) + `"}]`:           "id",
		`[{"type":"agreement","ID":"` + agreementID + `"}]`:                            "ID",
		`[{"type":"agreement","id":"` + agreementID + `","id":"` + agreementID + `"}]`: "authorization_details",
	} {
		if _, err := reader().Details(text); problem.CodeOf(err) != problem.Invalid || problem.Fields(err)[field] == "" {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestWhatIsNoAuthorizationDetail(t *testing.T) {
	for name, text := range map[string]string{
		"nothing": "", "null": "null", "an object": termsText, "no element": "[]", "null as element": "[null]", "two": "[" + termsText + "," + termsText + "]",
		"a text": `["agreement"]`, "not JSON": "[{]", "more": detailsText + "x", "two arrays": detailsText + detailsText,
		"an array in it": "[" + detailsText + "]", "not UTF-8": strings.Replace(detailsText, "Flowers", "Flow\xffers", 1),
		"too long":          strings.Replace(detailsText, "Flowers", strings.Repeat(" ", 2000), 1),
		"deep":              strings.Repeat("[", 1500),
		"no type":           strings.Replace(detailsText, `"type":"agreement",`, "", 1),
		"another type":      strings.Replace(detailsText, `"agreement"`, `"payment_initiation"`, 1),
		"a number as type":  strings.Replace(detailsText, `"agreement"`, `1`, 1),
		"a type in capital": strings.Replace(detailsText, `"type"`, `"Type"`, 1),
		"a type twice":      strings.Replace(detailsText, `{"type"`, `{"type":"agreement","type"`, 1),
		"hidden twice":      strings.Replace(detailsText, `{"type"`, `{"typ\u0065":"agreement","type"`, 1),
	} {
		if _, err := reader().Details(text); problem.CodeOf(err) != problem.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestTermsThatNobodyIsAsked(t *testing.T) {
	for field, values := range map[string][]string{
		"description": {`""`, `" Flowers"`, `"two\nlines"`, `"two  spaces"`, `"Flow\u202eers"`, `"` + strings.Repeat("x", 201) + `"`, `1`, `null`, `["x"]`},
		"amount": {
			`"1200"`, `1200`, `null`, `[]`, `{}`, `{"value":"1200","assetCode":"EUR"}`, `{"value":1200,"assetCode":"EUR","assetScale":2}`,
			`{"value":"0","assetCode":"EUR","assetScale":2}`, `{"value":"-1","assetCode":"EUR","assetScale":2}`, `{"value":"+1","assetCode":"EUR","assetScale":2}`,
			`{"value":"012","assetCode":"EUR","assetScale":2}`, `{"value":"1.5","assetCode":"EUR","assetScale":2}`, `{"value":"1e3","assetCode":"EUR","assetScale":2}`,
			`{"value":"9223372036854775808","assetCode":"EUR","assetScale":2}`, `{"value":"99999999999999999999999","assetCode":"EUR","assetScale":2}`,
			`{"value":"","assetCode":"EUR","assetScale":2}`, `{"value":"1","assetCode":"EUR","assetScale":"2"}`, `{"value":"1","assetCode":"EUR","assetScale":null}`,
			`{"value":"1","assetCode":"EUR","assetScale":2.0}`, `{"value":"1","assetCode":"EUR","assetScale":258}`, `{"value":"1","assetCode":"EUR","assetScale":-2}`,
			`{"value":"1","assetCode":"EUR","assetScale":3}`, `{"value":"1","assetCode":"eur","assetScale":2}`, `{"value":"1","assetCode":"XXX","assetScale":2}`,
			`{"value":"1","assetCode":"EUR","assetScale":2,"more":1}`, `{"value":"1","value":"2","assetCode":"EUR","assetScale":2}`,
			`{"Value":"1","assetCode":"EUR","assetScale":2}`,
		},
		"interval":   {`""`, `"monthly"`, `"P1M"`, `1`, `null`},
		"paymentMax": {`"0"`, `500`, `""`, `null`, `{"value":"1"}`, `"1,000"`},
		"receivers": {
			`[]`, `null`, `"$shop.example"`, `[null]`, `[1]`, `["shop.example"]`, `["http://shop.example/pay"]`, `["$shop.example/a","$shop.example/a/"]`,
			`[` + strings.TrimSuffix(strings.Repeat(`"$a.example",`, 21), ",") + `]`, `[["$shop.example"]]`,
		},
		"startsAt":  {`""`, `"2027-01-31"`, `"tomorrow"`, `1800000000`, `null`, `"2027-02-30T00:00:00Z"`, `"0001-01-01T00:00:00Z"`, `"9999-12-31T23:59:59-01:00"`},
		"expiresAt": {`""`, `"2027-01-31T00:00:00"`, `null`},
		"carryOver": {`true`, `null`},
		"Interval":  {`"R/P1M"`},
		"id":        {`null`},
	} {
		for _, value := range values {
			members := map[string]json.RawMessage{}
			if err := json.Unmarshal([]byte(termsText), &members); err != nil {
				t.Fatal(err)
			}
			members[field] = json.RawMessage(value)
			body := encoded(members)
			if _, err := reader().Terms([]byte(body)); problem.CodeOf(err) != problem.Invalid || problem.Fields(err)[field] == "" {
				t.Errorf("%s = %s: %v", field, value, err)
			}
		}
	}
	for _, missing := range []string{"description", "amount"} {
		members := map[string]json.RawMessage{}
		if err := json.Unmarshal([]byte(termsText), &members); err != nil {
			t.Fatal(err)
		}
		delete(members, missing)
		if _, err := reader().Terms([]byte(encoded(members))); problem.Fields(err)[missing] == "" {
			t.Errorf("without %s: %v", missing, err)
		}
	}
	if _, err := reader().Terms([]byte(strings.Repeat(" ", 8<<10) + termsText)); problem.CodeOf(err) != problem.TooLarge {
		t.Errorf("too large: %v", err)
	}
}

// encoded is an object whose members stay as they are: encoding/json would put
// them in order, and refuse some.
func encoded(members map[string]json.RawMessage) string {
	var parts []string
	for name, value := range members {
		parts = append(parts, `"`+name+`":`+string(value))
	}
	return "{" + strings.Join(parts, ",") + "}"
}

func FuzzDetails(f *testing.F) {
	f.Add(detailsText)
	f.Add(`[{"type":"agreement","id":"` + agreementID + `"}]`)
	f.Add(`[{"type":"agreement","description":"x","amount":{}}]`)
	f.Fuzz(func(t *testing.T, text string) {
		detail, err := reader().Details(text)
		if err != nil {
			if problem.CodeOf(err) != problem.Invalid || len(problem.MessageOf(err)) > 600 {
				t.Errorf("%v", err)
			}
			return
		}
		if detail.ID != uuid.Nil && !cmp.Equal(detail.Terms, agreements.Terms{}, cmp.Comparer(func(a, b interval.Rule) bool { return a == b })) {
			t.Error("terms beside an id")
		}
		if detail.ID == uuid.Nil && (detail.Terms.Amount.Value == 0 || detail.Terms.Amount.Value > ledger.AmountMax || detail.Terms.Description == "") {
			t.Errorf("%+v", detail)
		}
	})
}
