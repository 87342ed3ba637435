package api_test

import (
	"context"
	"testing"
	"time"

	"pochi/app/limit"
	"pochi/app/oauth"
)

// An app that asks too often is told when to come again; others aren't slowed
// down by it, and it isn't for ever.
func TestAppsThatAskTooOften(t *testing.T) {
	now := begun()
	opts := options()
	opts.Rate, opts.Now = limit.Rate{Burst: 2, Every: 1500 * time.Millisecond}, func() time.Time { return now }
	rival := token(ann().String(), oauth.OpenID)
	rival.ClientID = "rival"
	opts.Tokens.(tokens).known["rival"] = rival
	app, _ := serve(opts)
	for _, name := range []string{"openid", "full"} { // tokens of one app
		if got := ask(t, app, "GET", "/api/me", bearer(name)); got.Status != 200 {
			t.Errorf("%d %v", got.Status, got.Body)
		}
	}
	got := ask(t, app, "GET", "/api/me", bearer("openid"))
	if got.Status != 429 || got.header.Get("Retry-After") != "2" || got.Body["type"] != "urn:pochi:problem:too_many" {
		t.Errorf("%d %q %v", got.Status, got.header.Get("Retry-After"), got.Body)
	}
	if got := ask(t, app, "GET", "/api/me", bearer("rival")); got.Status != 200 {
		t.Errorf("another app: %d %v", got.Status, got.Body)
	}
	now = now.Add(1500 * time.Millisecond)
	if got := ask(t, app, "GET", "/api/me", bearer("openid")); got.Status != 200 {
		t.Errorf("later: %d %v", got.Status, got.Body)
	}
}

// slowTokens are tokens of which nothing is said until it may be.
type slowTokens struct {
	tokens
	asked, answer chan struct{}
}

func (s slowTokens) Introspect(ctx context.Context, token string) (oauth.Token, error) {
	s.asked <- struct{}{}
	<-s.answer
	return s.tokens.Introspect(ctx, token)
}

// However many requests with valid tokens come from one network before Hydra has
// answered, none is taken for a guess.
func TestValidTokensAtOnce(t *testing.T) {
	const requests = 400
	opts := options()
	opts.Rate = limit.Rate{Burst: requests, Every: time.Millisecond}
	slow := slowTokens{opts.Tokens.(tokens), make(chan struct{}), make(chan struct{})}
	opts.Tokens = slow
	app, _ := serve(opts)
	answers := make(chan answer, requests)
	for range requests {
		go func() { answers <- ask(t, app, "GET", "/api/me", bearer("openid")) }()
	}
	for waiting := requests; waiting > 0; waiting-- {
		select {
		case <-slow.asked:
		case got := <-answers:
			t.Fatalf("before Hydra has answered: %d %v", got.Status, got.Body)
		}
	}
	close(slow.answer)
	for range requests {
		if got := <-answers; got.Status != 200 {
			t.Errorf("%d %v", got.Status, got.Body)
		}
	}
}

// Who guesses tokens is stopped before Hydra is asked; tokens that are valid cost
// nothing.
func TestGuesses(t *testing.T) {
	now := begun()
	opts := options()
	opts.Rate, opts.Now = limit.Rate{Burst: 1000, Every: time.Millisecond}, func() time.Time { return now }
	app, _ := serve(opts)
	for range 400 {
		if got := ask(t, app, "GET", "/api/me", bearer("openid")); got.Status != 200 {
			t.Fatalf("%d %v", got.Status, got.Body)
		}
	}
	var got answer
	for n := 0; got.Status != 429; n++ {
		if got = ask(t, app, "GET", "/api/me", bearer("guess")); n > 300 || got.Status != 401 && got.Status != 429 {
			t.Fatalf("guess %d: %d %v", n, got.Status, got.Body)
		}
	}
	if got.header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
}
