package e2e

import (
	"html"
	"regexp"
	"sync"
	"testing"
)

// TestKilledWhilePaying kills the wallet three times with payments on their way, and looks whether every payment that
// was confirmed came to a true end and no cent was lost or made.
func TestKilledWhilePaying(t *testing.T) {
	const (
		rounds  = 3
		payers  = 3 // at the same time
		amount  = "0.25"
		deposit = "1000.00"
	)
	w := newWallet(t)
	w.start()
	ann, ben := newVisitor(t, w), newVisitor(t, w)
	ann.signUp(t, "Ann", "USD")
	ben.signUp(t, "Ben", "USD")
	ann.addMoney(t, deposit)
	pointer := "$" + w.URL[len("http://"):] + "/ben"

	var confirmed []string // paths of payments
	for round := range rounds {
		paths := make(chan string)
		var paying sync.WaitGroup
		for range payers {
			paying.Go(func() {
				for {
					path, err := ann.pay(pointer, amount)
					if err != nil {
						t.Logf("a payer stops: %v", err) // as the wallet is gone
						return
					}
					paths <- path
				}
			})
		}
		go func() { paying.Wait(); close(paths) }()
		seen := 0
		for path := range paths {
			confirmed = append(confirmed, path)
			if seen++; seen == 7*(round+1) {
				w.kill()
			}
		}
		if seen < 7*(round+1) {
			t.Fatalf("round %d: payments ended after %d, before the wallet was killed", round, seen)
		}
		w.start()
	}

	delivered := 0
	for _, path := range confirmed {
		state := ""
		poll(t, startMax, path+" is final", func() bool {
			state = paymentState(t, ann, path)
			return state == "Delivered" || state == "Failed"
		})
		if state == "Delivered" {
			delivered++
		}
	}
	if sum := add(t, ann.balance(t), ben.balance(t)); sum != deposit {
		t.Errorf("Ann and Ben have %s together, want %s", sum, deposit)
	}
	least := "0.00"
	for range delivered {
		least = add(t, least, amount)
	}
	if over := add(t, ben.balance(t), "-"+least); over[0] == '-' {
		t.Errorf("%d payments were delivered, but Ben has %s only", delivered, ben.balance(t))
	}
	if output, ok := w.command("check"); !ok {
		t.Errorf("check after the restarts: %s", output)
	}
}

// statePattern finds the fact "State" on a payment's page.
var statePattern = regexp.MustCompile(`<dt>State</dt>\s*<dd>\s*([^<]*?)\s*</dd>`)

// paymentState is the state that a payment's page shows.
func paymentState(t *testing.T, v *visitor, path string) string {
	t.Helper()
	page, err := v.get(path)
	if err != nil {
		t.Fatal(err)
	}
	found := statePattern.FindStringSubmatch(page.Body)
	if found == nil {
		t.Fatalf("%s, status %d, shows no state", path, page.Status)
	}
	return html.UnescapeString(found[1])
}
