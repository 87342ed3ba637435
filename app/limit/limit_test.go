package limit_test

import (
	"testing"
	"time"

	"pochi/app/limit"
	"pochi/app/problem"
)

func TestTakeAndGiveBack(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	l := limit.New(limit.Rate{Burst: 2, Every: time.Minute}, 10)
	for i, want := range []time.Duration{0, 0, time.Minute, time.Minute} {
		if got := l.Take("ann", now); got != want {
			t.Errorf("attempt %d waits %v, want %v", i, got, want)
		}
	}
	if got := l.Take("ben", now); got != 0 {
		t.Errorf("somebody else waits %v", got)
	}
	l.GiveBack("ann")
	l.GiveBack("nobody")
	if got := l.Take("ann", now); got != 0 {
		t.Errorf("after one was given back, the next waits %v", got)
	}
	if got := l.Take("ann", now.Add(time.Minute)); got != 0 {
		t.Errorf("after a minute, the next waits %v", got)
	}
}

// Attempts that are counted afterwards are all counted, also those that were more
// than are allowed.
func TestWaitAndCount(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	l := limit.New(limit.Rate{Burst: 2, Every: time.Minute}, 10)
	for i, want := range []time.Duration{0, 0, time.Minute, 2 * time.Minute} {
		if got := l.Wait("ann", now); got != want {
			t.Errorf("attempt %d waits %v, want %v", i, got, want)
		}
		l.Count("ann", now)
	}
	if got := l.Wait("ben", now); got != 0 {
		t.Errorf("somebody else waits %v", got)
	}
	if got := l.Wait("ann", now.Add(3*time.Minute)); got != 0 {
		t.Errorf("later, an attempt waits %v", got)
	}
}

// Many keys make room by forgetting who is least limited.
func TestKeysAreBounded(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	l := limit.New(limit.Rate{Burst: 3, Every: time.Hour}, 2)
	for range 3 {
		l.Take("ann", now)
	}
	for _, key := range []string{"ben", "cat", "dan"} {
		l.Take(key, now)
	}
	if l.Take("ann", now) == 0 {
		t.Error("the most limited key was forgotten")
	}
}

func TestTooMany(t *testing.T) {
	for wait, want := range map[time.Duration]string{
		time.Second:      "That was tried too often. Please try again in a minute.",
		time.Minute:      "That was tried too often. Please try again in a minute.",
		61 * time.Second: "That was tried too often. Please try again in 2 minutes.",
	} {
		err := limit.TooMany(wait)
		if problem.CodeOf(err) != problem.TooMany || problem.MessageOf(err) != want || problem.RetryAfter(err) != wait {
			t.Errorf("%v: %v, again after %v", wait, err, problem.RetryAfter(err))
		}
	}
}

func TestNetwork(t *testing.T) {
	for address, want := range map[string]string{
		"192.0.2.7": "192.0.2.7", "::ffff:192.0.2.7": "192.0.2.7", "2001:db8::1": "2001:db8::/64", "fe80::1%eth0": "fe80::/64", "nowhere": "nowhere", "": "",
	} {
		if got := limit.Network(address); got != want {
			t.Errorf("%q: %q, want %q", address, got, want)
		}
	}
}
