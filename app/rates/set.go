package rates

import (
	"context"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"time"

	"pochi/app/problem"
	"pochi/db"
)

const (
	codeMin  = 2 // characters of a currency
	codeMax  = 10
	validMax = 10 * 365 * 24 * time.Hour
)

// wide bounds what one unit brings, after the spread, and what the inverse
// does, at 10^-15: between currencies of equal decimals the largest amount that
// there is, 2^63-1, is still worth 9,223 then.
var wide = big.NewRat(1, 1_000_000_000_000_000)

// Change is what an admin asks for.
type Change struct {
	From, To  string
	Rate      string        // whole units of To for one of From: a decimal or a fraction
	SpreadBps int           // hundredths of a percent that the wallet keeps, 0 to 9999
	Valid     time.Duration // from now on
	Force     bool          // also if it changes by more than half
}

// Set puts a rate in force: from the next packet on. It is durable when Set
// returns, in both directions. Errors are problems with what was asked for, by
// field: from, to, rate, spreadBps, valid; and problem.Conflict when people would
// gain by exchanging in a circle, or when what one unit brings would change by
// more than half without Force.
func (b *Book) Set(ctx context.Context, c Change) ([]Rate, error) {
	b.setting.Lock()
	defer b.setting.Unlock()
	r, err := c.rate(b.now())
	if err != nil {
		return nil, err
	}
	set, all, err := b.with(r, c.Force)
	if err != nil {
		return nil, err
	}
	err = b.db.Write(ctx, func(tx db.Tx) error { return insert(ctx, tx, r) })
	if err != nil {
		return nil, fmt.Errorf("set the rate from %s to %s: %w", r.From, r.To, err)
	}
	b.install(set, all)
	return []Rate{r, r.inverse()}, nil
}

// with returns what would be in force with a rate, if it may be.
func (b *Book) with(r Rate, force bool) (set []Rate, all map[pair]Rate, err error) {
	set = append(slices.DeleteFunc(slices.Clone(b.set), r.samePair), r)
	v := derive(b.table, set)
	if codes, gets := v.circle(b.now()); codes != nil {
		percent := new(big.Rat).Sub(gets, one)
		return nil, nil, problem.New(problem.Conflict, "With %s people would gain %s %% by exchanging %s. Nothing was done. "+
			"Take another rate or a larger spread, or let one of the others on the way get too old first, by setting it again with --valid 1s.",
			r, significant(percent.Mul(percent, big.NewRat(100, 1))), strings.Join(codes, " → "))
	}
	all = v.rates()
	if !force {
		err = b.allow(r.pair(), all)
	}
	return set, all, err
}

// rate reads what was asked for.
func (c Change) rate(now time.Time) (Rate, error) {
	for _, code := range []struct{ field, text string }{{"from", c.From}, {"to", c.To}} {
		if !isCode(code.text) {
			return Rate{}, problem.Field(code.field, "%q is no currency: that has %d to %d characters, such as USD, and no decimals here.",
				code.text, codeMin, codeMax)
		}
	}
	if c.From == c.To {
		return Rate{}, problem.Field("to", "%s is always worth %s: both currencies are the same.", c.From, c.To)
	}
	value, err := parseNumber(c.Rate)
	switch {
	case err != nil:
		return Rate{}, problem.Field("rate", "%q: %s.", c.Rate, err.Error())
	case c.SpreadBps < 0 || c.SpreadBps >= spreadWhole:
		return Rate{}, problem.Field("spreadBps", "The spread must be between 0 and %d basis points.", spreadWhole-1)
	case c.Valid < time.Second || c.Valid > validMax:
		return Rate{}, problem.Field("valid", "A rate can be valid for one second at the least and ten years at the most.")
	}
	set := now.UTC().Truncate(time.Microsecond)
	r := Rate{
		From: c.From, To: c.To, Value: value, SpreadBps: c.SpreadBps, Source: Admin,
		SetAt: set, GoodUntil: set.Add(c.Valid).Truncate(time.Microsecond), Renew: c.From + " " + c.To,
	}
	if r.Effective().Cmp(wide) < 0 || r.inverse().Effective().Cmp(wide) < 0 {
		return Rate{}, problem.Field("rate", "1 %s = %s %s after the spread: between two currencies so far apart nothing is ever worth anything.",
			r.From, r.Effective().RatString(), r.To)
	}
	return r, nil
}

// isCode reports whether a text can be a currency's code.
func isCode(text string) bool {
	for _, r := range text {
		if r <= ' ' || r > '~' || r == '/' {
			return false
		}
	}
	return len(text) >= codeMin && len(text) <= codeMax
}

// allow refuses what looks like a mistake beside what is in force: a rate that
// changes by more than half, and others that are less than half of what they
// were on account of it. One that is too old still says what is to be expected.
func (b *Book) allow(set pair, all map[pair]Rate) error {
	entries := *b.entries.Load()
	for _, r := range slices.Insert(sorted(all), 0, all[set]) {
		e, ok := entries[r.pair()]
		if !ok {
			continue
		}
		change := new(big.Rat).Quo(r.Effective(), e.rate.Effective())
		if change.Cmp(big.NewRat(1, 2)) < 0 || r.pair() == set && change.Cmp(big.NewRat(3, 2)) > 0 {
			return problem.New(problem.Conflict, "%s until now, and %s after this, each after the spread: that is a change of more than 50 %%. "+
				"Nothing was done. If it is right, repeat it with --force.", e.rate, r)
		}
	}
	return nil
}
