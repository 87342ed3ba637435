package rates_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"pochi/app/problem"
	"pochi/app/rates"
	"pochi/db"
	"pochi/ilp"
	"pochi/ilp/connector"
	"pochi/ledger"

	"github.com/google/go-cmp/cmp"
)

// clock is a time that tests move.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

type fixture struct {
	*rates.Book
	t     *testing.T
	db    *db.DB
	table rates.Table
	clock *clock
}

func newFixture(t *testing.T, table string) *fixture {
	t.Helper()
	d, err := db.Open(t.Context(), db.Options{URL: "sqlite:" + filepath.Join(t.TempDir(), "pochi.db")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	f := &fixture{t: t, db: d, table: parse(t, table), clock: &clock{now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}}
	f.reopen()
	return f
}

// reopen reads the book again, as a start does.
func (f *fixture) reopen() {
	f.t.Helper()
	var err error
	if f.Book, err = rates.Open(f.t.Context(), f.db, f.table, []string{"XRP", "XAU", "XAG"}, f.clock.Now); err != nil {
		f.t.Fatal(err)
	}
}

// set sets a rate for a day.
func (f *fixture) set(from, to, rate string, bps int) []rates.Rate {
	f.t.Helper()
	changed, err := f.Set(f.t.Context(), rates.Change{From: from, To: to, Rate: rate, SpreadBps: bps, Valid: 24 * time.Hour})
	if err != nil {
		f.t.Fatal(err)
	}
	return changed
}

// converts fails the test unless 1000.00 of one currency become that.
func (f *fixture) converts(from, to string, want uint64) {
	f.t.Helper()
	if got, err := f.Convert(f.t.Context(), 1000_00, ilp.Asset{Code: from, Scale: 2}, ilp.Asset{Code: to, Scale: 2}); err != nil || got != want {
		f.t.Errorf("1000.00 %s are %d hundredths of %s, %v; want %d", from, got, to, err, want)
	}
}

func TestSet(t *testing.T) {
	f := newFixture(t, "USD=1,EUR=0.9137,GBP=0.7812")
	f.converts("USD", "EUR", 913_70)
	changed := f.set("USD", "EUR", "9/10", 0)
	if len(changed) != 2 || changed[0].String() != "1 USD = 0.9 EUR" || changed[1].String() != "1 EUR = 1.1111 USD" {
		t.Errorf("changed %v", changed)
	}
	for range 2 { // in force at once, and after a restart
		f.converts("USD", "EUR", 900_00)
		f.converts("EUR", "USD", 1111_11)
		f.converts("USD", "GBP", 781_20)
		f.converts("EUR", "GBP", 868_00) // follows
		f.reopen()
	}
	f.set("USD", "EUR", "0.92", 50)
	f.converts("USD", "EUR", 915_40)
	f.converts("EUR", "USD", 1081_52) // the spread is kept in both directions
	if got := f.Describe("USD", "EUR"); got != "1 USD = 0.9154 EUR" {
		t.Errorf("described as %q", got)
	}
	f.converts("EUR", "GBP", 844_88) // and so does its spread
	f.set("EUR", "USD", "1.25", 0)
	for range 2 {
		f.converts("EUR", "USD", 1250_00)
		f.converts("USD", "EUR", 800_00) // the newest says it for both directions
		f.converts("EUR", "GBP", 854_98) // the euro stays where it was, the dollar moves
		f.converts("USD", "GBP", 683_98)
		f.reopen()
	}
}

// What a rate moves, it moves with all that others have connected to it. A
// currency that the configuration doesn't know has a value through these only.
func TestSetMovesAGroup(t *testing.T) {
	f := newFixture(t, "USD=1,EUR=0.9,GBP=0.8,JPY=150,CHF=0.9")
	f.set("EUR", "GBP", "0.9", 0)
	f.converts("USD", "GBP", 810_00)
	f.set("USD", "EUR", "0.8", 0)
	for range 2 {
		f.converts("EUR", "GBP", 900_00)
		f.converts("USD", "GBP", 720_00)
		f.converts("JPY", "GBP", 4_80)
		f.converts("USD", "JPY", 150_000_00)
		f.reopen()
	}
	f.set("USD", "GBP", "0.72", 0) // closes a circle, and moves nothing
	f.set("JPY", "GBP", "0.005", 0)
	for range 2 { // the last one has all others move to the yen
		f.converts("JPY", "GBP", 5_00)
		f.converts("USD", "JPY", 144_000_00)
		f.converts("CHF", "JPY", 166_666_66)
		f.converts("CHF", "EUR", 925_92)
		f.reopen()
	}
	f.set("XAU", "XAG", "80", 0)
	if err := f.Check("USD", "XAG"); !errors.Is(err, connector.ErrNoRate) {
		t.Errorf("nothing says what silver is worth: %v", err)
	}
	f.set("XAG", "GBP", "25", 0) // of the two, silver moves
	f.converts("USD", "GBP", 720_00)
	f.converts("XAU", "GBP", 2_000_000_00)
	f.converts("XAU", "XAG", 80_000_00)
	f.converts("XAG", "JPY", 5_000_000_00)
}

// Old rows stay: they say what earlier payments were made at.
func TestRatesAreKept(t *testing.T) {
	f := newFixture(t, "USD=1,EUR=0.9")
	f.set("USD", "EUR", "0.91", 0)
	f.clock.advance(time.Hour)
	f.set("USD", "EUR", "0.92", 5)
	var n int
	if err := f.db.Read.QueryRowContext(t.Context(), "SELECT count(*) FROM rates").Scan(&n); err != nil || n != 2 {
		t.Errorf("%d rows, %v", n, err)
	}
}

func TestStaleRate(t *testing.T) {
	f := newFixture(t, "USD=1,EUR=0.9,GBP=0.8,JPY=150,CHF=0.9")
	f.set("USD", "EUR", "0.91", 0)
	f.clock.advance(24*time.Hour - time.Microsecond)
	f.converts("USD", "EUR", 910_00)
	f.clock.advance(time.Microsecond)
	for range 2 {
		for _, p := range [][2]string{{"USD", "EUR"}, {"EUR", "USD"}} { // the configuration's rate stands in for neither
			if got, err := f.Convert(t.Context(), 1000, ilp.Asset{Code: p[0], Scale: 2}, ilp.Asset{Code: p[1], Scale: 2}); !errors.Is(err, connector.ErrStaleRate) {
				t.Errorf("%v: %d, %v", p, got, err)
			}
			if err := f.Check(p[0], p[1]); !errors.Is(err, connector.ErrStaleRate) {
				t.Errorf("check %v: %v", p, err)
			}
			if got := f.Describe(p[0], p[1]); got != "" {
				t.Errorf("described as %q", got)
			}
		}
		f.reopen()
	}
	f.converts("JPY", "CHF", 6_00)                                  // the configuration's is never too old
	f.converts("USD", "GBP", 800_00)                                // and neither of these was moved
	for _, p := range [][2]string{{"JPY", "EUR"}, {"GBP", "EUR"}} { // no way round
		if err := f.Check(p[0], p[1]); !errors.Is(err, connector.ErrStaleRate) || !strings.Contains(err.Error(), "rate set USD EUR renews it") {
			t.Errorf("%v: %v", p, err)
		}
	}
	f.set("EUR", "GBP", "0.89", 0)
	f.converts("EUR", "GBP", 890_00) // was set itself
	if err := f.Check("JPY", "GBP"); !errors.Is(err, connector.ErrStaleRate) || !strings.Contains(err.Error(), "rate set USD EUR renews it") {
		t.Errorf("of a pair that depends on one too old: %v", err)
	}
	f.set("EUR", "USD", "1.08", 0)
	f.converts("USD", "EUR", 925_92)
	f.converts("JPY", "EUR", 6_00)
	f.clock.advance(time.Hour)
	f.set("EUR", "CHF", "1.01", 100)
	for _, p := range [][3]string{{"EUR", "GBP", "0.89"}, {"EUR", "CHF", "1.01"}} {
		if _, err := f.Set(t.Context(), rates.Change{From: p[0], To: p[1], Rate: p[2], SpreadBps: 2000, Valid: time.Hour}); err != nil {
			t.Fatal(err)
		}
		f.converts("GBP", "CHF", 907_86)
		f.clock.advance(time.Hour)
		if err := f.Check("GBP", "CHF"); !errors.Is(err, connector.ErrStaleRate) || !strings.Contains(err.Error(), "rate set "+p[0]+" "+p[1]+" renews it") {
			t.Errorf("with one that ends earlier than the others: %v", err)
		}
		f.set(p[0], p[1], p[2], 100)
	}
}

func TestSetRefuses(t *testing.T) {
	f := newFixture(t, "USD=1,EUR=0.9")
	for _, test := range []struct {
		name   string
		change rates.Change
		field  string
	}{
		{"one character", rates.Change{From: "U"}, "from"},
		{"eleven characters", rates.Change{To: "ABCDEFGHIJK"}, "to"},
		{"with decimals", rates.Change{From: "USD/2"}, "from"},
		{"a space", rates.Change{From: "US D"}, "from"},
		{"the same", rates.Change{To: "USD"}, "to"},
		{"nobody's", rates.Change{To: "ERU"}, "to"},
		{"in small letters", rates.Change{From: "usd"}, "from"},
		{"no number", rates.Change{Rate: "x"}, "rate"},
		{"nothing", rates.Change{Rate: "0"}, "rate"},
		{"negative", rates.Change{Rate: "-1"}, "rate"},
		{"an exponent", rates.Change{Rate: "1e9"}, "rate"},
		{"above 63 bits", rates.Change{Rate: "9223372036854775808"}, "rate"},
		{"too wide", rates.Change{Rate: "1000000000000001"}, "rate"},
		{"too narrow", rates.Change{Rate: "1/1000000000000001"}, "rate"},
		{"too wide for the spread", rates.Change{Rate: "1/1000000000000", SpreadBps: 9999}, "rate"},
		{"negative spread", rates.Change{SpreadBps: -1}, "spreadBps"},
		{"the spread is all", rates.Change{SpreadBps: 10_000}, "spreadBps"},
		{"never good", rates.Change{Valid: -time.Hour}, "valid"},
		{"good for ever", rates.Change{Valid: 100 * 365 * 24 * time.Hour}, "valid"},
	} {
		c := rates.Change{From: "USD", To: "EUR", Rate: "0.9", Valid: time.Hour, Force: true}
		for _, text := range []struct {
			to  *string
			set string
		}{{&c.From, test.change.From}, {&c.To, test.change.To}, {&c.Rate, test.change.Rate}} {
			if text.set != "" {
				*text.to = text.set
			}
		}
		if test.change.Valid != 0 {
			c.Valid = test.change.Valid
		}
		c.SpreadBps = test.change.SpreadBps
		if _, err := f.Set(t.Context(), c); problem.Fields(err)[test.field] == "" {
			t.Errorf("%s: %v; want a problem with %s", test.name, err, test.field)
		}
	}
	f.converts("USD", "EUR", 900_00)
}

// A slip of the finger is not to cost the wallet its money.
func TestALargeChangeHasToBeMeant(t *testing.T) {
	f := newFixture(t, "USD=1,EUR=0.9")
	change := func(from, to, rate string, bps int, force bool) error {
		_, err := f.Set(t.Context(), rates.Change{From: from, To: to, Rate: rate, SpreadBps: bps, Valid: time.Hour, Force: force})
		return err
	}
	for _, test := range []struct {
		rate string
		bps  int
	}{{"9", 0}, {"0.09", 0}, {"1.3501", 0}, {"0.4499", 0}, {"0.9", 5001}} {
		err := change("USD", "EUR", test.rate, test.bps, false)
		if problem.CodeOf(err) != problem.Conflict || !strings.Contains(problem.MessageOf(err), "--force") || !strings.Contains(problem.MessageOf(err), "1 USD = 0.9 EUR") {
			t.Errorf("%s: %v", test.rate, err)
		}
	}
	f.converts("USD", "EUR", 900_00)
	if err := change("USD", "EUR", "1.35", 0, false); err != nil {
		t.Errorf("half as much again: %v", err)
	}
	if err := change("USD", "EUR", "9", 0, true); err != nil {
		t.Errorf("meant: %v", err)
	}
	f.clock.advance(48 * time.Hour)
	if err := change("USD", "EUR", "0.9", 0, false); problem.CodeOf(err) != problem.Conflict {
		t.Errorf("against a rate that is too old: %v", err)
	}
	if err := change("USD", "XRP", "12345", 0, false); err != nil {
		t.Errorf("the first rate of a pair: %v", err)
	}
}

// A slip of the finger can also be in the order: which currency stays moves
// others.
func TestALargeChangeOfOthersHasToBeMeant(t *testing.T) {
	f := newFixture(t, "USD=1,BTC=1/10000,EUR=0.9")
	if _, err := f.Set(t.Context(), rates.Change{From: "USD", To: "BTC", Rate: "1/100000", Valid: time.Hour, Force: true}); err != nil {
		t.Fatal(err)
	}
	_, err := f.Set(t.Context(), rates.Change{From: "BTC", To: "USD", Rate: "101000", Valid: time.Hour})
	if problem.CodeOf(err) != problem.Conflict || !strings.Contains(problem.MessageOf(err), "1 BTC = 90000 EUR until now, and 1 BTC = 9000 EUR after this") {
		t.Error(err)
	}
	f.converts("USD", "EUR", 900_00)
}

// A rate by which people would gain in a circle of rates that were set is
// refused, meant or not.
func TestSetRefusesACircle(t *testing.T) {
	f := newFixture(t, "USD=1,EUR=0.9,GBP=0.8")
	f.set("USD", "EUR", "0.9", 100)
	f.set("EUR", "GBP", "0.9", 0)
	for _, force := range []bool{false, true} {
		for rate, want := range map[string]string{
			"1.26": "people would gain 1.0394 % by exchanging USD → EUR → GBP → USD.", // round with the spread of one
			"1.2":  "people would gain 1.8519 % by exchanging USD → GBP → EUR → USD.", // and the other way
		} {
			_, err := f.Set(t.Context(), rates.Change{From: "GBP", To: "USD", Rate: rate, Valid: time.Hour, Force: force})
			if problem.CodeOf(err) != problem.Conflict || !strings.Contains(problem.MessageOf(err), want) {
				t.Errorf("%s: %v", rate, err)
			}
		}
	}
	var n int
	if err := f.db.Read.QueryRowContext(t.Context(), "SELECT count(*) FROM rates").Scan(&n); err != nil || n != 2 {
		t.Errorf("%d rows, %v", n, err)
	}
	f.converts("GBP", "USD", 1222_22)
	f.set("GBP", "USD", "1.24", 0) // nobody gains between the spread's two sides
	f.converts("GBP", "USD", 1240_00)
}

func TestList(t *testing.T) {
	f := newFixture(t, "USD=1,EUR=0.9,GBP=0.8")
	f.set("USD", "XRP", "2.5", 100)
	list, err := rates.List(t.Context(), f.db.Read, f.table)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range list {
		got = append(got, fmt.Sprint(r.From, " ", r.To, " ", r.Value.RatString(), " ", r.Effective().RatString(), " ", r.Source, " ",
			r.Inverse, " ", r.Stale(f.clock.Now().Add(24*time.Hour)), " ", r.Of))
	}
	want := []string{
		"EUR GBP 8/9 8/9 configuration false false []",
		"EUR USD 10/9 10/9 configuration false false []",
		"EUR XRP 25/9 11/4 derived false true [USD XRP]",
		"GBP EUR 9/8 9/8 configuration false false []",
		"GBP USD 5/4 5/4 configuration false false []",
		"GBP XRP 25/8 99/32 derived false true [USD XRP]",
		"USD EUR 9/10 9/10 configuration false false []",
		"USD GBP 4/5 4/5 configuration false false []",
		"USD XRP 5/2 99/40 admin false true []",
		"XRP EUR 9/25 891/2500 derived false true [USD XRP]",
		"XRP GBP 8/25 198/625 derived false true [USD XRP]",
		"XRP USD 2/5 99/250 admin true true []",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// Packets are exchanged while rates change: each at one of them.
func TestSetWhileConverting(t *testing.T) {
	f := newFixture(t, "USD=1,EUR=0.9")
	var converting sync.WaitGroup
	done := make(chan struct{})
	for range 2 {
		converting.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				if got, err := f.Convert(t.Context(), 1000, usd, eur); err != nil || got < 900 || got > 909 {
					t.Errorf("%d, %v", got, err)
					return
				}
			}
		})
	}
	for _, rate := range []string{"0.901", "0.902", "0.903", "0.909"} {
		f.set("USD", "EUR", rate, 0)
	}
	close(done)
	converting.Wait()
	f.converts("USD", "EUR", 909_00)
}

// A currency is the configuration's, or one that an account was ever in; a slip
// of the finger is neither.
func TestSetRefusesACurrencyThatIsNotHere(t *testing.T) {
	f := newFixture(t, "USD=1,EUR=0.9")
	change := rates.Change{From: "USD", To: "eur", Rate: "0.9", Valid: time.Hour}
	_, err := f.Set(t.Context(), change)
	if got := problem.Fields(err)["to"]; !strings.Contains(got, "POCHI_CURRENCIES") || !strings.Contains(got, "Did you mean EUR?") {
		t.Errorf("%v", err)
	}
	change.To = "SEK"
	if _, err = f.Set(t.Context(), change); problem.Fields(err)["to"] == "" || strings.Contains(problem.Fields(err)["to"], "Did you mean") {
		t.Errorf("%v", err)
	}
	books, err := ledger.Open(t.Context(), f.db)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := books.OpenAsset(t.Context(), ledger.Asset{Code: "SEK", Scale: 2}, 0); err != nil {
		t.Fatal(err)
	}
	f.set("USD", "SEK", "10", 0)
}
