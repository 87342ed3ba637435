package main

import (
	"errors"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"pochi/app/admin"
	"pochi/app/problem"
	"pochi/db"
	"pochi/ledger"

	"github.com/google/go-cmp/cmp"
)

// rateOf returns the only line of admin rate list with these currencies.
func rateOf(t *testing.T, from, to string) (found admin.Rate) {
	t.Helper()
	text, err := pochi(t, "admin", "rate", "list")
	n := 0
	for _, r := range objects[admin.Rate](t, text, err) {
		if r.From == from && r.To == to {
			found = r
			n++
		}
	}
	if n != 1 {
		t.Fatalf("%d rates from %s to %s:\n%s", n, from, to, text)
	}
	return found
}

func TestRateCommands(t *testing.T) {
	for name, running := range map[string]bool{"without a wallet": false, "beside a running wallet": true} {
		t.Run(name, func(t *testing.T) {
			newData(t)
			t.Setenv("POCHI_RATES", "USD=1,EUR=0.9137,GBP=0.7812,JPY=149.62,KES=129.5,MXN=18.42")
			if stop := serving(t); !running {
				stop() // there is a database now
			}
			want := admin.Rate{From: "USD", To: "EUR", Rate: "9137/10000", Effective: "9137/10000", Source: "configuration"}
			if diff := cmp.Diff(want, rateOf(t, "USD", "EUR")); diff != "" {
				t.Error("before:", diff)
			}
			text, err := pochi(t, "admin", "rate", "set", "USD", "EUR", "9/10", "--spread-bps", "50", "--valid", "48h")
			set := objects[admin.Rate](t, text, err)
			if len(set) != 2 || set[0].Rate != "9/10" || set[0].SpreadBps != 50 || set[0].Effective != "1791/2000" || set[0].Source != "admin" ||
				set[0].Stale || set[0].GoodUntil.Sub(*set[0].SetAt) != 48*time.Hour {
				t.Errorf("set %s", text)
			}
			if len(set) == 2 && (set[1].From != "EUR" || set[1].To != "USD" || set[1].Rate != "10/9" || !set[1].Inverse) {
				t.Errorf("the other direction: %+v", set[1])
			}
			if got := rateOf(t, "USD", "EUR"); got.Rate != "9/10" || got.Source != "admin" || got.Stale || !got.SetAt.Equal(*set[0].SetAt) {
				t.Errorf("after: %+v", got)
			}
			for _, key := range []string{`"spreadBps":50`, `"effectiveRate":"1791/2000"`, `"setAt":"`, `"goodUntil":"`} {
				if !strings.Contains(text, key) {
					t.Errorf("no %s in %s", key, text)
				}
			}
			if got := rateOf(t, "EUR", "GBP"); got.Rate != "217/250" || got.SpreadBps != 50 || got.Source != "derived" ||
				!slices.Equal(got.DerivedFrom, []string{"USD EUR"}) || got.SetAt != nil || !got.GoodUntil.Equal(*set[0].GoodUntil) {
				t.Errorf("what follows: %+v", got)
			}
			if text, err = pochi(t, "admin", "rate", "set", "USD", "EUR", "90"); problem.CodeOf(err) != problem.Conflict || text != "" {
				t.Errorf("a slip of the finger: %q, %v", text, err)
			}
			if text, err = pochi(t, "admin", "rate", "set", "USD", "USD", "1"); problem.Fields(err)["to"] == "" || text != "" {
				t.Errorf("a currency with itself: %q, %v", text, err)
			}
			text, err = pochi(t, "admin", "rate", "set", "USD", "EUR", "90", "--force")
			if set := objects[admin.Rate](t, text, err); len(set) != 2 || set[0].Rate != "90" {
				t.Errorf("forced: %s", text)
			}
			for i := range 2 {
				text, err = pochi(t, "admin", "rate", "remove", "EUR", "USD", "--force")
				if left := objects[admin.Rate](t, text, err); len(left) != 2 || left[1].Rate != "9137/10000" || left[1].Source != "configuration" || left[1].Repeated != (i == 1) {
					t.Errorf("removed: %s", text)
				}
			}
			if diff := cmp.Diff(want, rateOf(t, "USD", "EUR")); diff != "" {
				t.Error("in the end:", diff)
			}
			wantOrder(t)
		})
	}
}

// What the configuration says here counts when no wallet runs.
func TestRateSetAgainstTheConfiguration(t *testing.T) {
	newData(t)
	open(t, func(*db.DB, *ledger.Ledger) {}) // there is a database now
	t.Setenv("POCHI_RATES", "USD=1,XRP=2")
	if text, err := pochi(t, "admin", "rate", "set", "USD", "XRP", "4"); problem.CodeOf(err) != problem.Conflict {
		t.Errorf("%q, %v", text, err)
	}
	t.Setenv("POCHI_RATES", "USD=0")
	if text, err := pochi(t, "admin", "rate", "set", "USD", "XRP", "4"); err == nil || !strings.Contains(err.Error(), "POCHI_RATES") {
		t.Errorf("%q, %v", text, err)
	}
}

// A rate that is refused says what to do, in one line.
func TestRateSetFails(t *testing.T) {
	newData(t)
	open(t, func(*db.DB, *ledger.Ledger) {}) // there is a database now
	for _, test := range []struct {
		args []string
		want string
	}{
		{[]string{"USD", "EUR"}, "pochi help admin rate set says more"},
		{[]string{"USD", "EUR", "ten"}, "a rate is a number above 0 such as 0.9137 or 9/10"},
		{[]string{"USD/2", "EUR", "1"}, "no currency"},
		{[]string{"USD", "eur", "0.9"}, "Did you mean EUR?"},
		{[]string{"USD", "EUR", "9"}, "repeat it with --force"},
		{[]string{"USD", "EUR", "0.9", "--spread-bps", "10000"}, "between 0 and 9999"},
		{[]string{"USD", "EUR", "0.9", "--valid=-1h"}, "valid"},
	} {
		cmd, out, problems := child(t, append([]string{"admin", "rate", "set"}, test.args...)...)
		err := cmd.Wait()
		var exit *exec.ExitError
		if !errors.As(err, &exit) || exit.ExitCode() != 1 || out.Len() > 0 || strings.Count(problems.String(), "\n") != 1 || !strings.Contains(problems.String(), test.want) {
			t.Errorf("%q: %v, prints %q and %q, want %q", test.args, err, out, problems, test.want)
		}
	}
}
