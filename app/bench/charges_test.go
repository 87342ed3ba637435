package bench

import (
	"bytes"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// atOnce is how many requests an app may make at once. Then only a hundred a second are added.
const atOnce = 200

// BenchmarkCharges measures charges that apps make over the wallet's API, each counted when its answer says that it is delivered: to
// people of the same wallet, half of whom have another currency. One agreement belongs to one app, which makes as many charges as it
// may at once. Until it may do so again, a thousand agreements that a hundred people have with a hundred apps take their turn.
func BenchmarkCharges(b *testing.B) {
	people, to := payers(101), payees(100)
	w, h := startAgreed(b, "wallet", slices.Concat(people, to))
	consents := []consent{{people[100], "app100"}}
	for i := range 1000 {
		consents = append(consents, consent{people[i%100], fmt.Sprint("app", i/100*10+i%10)})
	}
	agreements := w.agree(h, consents)
	one, many := newCharges(b, w, agreements[:1], pointers(w, to)), newCharges(b, w, agreements[1:], pointers(w, to))
	many.round(1<<20, time.Second) // so that it is warm
	for range 2 * rounds {
		one.round(atOnce, time.Minute)
		many.round(1<<20, atOnce*10*time.Millisecond)
	}
	one.report("1")
	many.report("1000")
}

// charges are made through agreements in turn, from as many clients as send money at once.
type charges struct {
	b          *testing.B
	wallet     *wallet
	callers    [clients]*caller
	agreements []agreement
	to         []string
	made       atomic.Int64 // each has a key of its own

	took  []time.Duration // of all rounds
	rates []float64       // of each
	cpu   time.Duration   // of the wallet, in all rounds
}

func newCharges(b *testing.B, w *wallet, agreements []agreement, to []string) *charges {
	b.Helper()
	c := &charges{b: b, wallet: w, agreements: agreements, to: to}
	for i := range c.callers {
		var err error
		if c.callers[i], err = call(w.pages); err != nil {
			b.Fatal(err)
		}
		b.Cleanup(c.callers[i].Close)
	}
	return c
}

// round makes charges until there are n, or the time is over.
func (c *charges) round(n int64, lasts time.Duration) {
	c.b.Helper()
	var took [clients][]time.Duration
	var wait sync.WaitGroup
	used := c.wallet.ask("usage").CPU
	last := c.made.Load() + n
	begin := time.Now()
	for i, client := range c.callers {
		wait.Go(func() {
			for now := begin; now.Sub(begin) < lasts; {
				n := c.made.Add(1)
				if n > last {
					return
				}
				if err := delivered(client.do(c.request(int(n)))); err != nil {
					c.b.Error(err)
					return
				}
				answered := time.Now()
				took[i], now = append(took[i], answered.Sub(now)), answered
			}
		})
	}
	wait.Wait()
	elapsed := time.Since(begin)
	c.cpu += c.wallet.ask("usage").CPU - used
	of := slices.Concat(took[:]...)
	c.took, c.rates = append(c.took, of...), append(c.rates, float64(len(of))/elapsed.Seconds())
}

// report gives the median rate, and how long the slowest of 99 % took.
func (c *charges) report(name string) {
	slices.Sort(c.rates)
	slices.Sort(c.took)
	n := len(c.rates)
	c.b.Logf("%s: %.0f to %.0f charges/s in %d rounds, %.0f µs of the wallet a charge",
		name, c.rates[0], c.rates[n-1], n, c.cpu.Seconds()*1e6/float64(len(c.took)))
	c.b.Run(name, func(b *testing.B) { b.ReportMetric(c.rates[n/2], "charges/s") })
	c.b.Run(name+"/p99", func(b *testing.B) { b.ReportMetric(milliseconds(c.took[len(c.took)*99/100]), "ms") })
}

// request charges a dollar.
func (c *charges) request(n int) []byte {
	by := c.agreements[n%len(c.agreements)]
	body := fmt.Sprintf(`{"receiver": %q, "debitAmount": {"value": "100", "assetCode": "USD", "assetScale": 2}}`, c.to[n%len(c.to)])
	return fmt.Appendf(nil, "POST /api/agreements/%s/charges HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\nIdempotency-Key: charge-%d\r\n"+
		"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", by.id, c.wallet.pages, by.token, n, len(body), body)
}

// delivered says why a response is no charge that was delivered.
func delivered(r reply, err error) error {
	if err != nil {
		return err
	}
	if r.status != http.StatusCreated || !bytes.Contains(r.body, []byte(`"state":"delivered"`)) {
		return fmt.Errorf("status %d: %s", r.status, r.body)
	}
	return nil
}
