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
	if err := b.checkCodes(ctx, r); err != nil {
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
	set = append(slices.DeleteFunc(slices.Clone(*b.set.Load()), r.samePair), r)
	all, err = b.judge(set, r.pair(), "With "+r.String(), "Take another rate or a larger spread, or let", force)
	return set, all, err
}

// judge returns what would be in force if these were the rates that are set, and
// a pair's had changed, if that may be.
func (b *Book) judge(set []Rate, changed pair, change, advice string, force bool) (map[pair]Rate, error) {
	v := inForce(b.table, set, b.now())
	if codes, gets := v.circle(b.now()); codes != nil {
		percent := new(big.Rat).Sub(gets, one)
		return nil, problem.New(problem.Conflict, "%s people would gain %s %% by exchanging %s. Nothing was done. "+
			"%s one of the others on the way get too old first, by setting it again with --valid 1s.",
			change, significant(percent.Mul(percent, big.NewRat(100, 1))), strings.Join(codes, " → "), advice)
	}
	all := v.rates()
	if force {
		return all, nil
	}
	return all, b.allow(changed, all)
}

// rate reads what was asked for.
func (c Change) rate(now time.Time) (Rate, error) {
	if err := (pair{c.From, c.To}).check(); err != nil {
		return Rate{}, err
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

// check returns what is wrong with a pair that somebody typed.
func (p pair) check() error {
	for _, code := range []struct{ field, text string }{{"from", p.from}, {"to", p.to}} {
		if !isCode(code.text) {
			return problem.Field(code.field, "%q is no currency: that has %d to %d characters, such as USD, and no decimals here.",
				code.text, codeMin, codeMax)
		}
	}
	if p.from == p.to {
		return problem.Field("to", "%s is always worth %s: both currencies are the same.", p.from, p.to)
	}
	return nil
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

// checkCodes refuses currencies that this wallet doesn't have.
func (b *Book) checkCodes(ctx context.Context, r Rate) error {
	known, err := ledgerCodes(ctx, b.db.Read)
	if err != nil {
		return err
	}
	known = slices.Concat(b.table.codes(), b.currencies, known)
	for _, code := range []struct{ field, text string }{{"from", r.From}, {"to", r.To}} {
		if slices.Contains(known, code.text) {
			continue
		}
		hint := ""
		if i := slices.IndexFunc(known, func(k string) bool { return strings.EqualFold(k, code.text) }); i >= 0 {
			hint = " Did you mean " + known[i] + "?"
		}
		return problem.Field(code.field, "This wallet has no currency %s: neither POCHI_CURRENCIES nor POCHI_RATES names it, and no account is in it.%s",
			code.text, hint)
	}
	return nil
}

// allow refuses what looks like a mistake beside what is in force: a rate that
// changes by more than half, and others that are less than half of what they
// were on account of it. One that is too old still says what is to be expected.
func (b *Book) allow(set pair, all map[pair]Rate) error {
	entries := *b.entries.Load()
	others := sorted(all)
	if r, ok := all[set]; ok {
		others = slices.Insert(others, 0, r)
	}
	for _, r := range others {
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
