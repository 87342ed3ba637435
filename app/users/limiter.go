package users

import (
	"crypto/sha256"
	"net/netip"
	"sync"
	"time"

	"pochi/app/problem"
)

// Limit allows Burst attempts at once, and one more each Every.
type Limit struct {
	Burst int
	Every time.Duration
}

// Limits slow guessing down. A log-in that succeeds isn't counted. They are
// kept in memory; a zero Limit is its default.
type Limits struct {
	PerEmail   Limit // log-ins for one e-mail: 10, one more each minute
	PerAddress Limit // log-ins from one address (of IPv6 a /64): 50, one more each 10 seconds
	SignUps    Limit // from one address: 60, one more each minute
	KeysMax    int   // e-mails or addresses that are remembered at a time: 65536, a few megabytes
}

func (l Limits) withDefaults() Limits {
	if l.PerEmail == (Limit{}) {
		l.PerEmail = Limit{Burst: 10, Every: time.Minute}
	}
	if l.PerAddress == (Limit{}) {
		l.PerAddress = Limit{Burst: 50, Every: 10 * time.Second}
	}
	if l.SignUps == (Limit{}) {
		l.SignUps = Limit{Burst: 60, Every: time.Minute}
	}
	if l.KeysMax == 0 {
		l.KeysMax = 1 << 16
	}
	return l
}

// evictAmong is how many keys are looked at to forget the least limited one
// for a new one.
const evictAmong = 16

// limiter counts attempts by key. For each it remembers only when all of them
// will be forgotten: each attempt moves that by Every (the generic cell rate
// algorithm).
type limiter struct {
	limit   Limit
	keysMax int

	mu        sync.Mutex
	forgotten map[[sha256.Size]byte]time.Time
}

func newLimiter(limit Limit, keysMax int) *limiter {
	return &limiter{limit: limit, keysMax: keysMax, forgotten: map[[sha256.Size]byte]time.Time{}}
}

// take counts an attempt and returns 0, or how long to wait for one to be
// allowed.
func (l *limiter) take(key string, now time.Time) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	hash := sha256.Sum256([]byte(key)) // of a fixed size, whatever was typed
	at, known := l.forgotten[hash]
	if at.Before(now) {
		at = now
	}
	if wait := at.Sub(now) - time.Duration(l.limit.Burst-1)*l.limit.Every; wait > 0 {
		return wait
	}
	if !known && len(l.forgotten) >= l.keysMax {
		l.evict()
	}
	l.forgotten[hash] = at.Add(l.limit.Every)
	return 0
}

// giveBack takes one attempt off the count.
func (l *limiter) giveBack(key string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	hash := sha256.Sum256([]byte(key))
	if at, known := l.forgotten[hash]; known {
		l.forgotten[hash] = at.Add(-l.limit.Every)
	}
}

func (l *limiter) evict() {
	var least [sha256.Size]byte
	var leastAt time.Time
	seen := 0
	for key, at := range l.forgotten {
		if seen == 0 || at.Before(leastAt) {
			least, leastAt = key, at
		}
		if seen++; seen == evictAmong {
			break
		}
	}
	delete(l.forgotten, least)
}

func tooMany(wait time.Duration) error {
	minutes := int((wait + time.Minute - 1) / time.Minute)
	if minutes <= 1 {
		return problem.New(problem.TooMany, "That was tried too often. Please try again in a minute.")
	}
	return problem.New(problem.TooMany, "That was tried too often. Please try again in %d minutes.", minutes)
}

// network returns what an address is limited by: whoever has an IPv6 address
// has a whole /64.
func network(address string) string {
	addr, err := netip.ParseAddr(address)
	if err != nil {
		return address
	}
	addr = addr.Unmap().WithZone("")
	if prefix, err := addr.Prefix(64); addr.Is6() && err == nil {
		return prefix.String()
	}
	return addr.String()
}
