package api

import (
	"fmt"
	"math"
	"net/http"
	"sync"
	"time"

	"pochi/app/limit"
)

// How often somebody may ask who shows no valid token, by network: each costs a
// question to Hydra.
const (
	guessesAtOnce = 300
	guessEvery    = 200 * time.Millisecond
)

// Memory of the limits, in apps and networks.
const limitedMax = 1 << 14

// How many requests wait for the outcome of a charge, of all apps and of one:
// each keeps a connection busy. Further ones are answered at once, with 202.
const (
	waitersMax    = 256
	waitersMaxApp = 64
)

// limits bounds what one app, or one stranger, can take of the wallet.
type limits struct {
	apps      *limit.Limiter
	strangers *limit.Limiter
	now       func() time.Time

	mu      sync.Mutex
	waiters int
	waiting map[string]int // by client
}

func newLimits(rate limit.Rate, now func() time.Time) *limits {
	return &limits{
		apps:      limit.New(rate, limitedMax),
		strangers: limit.New(limit.Rate{Burst: guessesAtOnce, Every: guessEvery}, limitedMax),
		now:       now, waiting: map[string]int{},
	}
}

// app counts a request of a client.
func (l *limits) app(clientID string) error {
	if wait := l.apps.Take(clientID, l.now()); wait > 0 {
		return tooMany(wait, "This app asks too often.")
	}
	return nil
}

// stranger refuses a network that too many tokens came from that were none. Until
// a token is known to be none, which guessed is to be called for, it isn't counted:
// many that are valid may be asked about at once.
func (l *limits) stranger(address string) (guessed func(), err error) {
	network := limit.Network(address)
	if wait := l.strangers.Wait(network, l.now()); wait > 0 {
		return nil, tooMany(wait, "Too many access tokens that aren't valid came from this network.")
	}
	return func() { l.strangers.Count(network, l.now()) }, nil
}

// wait reports whether a request of a client may wait for an outcome. If so, it
// is to call end.
func (l *limits) wait(clientID string) (end func(), ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.waiters >= waitersMax || l.waiting[clientID] >= waitersMaxApp {
		return nil, false
	}
	l.waiters++
	l.waiting[clientID]++
	return func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.waiters--
		if l.waiting[clientID]--; l.waiting[clientID] == 0 {
			delete(l.waiting, clientID)
		}
	}, true
}

func tooMany(wait time.Duration, why string) error {
	f := newFault(http.StatusTooManyRequests, "too_many", "Too many requests", "")
	f.retryAfter = int(math.Ceil(wait.Seconds()))
	f.Detail = fmt.Sprintf("%s Wait %d s.", why, f.retryAfter)
	return f
}
