package oauth

import (
	"errors"
	"sync"
	"time"
)

const (
	tokenKeptFor = 5 * time.Second
	tokensMax    = 10_000 // in memory, some 5 MB
)

// tokenCache keeps what was found out about tokens, by their SHA-256, for a short
// while. Tokens that aren't valid are kept apart: however many there are, they
// push out no valid one.
type tokenCache struct {
	mu      sync.Mutex
	kept    map[[32]byte]keptToken
	refused map[[32]byte]refusedToken
	forgets uint64 // how often forget was called
}

type keptToken struct {
	token Token
	until time.Time
}

type refusedToken struct {
	why   error
	until time.Time
}

// refuse keeps why a token isn't valid: it never becomes so.
func (c *tokenCache) refuse(key [32]byte, why error, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.refused == nil || len(c.refused) >= tokensMax {
		c.refused = map[[32]byte]refusedToken{}
	}
	c.refused[key] = refusedToken{why, now.Add(tokenKeptFor)}
}

// errUnknown says that nothing is kept of a token.
var errUnknown = errors.New("nothing is known of the token")

// find returns a token that is kept, or why it isn't valid. When neither is known it
// returns errUnknown, and asked is to be given to keep with what is found out then.
func (c *tokenCache) find(key [32]byte, now time.Time) (token Token, asked uint64, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if refused, ok := c.refused[key]; ok && now.Before(refused.until) {
		return Token{}, 0, refused.why
	}
	kept, ok := c.kept[key]
	if ok && now.Before(kept.until) {
		return kept.token, 0, nil
	}
	delete(c.kept, key)
	return Token{}, c.forgets, errUnknown
}

// keep keeps a token that Hydra found valid after now. It doesn't if anything
// was forgotten meanwhile: the answer may be older than that.
func (c *tokenCache) keep(key [32]byte, token Token, now time.Time, asked uint64) {
	until := now.Add(tokenKeptFor)
	if token.ExpiresAt.Before(until) {
		until = token.ExpiresAt
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if asked != c.forgets {
		return
	}
	if len(c.kept) >= tokensMax {
		c.drop(func(k keptToken) bool { return !now.Before(k.until) })
	}
	if len(c.kept) >= tokensMax {
		clear(c.kept)
	}
	c.kept[key] = keptToken{token, until}
}

// forget drops the tokens of which gone is true.
func (c *tokenCache) forget(gone func(Token) bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.forgets++
	c.drop(func(k keptToken) bool { return gone(k.token) })
}

func (c *tokenCache) drop(gone func(keptToken) bool) {
	for key, kept := range c.kept {
		if gone(kept) {
			delete(c.kept, key)
		}
	}
}
