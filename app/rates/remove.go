package rates

import (
	"context"
	"fmt"
	"slices"

	"pochi/app/problem"
	"pochi/db"
)

// Remove takes back what was set for two currencies, in either direction: from
// the next packet on their rate is what follows from the others, if anything
// does. It is durable when Remove returns what that is, in both directions.
// Repeated says that it was taken back before. Errors are problems with the
// fields from and to; problem.NotFound when nothing was ever set for the two;
// and problem.Conflict as Set's.
func (b *Book) Remove(ctx context.Context, from, to string, force bool) (left []Rate, repeated bool, err error) {
	b.setting.Lock()
	defer b.setting.Unlock()
	p := pair{from, to}
	if err := p.check(); err != nil {
		return nil, false, err
	}
	before := *b.set.Load()
	i := slices.IndexFunc(before, Rate{From: from, To: to}.samePair)
	if i < 0 {
		return b.removedBefore(ctx, p)
	}
	set := slices.Delete(slices.Clone(before), i, i+1)
	all, err := b.judge(set, p, "Without "+before[i].String(), "Let", force)
	if err != nil {
		return nil, false, err
	}
	err = b.db.Write(ctx, func(tx db.Tx) error { return remove(ctx, tx, p, b.now()) })
	if err != nil {
		return nil, false, fmt.Errorf("remove the rate from %s to %s: %w", from, to, err)
	}
	b.install(set, all)
	return b.both(p), false, nil
}

// removedBefore is Remove of what isn't set now.
func (b *Book) removedBefore(ctx context.Context, p pair) ([]Rate, bool, error) {
	ever, err := everSet(ctx, b.db.Read, p)
	switch {
	case err != nil:
		return nil, false, fmt.Errorf("look for the rate from %s to %s: %w", p.from, p.to, err)
	case !ever:
		return nil, false, problem.New(problem.NotFound, "No rate was ever set from %s to %s, nor the other way. See: pochi admin rate list.", p.from, p.to)
	}
	return b.both(p), true, nil
}

// both returns what is in force between two currencies: two rates or none.
func (b *Book) both(p pair) (out []Rate) {
	entries := *b.entries.Load()
	for _, p := range []pair{p, p.inverse()} {
		if e, ok := entries[p]; ok {
			out = append(out, e.rate)
		}
	}
	return out
}
