package rates

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strings"
	"time"

	"pochi/app/problem"
	"pochi/db"
	"pochi/ilp/connector"
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

// Changed is what came of a Change.
type Changed struct {
	Rates   []Rate // the direction that was set, and the other where this serves it too
	Warning string // how people can gain by exchanging in a circle now, for the admin; "" if they can't
}

// Set puts a rate in force: from the next packet on. It is durable when Set
// returns. Errors are problems with what was asked for, by field: from, to, rate,
// spread_bps, valid; and problem.Conflict when what one unit brings would change
// by more than half without Force, or when exchanging there and back would gain.
func (b *Book) Set(ctx context.Context, c Change) (Changed, error) {
	b.setting.Lock()
	defer b.setting.Unlock()
	r, err := c.rate(b.now())
	if err != nil {
		return Changed{}, err
	}
	if err := b.allow(r, c.Force); err != nil {
		return Changed{}, err
	}
	var set []Rate
	err = b.db.Write(ctx, func(tx db.Tx) (err error) {
		if err = insert(ctx, tx, r); err == nil {
			set, err = newest(ctx, tx)
		}
		return err
	})
	if err != nil {
		return Changed{}, fmt.Errorf("set the rate from %s to %s: %w", r.From, r.To, err)
	}
	b.install(set)
	return b.changed(r.From, r.To), nil
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
		return Rate{}, problem.Field("spread_bps", "The spread must be between 0 and %d basis points.", spreadWhole-1)
	case c.Valid < time.Second || c.Valid > validMax:
		return Rate{}, problem.Field("valid", "A rate can be valid for one second at the least and ten years at the most.")
	}
	set := now.UTC().Truncate(time.Microsecond)
	r := Rate{
		From: c.From, To: c.To, Value: value, SpreadBps: c.SpreadBps, Source: Admin,
		SetAt: set, GoodUntil: set.Add(c.Valid).Truncate(time.Microsecond),
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

// allow refuses a rate that looks like a mistake beside those in force. One that
// is too old still says what is to be expected.
func (b *Book) allow(r Rate, force bool) error {
	back, err := b.find(r.To, r.From)
	if err == nil && back.rate.Source == Admin && !back.rate.Inverse && product(r, back.rate).Cmp(one) > 0 {
		return problem.New(problem.Conflict, "With %s and back at %s people would gain by exchanging there and back. Lower the other direction first.",
			r, back.rate)
	}
	old, err := b.find(r.From, r.To)
	if force || errors.Is(err, connector.ErrNoRate) {
		return nil
	}
	change := new(big.Rat).Quo(r.Effective(), old.rate.Effective())
	if change.Cmp(big.NewRat(1, 2)) >= 0 && change.Cmp(big.NewRat(3, 2)) <= 0 {
		return nil
	}
	return problem.New(problem.Conflict, "%s until now, and %s after this, each after the spread: that is a change of more than 50 %%. "+
		"Nothing was done. If it is right, repeat it with --force.", old.rate, r)
}

// one is the value of a circle that brings what was put in.
var one = big.NewRat(1, 1)

// product returns what one unit becomes along a path of rates.
func product(path ...Rate) *big.Rat {
	out := new(big.Rat).Set(one)
	for _, r := range path {
		out.Mul(out, r.Effective())
	}
	return out
}

// changed returns what is in force for two currencies of which one direction
// was just set.
func (b *Book) changed(from, to string) Changed {
	entries := *b.entries.Load()
	out := Changed{Rates: []Rate{entries[pair{from, to}].rate}, Warning: b.circle(from, to)}
	if back := entries[pair{to, from}].rate; back.Inverse {
		out.Rates = append(out.Rates, back)
	}
	return out
}

// circle says how to gain the most by exchanging two currencies and a third
// one in a circle, "" if there is no way.
func (b *Book) circle(from, to string) (says string) {
	best := one
	for _, third := range b.currencies() {
		for _, codes := range [][]string{{from, to, third}, {to, from, third}} {
			gets := b.around(codes)
			if gets.Cmp(best) <= 0 {
				continue
			}
			best = gets
			percent := new(big.Rat).Sub(gets, one)
			percent.Mul(percent, big.NewRat(100, 1))
			says = fmt.Sprintf("Whoever exchanges %s → %s gains %s %%: set the other rates too.",
				strings.Join(codes, " → "), codes[0], significant(percent))
		}
	}
	return says
}

// currencies returns the codes that have a rate, in order.
func (b *Book) currencies() []string {
	codes := map[string]bool{}
	for p := range *b.entries.Load() {
		codes[p.from] = true
	}
	return slices.Sorted(maps.Keys(codes))
}

// around returns what one unit becomes in a circle, 0 if there is no way.
func (b *Book) around(codes []string) *big.Rat {
	var path []Rate
	for i, code := range codes {
		e, err := b.find(code, codes[(i+1)%len(codes)])
		if err != nil {
			return new(big.Rat)
		}
		path = append(path, e.rate)
	}
	return product(path...)
}
