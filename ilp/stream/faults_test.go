package stream_test

import (
	"errors"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"pochi/ilp/stream"
)

// randomFaults returns a network's faults, of which about half are there at all.
func randomFaults(r *rand.Rand, amount uint64) faults {
	some := func(most int) int {
		if r.IntN(2) == 0 {
			return 0
		}
		return r.IntN(most)
	}
	f := faults{
		delay: time.Duration(r.IntN(200)) * time.Millisecond, jitter: time.Duration(r.IntN(100)) * time.Millisecond,
		lost: some(20), lostReply: some(10), twice: some(50), busy: some(100), bare: r.IntN(4) == 0,
		multiply: 1 + r.Uint64N(2000), divide: 1 + r.Uint64N(2000),
	}
	if r.IntN(3) == 0 {
		f.multiply, f.divide = 1, 1
	}
	if r.IntN(2) == 0 {
		for range 1 + r.IntN(3) {
			f.max = append(f.max, 1+amount/(1+r.Uint64N(60)))
		}
	}
	if r.IntN(3) == 0 {
		f.liquidity = 1 + amount/(1+r.Uint64N(60))
	}
	if r.IntN(3) == 0 {
		f.perSecond = 5 + r.IntN(500)
	}
	switch r.IntN(10) {
	case 0:
		f.silent = 1 + r.IntN(20)
	case 1:
		f.wrong = 1 + r.IntN(20)
	case 2:
		f.dieAt = time.Duration(1+r.IntN(3000)) * time.Millisecond
	case 3:
		f.fallAt = time.Duration(1+r.IntN(3000)) * time.Millisecond
	}
	return f
}

// randomParams returns a payment over a path with this rate, of which some can't complete.
func randomParams(r *rand.Rand, amount uint64, f faults) (params stream.SendParams, exact uint64) {
	exact = mulDiv(amount, f.multiply, f.divide)
	params = stream.SendParams{
		Amount: amount, MinDelivered: max(1, exact-exact*r.Uint64N(20)/1000), MaxRounding: r.Uint64N(200),
		FixedReceive: r.IntN(3) == 0,
	}
	if r.IntN(10) == 0 {
		params.MinDelivered += 1 + params.MinDelivered/50
	}
	if r.IntN(3) == 0 {
		params.Deadline = time.Now().Add(time.Duration(1+r.IntN(90)) * time.Second)
	}
	return params, exact
}

// Thousands of payments over networks that lose, delay, reorder, double, refuse and change packets, fall in rate and die:
// both ends agree about what arrived, nothing is paid under the price or beyond the debit, and every end has a reason.
// What is checked is in network.pay and on the way in the network.
func TestPaymentsOverABadNetwork(t *testing.T) {
	payments := uint64(3000)
	if testing.Short() {
		payments = 300
	}
	reasons := make(map[stream.Reason]int)
	synctest.Test(t, func(t *testing.T) {
		for seed := range payments {
			r := rand.New(rand.NewPCG(seed, 0))
			amount := 1 + r.Uint64N(1_000_000)
			f := randomFaults(r, amount)
			n := newNetwork(t, seed, f)
			params, _ := randomParams(r, amount, f)
			begin := time.Now()
			_, err := n.pay(1+r.IntN(120), params)
			var failure *stream.Failure
			switch {
			case errors.As(err, &failure):
				reasons[failure.Reason]++
			case err == nil:
				reasons["completed"]++
			}
			took := time.Since(begin)
			if !params.Deadline.IsZero() && time.Now().After(params.Deadline.Add(5*time.Second)) && took > 35*time.Second {
				t.Errorf("seed %d: took %v, %v after the deadline", seed, took, time.Since(params.Deadline))
			}
			if t.Failed() {
				return
			}
		}
	})
	t.Logf("%v", reasons)
	if testing.Short() {
		return // too few for every reason
	}
	for _, reason := range []stream.Reason{
		"completed", stream.RateTooLow, stream.Rounding, stream.TimedOut, stream.NoAnswer, stream.BadAnswer,
	} {
		if reasons[reason] == 0 {
			t.Errorf("no payment ended as %q: %v", reason, reasons)
		}
	}
}

// As long as the rate holds and is met, faults that pass don't keep a payment from its end.
func TestPaymentsCompleteInSpiteOfFaults(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for seed := range uint64(300) {
			r := rand.New(rand.NewPCG(seed, 1))
			amount := 10_000 + r.Uint64N(1_000_000)
			f := randomFaults(r, amount)
			f.silent, f.wrong, f.dieAt, f.fallAt, f.liquidity = 0, 0, 0, 0, 0
			f.perSecond = 0
			n := newNetwork(t, seed, f)
			params := stream.SendParams{Amount: amount, MinDelivered: max(1, n.convert(amount)*99/100), MaxRounding: amount, FixedReceive: seed%2 == 0}
			result, err := n.pay(50, params)
			if err != nil && !isTooSmall(err) {
				t.Errorf("seed %d: %+v, %v; %s", seed, result, err, n)
			}
		}
	})
}

func isTooSmall(err error) bool {
	var failure *stream.Failure
	return errors.As(err, &failure) && failure.Reason == stream.TooSmall
}
