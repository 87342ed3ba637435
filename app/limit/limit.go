// Package limit slows down who tries something too often. Its counts are kept
// in memory.
package limit

import (
	"crypto/sha256"
	"fmt"
	"net/netip"
	"sync"
	"time"

	"pochi/app/problem"
)

// Rate allows Burst attempts at once, and one more each Every.
type Rate struct {
	Burst int
	Every time.Duration
}

// evictAmong is how many keys are looked at to forget the least limited one
// for a new one.
const evictAmong = 16

// Limiter counts attempts by key. For each it remembers only when all of them
// will be forgotten: each attempt moves that by Every (the generic cell rate
// algorithm). It is safe for concurrent use.
type Limiter struct {
	rate    Rate
	keysMax int

	mu        sync.Mutex
	forgotten map[[sha256.Size]byte]time.Time
}

// New returns a limiter that remembers keysMax keys at a time, about 100 bytes
// each.
func New(rate Rate, keysMax int) *Limiter {
	return &Limiter{rate: rate, keysMax: keysMax, forgotten: map[[sha256.Size]byte]time.Time{}}
}

// Take counts an attempt and returns 0, or how long to wait for one to be
// allowed; such a one isn't counted.
func (l *Limiter) Take(key string, now time.Time) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	hash := sha256.Sum256([]byte(key)) // of a fixed size, whatever was typed
	if wait := l.wait(hash, now); wait > 0 {
		return wait
	}
	l.count(hash, now)
	return 0
}

// Wait returns how long to wait for an attempt to be allowed, 0 if one is now. It
// counts none: Count does, for those that are known to count only when they are
// over. Many may begin before the first of them is, and all are counted, so that
// the wait afterwards is as much longer.
func (l *Limiter) Wait(key string, now time.Time) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.wait(sha256.Sum256([]byte(key)), now)
}

// Count counts an attempt, allowed or not.
func (l *Limiter) Count(key string, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.count(sha256.Sum256([]byte(key)), now)
}

func (l *Limiter) wait(key [sha256.Size]byte, now time.Time) time.Duration {
	at := l.forgotten[key]
	if at.Before(now) {
		at = now
	}
	return max(0, at.Sub(now)-time.Duration(l.rate.Burst-1)*l.rate.Every)
}

func (l *Limiter) count(key [sha256.Size]byte, now time.Time) {
	at, known := l.forgotten[key]
	if at.Before(now) {
		at = now
	}
	if !known && len(l.forgotten) >= l.keysMax {
		l.evict()
	}
	l.forgotten[key] = at.Add(l.rate.Every)
}

// GiveBack takes one attempt off the count.
func (l *Limiter) GiveBack(key string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	hash := sha256.Sum256([]byte(key))
	if at, known := l.forgotten[hash]; known {
		l.forgotten[hash] = at.Add(-l.rate.Every)
	}
}

func (l *Limiter) evict() {
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

// TooMany returns the problem.TooMany for somebody who has to wait.
func TooMany(wait time.Duration) error {
	err := problem.New(problem.TooMany, "That was tried too often. Please try again in a minute.")
	if minutes := int((wait + time.Minute - 1) / time.Minute); minutes > 1 {
		err.Message = fmt.Sprintf("That was tried too often. Please try again in %d minutes.", minutes)
	}
	err.RetryAfter = wait
	return err
}

// Network returns what an IP address is limited by: whoever has an IPv6
// address has a whole /64. Anything else is returned as it is.
func Network(address string) string {
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
