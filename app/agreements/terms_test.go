package agreements_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"pochi/app/agreements"
	"pochi/app/agreements/interval"
	"pochi/app/problem"
	"pochi/ledger"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// The clock of every wallet says 2027-01-31T12:00:00Z.
func TestTermsThatAreRefused(t *testing.T) {
	w := newWallet(t)
	for name, c := range map[string]struct {
		change func(*agreements.Terms)
		field  string
	}{
		"no description":      {func(t *agreements.Terms) { t.Description = " " }, "description"},
		"a long description":  {func(t *agreements.Terms) { t.Description = strings.Repeat("x", 201) }, "description"},
		"one that turns text": {func(t *agreements.Terms) { t.Description = "a\u202eb" }, "description"},
		"another currency":    {func(t *agreements.Terms) { t.Amount.Asset = ledger.Asset{Code: "XYZ", Scale: 2} }, "amount"},
		"another scale":       {func(t *agreements.Terms) { t.Amount.Asset.Scale = 3 }, "amount"},
		"nothing":             {func(t *agreements.Terms) { t.Amount.Value = 0 }, "amount"},
		"too much":            {func(t *agreements.Terms) { t.Amount.Value = ledger.AmountMax + 1 }, "amount"},
		"a cap above it":      {func(t *agreements.Terms) { t.PaymentMax = 1201 }, "paymentMax"},
		"many receivers":      {func(t *agreements.Terms) { t.Receivers = make([]string, 21) }, "receivers"},
		"no payment pointer":  {func(t *agreements.Terms) { t.Receivers = []string{"shop"} }, "receivers"},
		"it has expired":      {func(t *agreements.Terms) { t.ExpiresAt = at("2027-01-31T12:00:00Z") }, "expiresAt"},
		"it expires too late": {func(t *agreements.Terms) { t.ExpiresAt = at("3000-01-01T00:00:00Z") }, "expiresAt"},
		"it starts too late":  {func(t *agreements.Terms) { t.StartsAt = at("3000-01-01T00:00:00Z") }, "startsAt"},
		"it starts afterwards": {func(t *agreements.Terms) {
			t.StartsAt, t.ExpiresAt = at("2029-01-01T00:00:00Z"), at("2028-01-01T00:00:00Z")
		}, "expiresAt"},
		"short intervals": {func(t *agreements.Terms) { t.Interval = parsed("R/PT59M59S") }, "interval"},
		"long intervals": {func(t *agreements.Terms) {
			t.Interval, t.ExpiresAt = parsed("R/P1M"), at("2027-02-28T11:59:59Z")
		}, "interval"},
		"they are over": {func(t *agreements.Terms) { t.Interval = parsed("R12/2026-01-31T12:00:00Z/P1M") }, "interval"},
		"they begin when it has expired": {func(t *agreements.Terms) {
			t.Interval, t.ExpiresAt = parsed("R/2029-01-01T00:00:00Z/P1M"), at("2028-01-01T00:00:00Z")
		}, "interval"},
	} {
		terms := monthly(t)
		c.change(&terms)
		_, err := w.Check(terms)
		if fields := problem.Fields(err); len(fields) != 1 || fields[c.field] == "" {
			t.Errorf("%s: %v, want the field %s", name, err, c.field)
		}
		if _, err := w.Propose(ctx, "shop", "Shop", terms); problem.Fields(err)[c.field] == "" {
			t.Errorf("propose, %s: %v", name, err)
		}
	}
	_, err := w.Check(agreements.Terms{})
	if fields := problem.Fields(err); fields["description"] == "" || fields["amount"] == "" {
		t.Errorf("nothing at all: %v", err)
	}
}

func at(text string) time.Time {
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		panic(err)
	}
	return t
}

func parsed(text string) interval.Rule {
	r, err := interval.Parse(text)
	if err != nil {
		panic(err)
	}
	return r
}

func TestTermsAreWrittenInOneWay(t *testing.T) {
	w := newWallet(t)
	terms := monthly(t)
	terms.Description = "  The   Newspaper "
	terms.Receivers = []string{"https://SHOP.example/pay/", "$shop.example/pay", "$tips.example"}
	terms.ExpiresAt = moment(t, "2028-01-31T13:00:00.0000009+01:00")
	got, err := w.Check(terms)
	want := agreements.Terms{
		Description: "The Newspaper", Amount: terms.Amount, Interval: terms.Interval, Receivers: []string{"$shop.example/pay", "$tips.example"},
		ExpiresAt: moment(t, "2028-01-31T12:00:00Z"),
	}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Error(diff, err)
	}
}

func TestWords(t *testing.T) {
	terms := monthly(t)
	if got := terms.Words(); got != "€12.00\u00a0EUR a month" {
		t.Error(got)
	}
	terms.Interval = interval.Rule{}
	if got := terms.Words(); got != "€12.00\u00a0EUR in all" {
		t.Error(got)
	}
}

func TestWorstCase(t *testing.T) {
	approved := moment(t, "2027-01-31T12:00:00Z")
	for _, c := range []struct {
		rule, starts, expires string
		amount, want          uint64 // 0 for no bound
	}{
		{"", "", "", 1200, 1200},
		{"R/P1M", "", "", 1200, 0},
		{"R12/P1M", "", "", 1200, 14400},
		{"R/P1M", "", "2027-02-28T12:00:00Z", 1200, 1200},
		{"R/P1M", "", "2027-02-28T12:00:01Z", 1200, 2400},
		{"R/P1M", "2027-03-15T00:00:00Z", "2027-05-15T00:00:00Z", 1200, 2400},
		{"R/2027-01-01T00:00:00Z/P1M", "", "2027-03-01T00:00:00Z", 1200, 2400},  // the first one begun already
		{"R12/2026-12-01T00:00:00Z/P1M", "", "", 1200, 13200},                   // one is over
		{"R/P1M/2027-06-30T00:00:00Z", "", "", 1200, 6000},                      // from 30 January on
		{"R4/P1M/2027-06-30T00:00:00Z", "", "2027-05-01T00:00:00Z", 1200, 3600}, // from 28 February on
		{"R1000000/PT1H", "", "", ledger.AmountMax / 1000, 0},
		{"R2/P1D", "", "", ledger.AmountMax/2 + 1, 0},
		{"R2/P1D", "", "", ledger.AmountMax / 2, ledger.AmountMax - 1},
	} {
		terms := agreements.Terms{Amount: ledger.Amount{Value: c.amount, Asset: eur}, Interval: rule(t, c.rule)}
		if c.starts != "" {
			terms.StartsAt = moment(t, c.starts)
		}
		if c.expires != "" {
			terms.ExpiresAt = moment(t, c.expires)
		}
		got, bounded := terms.WorstCase(approved)
		if bounded != (c.want > 0) || bounded && got != (ledger.Amount{Value: c.want, Asset: eur}) {
			t.Errorf("%s from %s to %s: %s, %v, want %d", c.rule, c.starts, c.expires, got, bounded, c.want)
		}
	}
}

// Whatever the terms are: who spends whatever they can in each hour spends no more
// than the worst case, and just that.
func TestTheWorstCaseHappens(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		approved := at("2027-01-31T12:00:00Z")
		hours := func(name string, from, to int) time.Time {
			return approved.Add(time.Duration(rapid.IntRange(from, to).Draw(t, name)) * time.Hour)
		}
		terms := agreements.Terms{Amount: ledger.Amount{Value: 7, Asset: eur}}
		text := "/" + rapid.SampledFrom([]string{"P1M", "P1W", "P1D", "PT5H", "P1DT1H", "P1M1D"}).Draw(t, "period")
		if rapid.Bool().Draw(t, "names its start") {
			text = "/" + hours("start", -900, 900).Format(time.RFC3339) + text
		} else if rapid.Bool().Draw(t, "names its end") {
			text += "/" + hours("end", -100, 900).Format(time.RFC3339)
		}
		if n := rapid.IntRange(0, 40).Draw(t, "count"); n > 0 {
			text = fmt.Sprint(n) + text
		}
		terms.Interval = parsed("R" + text)
		if rapid.Bool().Draw(t, "starts") {
			terms.StartsAt = hours("starts", -500, 500)
		}
		terms.ExpiresAt = hours("expires", 1, 1000)
		spent := map[int64]bool{}
		for hour := -1000; hour <= 1000; hour++ {
			now := approved.Add(time.Duration(hour) * time.Hour)
			if begins, ok := terms.Begins(approved); !ok || now.Before(begins) {
				continue
			}
			if span, ok := terms.At(approved, now); ok {
				spent[span.N] = true
			}
		}
		got, bounded := terms.WorstCase(approved)
		if !bounded || got.Value != 7*uint64(len(spent)) {
			t.Fatalf("%+v: %s, %v; %d intervals can be spent in", terms, got, bounded, len(spent))
		}
	})
}
