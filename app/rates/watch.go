package rates

import (
	"context"
	"log/slog"
	"maps"
	"time"

	"pochi/db"
)

// remindAfter is how long after a warning of a rate that is too old the next
// one follows.
const remindAfter = time.Hour

// Watch warns in the log, until ctx ends, of each rate that was set and is too
// old: at once, and every hour until it is set again or removed.
func (b *Book) Watch(ctx context.Context, log *slog.Logger) {
	warned := map[pair]time.Time{}
	for {
		timer := time.NewTimer(b.warn(log, warned))
		select {
		case <-ctx.Done():
		case <-b.changed:
		case <-timer.C:
		}
		timer.Stop()
		if ctx.Err() != nil {
			return
		}
	}
}

// TooOld returns the rates that were set and are too old now, oldest first: nothing
// is exchanged at them, nor at what follows from them, until they are set again or
// removed. It waits for nothing, not for a database that hangs either.
func (b *Book) TooOld() []Rate {
	return tooOld(*b.set.Load(), b.now())
}

// TooOld is Book.TooOld of what is committed, at a time.
func TooOld(ctx context.Context, tx db.Tx, now time.Time) ([]Rate, error) {
	set, _, err := newest(ctx, tx)
	return tooOld(set, now), err
}

func tooOld(set []Rate, now time.Time) (out []Rate) {
	for _, r := range set {
		if r.Stale(now) {
			out = append(out, r)
		}
	}
	return out
}

// warn warns of what is too old and returns when to look again. warned is when
// it warned of what last.
func (b *Book) warn(log *slog.Logger, warned map[pair]time.Time) time.Duration {
	set := *b.set.Load()
	now, wait := b.now(), remindAfter
	before := maps.Clone(warned)
	clear(warned)
	for _, r := range set {
		if !r.Stale(now) {
			wait = min(wait, r.GoodUntil.Sub(now))
			continue
		}
		last, ok := before[r.pair()]
		if !ok || now.Sub(last) >= remindAfter {
			log.Warn("an exchange rate is too old: nothing is exchanged at it until it is set again or removed", "from", r.From, "to", r.To,
				"good_until", r.GoodUntil, "renew", "pochi admin rate set "+r.Renew+" RATE", "remove", "pochi admin rate remove "+r.Renew)
			last = now
		}
		warned[r.pair()] = last
		wait = min(wait, remindAfter-now.Sub(last))
	}
	return wait
}
