package users_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"pochi/app/limit"
	"pochi/app/problem"
	"pochi/app/users"
	"pochi/db"

	"pgregory.net/rapid"
)

func TestEveryFailureCostsAndSaysTheSame(t *testing.T) {
	f := newFixture(t, nil)
	f.mustSignUp(t, ann())
	tests := []struct {
		name            string
		email, password string
	}{
		{"wrong password", "ann@example.org", "another password"},
		{"unknown e-mail", "ben@example.org", password},
		{"no password", "ann@example.org", ""},
		{"no e-mail", "", password},
		{"not an e-mail", "' OR 1=1 --", password},
		{"overlong password", "ann@example.org", password + strings.Repeat("x", 1<<20)},
		{"overlong password, unknown e-mail", "ben@example.org", strings.Repeat("x", 1<<20)},
		{"overlong e-mail", strings.Repeat("a", 1<<20), password},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			hashes := f.hashesOf(func() {
				_, err := f.Authenticate(t.Context(), users.LogIn{Email: tt.email, Password: tt.password, Address: tt.name})
				if problem.CodeOf(err) != problem.Unauthenticated || problem.MessageOf(err) != "The e-mail or the password is wrong." {
					t.Errorf("err = %v", err)
				}
			})
			if hashes != 1 {
				t.Errorf("%d hashes, want 1", hashes)
			}
		})
	}
}

func TestTheHashOfAnUnknownEMailCostsWhatAKnownOneDoes(t *testing.T) {
	var costs []users.Cost
	var lengths []int
	f := newFixture(t, func(opts *users.Options) {
		opts.Password.Cost = users.Cost{}
		opts.Password.Derive = func(password, salt []byte, cost users.Cost) []byte {
			costs = append(costs, cost)
			lengths = append(lengths, len(password), len(salt))
			return make([]byte, 32)
		}
	})
	f.mustSignUp(t, ann())
	known, unknown := annsLogIn(), annsLogIn()
	unknown.Email = "ben@example.org"
	for _, in := range []users.LogIn{known, unknown} {
		_, _ = f.Authenticate(t.Context(), in)
	}
	want := users.Cost{MemoryKiB: 19456, Passes: 2, Lanes: 1}
	if len(costs) != 3 || costs[0] != want || costs[1] != want || costs[2] != want {
		t.Errorf("costs = %v, want %v three times", costs, want)
	}
	if got, want := fmt.Sprint(lengths), fmt.Sprint([]int{27, 16, 27, 16, 27, 16}); got != want {
		t.Errorf("lengths = %s, want %s", got, want)
	}
}

func TestStoredHash(t *testing.T) {
	f := newFixture(t, nil)
	in := ann()
	first := f.mustSignUp(t, in)
	in.Email, in.Pointer = "ben@example.org", "ben"
	second := f.mustSignUp(t, in)
	stored := func(u users.User) string {
		var hash string
		err := f.db.Read.QueryRowContext(t.Context(), "SELECT password_hash FROM users WHERE id = ?", u.ID[:]).Scan(&hash)
		if err != nil {
			t.Fatal(err)
		}
		return hash
	}
	if got := stored(first); !strings.HasPrefix(got, "$argon2id$v=19$m=8,t=1,p=1$") {
		t.Errorf("hash = %s", got)
	}
	if stored(first) == stored(second) {
		t.Error("two people with one password have one hash")
	}
}

func TestADamagedHashIsOurFault(t *testing.T) {
	hashes := []string{
		"", "password", "$2a$10$abc", "$argon2i$v=19$m=8,t=1,p=1$AAAA$AAAA", "$argon2id$v=16$m=8,t=1,p=1$AAAA$AAAA",
		"$argon2id$v=19$m=8,t=0,p=1$AAAAAAAAAAAAAAAAAAAAAA$" + strings.Repeat("A", 43),
		"$argon2id$v=19$m=8,t=1,p=0$AAAAAAAAAAAAAAAAAAAAAA$" + strings.Repeat("A", 43),
		"$argon2id$v=19$m=8,t=1,p=1$AAAA$AAAA", "$argon2id$v=19$m=8,t=1,p=1$!$AAAA", "$argon2id$v=19$m=x$AAAA$AAAA",
	}
	f := newFixture(t, nil)
	user := f.mustSignUp(t, ann())
	for _, hash := range hashes {
		err := f.db.Write(t.Context(), func(tx db.Tx) error {
			_, err := tx.ExecContext(t.Context(), "UPDATE users SET password_hash = ? WHERE id = ?", hash, user.ID[:])
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		in := annsLogIn()
		in.Address = hash
		if _, err := f.Authenticate(t.Context(), in); problem.CodeOf(err) != problem.Internal {
			t.Errorf("%s: err = %v, want an internal one", hash, err)
		}
	}
}

func TestHashesAreBounded(t *testing.T) {
	started, end := make(chan struct{}, 3), make(chan struct{})
	f := newFixture(t, func(opts *users.Options) {
		opts.Password.HashesMax, opts.Password.WaitersMax = 2, 1
		opts.Password.Derive = func(_, _ []byte, _ users.Cost) []byte {
			started <- struct{}{}
			<-end
			return make([]byte, 32)
		}
	})
	var all sync.WaitGroup
	codes := make(chan problem.Code, 4)
	logIn := func() {
		_, err := f.Authenticate(t.Context(), annsLogIn())
		codes <- problem.CodeOf(err)
	}
	for range 2 {
		all.Go(logIn)
		<-started
	}

	ctx, cancel := context.WithCancel(t.Context())
	gaveUp := make(chan error)
	all.Go(func() {
		_, err := f.Authenticate(ctx, annsLogIn())
		gaveUp <- err
	})
	cancel()
	if err := <-gaveUp; !errors.Is(err, context.Canceled) {
		t.Errorf("err = %v, want the context's", err)
	}

	all.Go(logIn) // one of these two waits,
	all.Go(logIn)
	if code := <-codes; code != problem.Unavailable { // the other is sent away
		t.Errorf("code = %s, want unavailable", code)
	}
	if len(started) != 0 {
		t.Error("a third hash was started")
	}
	close(end)
	all.Wait()
	for range 3 {
		if code := <-codes; code != problem.Unauthenticated {
			t.Errorf("code = %s, want unauthenticated", code)
		}
	}
}

func TestAttemptsAreLimitedByEMailAndNetwork(t *testing.T) {
	f := newFixture(t, func(opts *users.Options) {
		opts.Limits.PerEmailAndAddress = limit.Rate{Burst: 3, Every: time.Minute}
	})
	f.mustSignUp(t, ann())
	for _, email := range []string{"ann@example.org", "nobody@example.org"} {
		try := func(password string, i int) error {
			_, err := f.Authenticate(t.Context(), users.LogIn{Email: email, Password: password, Address: fmt.Sprintf("2001:db8::%d", i)})
			return err
		}
		for i := range 3 {
			if err := try("wrong", i); problem.CodeOf(err) != problem.Unauthenticated {
				t.Errorf("%s: attempt %d: %v", email, i, err)
			}
		}
		hashes := f.hashesOf(func() {
			err := try(password, 4)
			if problem.CodeOf(err) != problem.TooMany || problem.MessageOf(err) != "That was tried too often. Please try again in a minute." {
				t.Errorf("%s: err = %v", email, err)
			}
		})
		if hashes != 0 {
			t.Errorf("%s: a refused attempt was hashed", email)
		}
	}
	f.advance(time.Minute)
	if _, err := f.Authenticate(t.Context(), annsLogIn()); err != nil {
		t.Error(err)
	}
}

func TestWrongTriesElsewhereDoNotLockAnybodyOut(t *testing.T) {
	f := newFixture(t, nil)
	f.mustSignUp(t, ann())
	for hour := range 24 { // somebody who tries for a day, as often as they may
		for range 100 {
			_, _ = f.Authenticate(t.Context(), users.LogIn{Email: "ann@example.org", Password: "wrong", Address: "198.51.100.1"})
		}
		if _, err := f.Authenticate(t.Context(), annsLogIn()); err != nil {
			t.Fatalf("after %d hours: %v", hour, err)
		}
		f.advance(time.Hour)
	}
}

func TestAttemptsFromEverywhereAreLimitedByEMail(t *testing.T) {
	f := newFixture(t, func(opts *users.Options) {
		opts.Limits.PerEmail = limit.Rate{Burst: 20, Every: time.Minute}
	})
	try := func(email string, i int) problem.Code {
		_, err := f.Authenticate(t.Context(), users.LogIn{Email: email, Address: fmt.Sprintf("192.0.2.%d", i)})
		return problem.CodeOf(err)
	}
	for i := range 20 {
		if code := try("ann@example.org", i); code != problem.Unauthenticated {
			t.Fatalf("attempt %d: %s", i, code)
		}
	}
	if code := try("ann@example.org", 20); code != problem.TooMany {
		t.Errorf("code = %s, want too_many", code)
	}
	if code := try("ben@example.org", 20); code != problem.Unauthenticated {
		t.Errorf("another e-mail: code = %s, want unauthenticated", code)
	}
}

func TestAttemptsAreLimitedByAddress(t *testing.T) {
	tests := []struct {
		name         string
		first, other string
		same         bool
	}{
		{"one address", "192.0.2.1", "192.0.2.1", true},
		{"mapped", "192.0.2.1", "::ffff:192.0.2.1", true},
		{"two addresses", "192.0.2.1", "192.0.2.2", false},
		{"one IPv6 network", "2001:db8::1", "2001:db8::ffff:0:0:1", true},
		{"two IPv6 networks", "2001:db8::1", "2001:db8:0:1::1", false},
		{"unknown ones", "", "", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := newFixture(t, func(opts *users.Options) {
				opts.Limits.PerAddress = limit.Rate{Burst: 1, Every: time.Hour}
			})
			if _, err := f.Authenticate(t.Context(), users.LogIn{Email: "a", Address: tt.first}); problem.CodeOf(err) != problem.Unauthenticated {
				t.Fatal(err)
			}
			_, err := f.Authenticate(t.Context(), users.LogIn{Email: "b", Address: tt.other})
			if limited := problem.CodeOf(err) == problem.TooMany; limited != tt.same {
				t.Errorf("err = %v, limited: want %t", err, tt.same)
			}
			if tt.same && problem.MessageOf(err) != "That was tried too often. Please try again in 60 minutes." {
				t.Errorf("message = %q", problem.MessageOf(err))
			}
		})
	}
}

func TestASuccessIsNotCounted(t *testing.T) {
	f := newFixture(t, func(opts *users.Options) {
		one := limit.Rate{Burst: 1, Every: time.Hour}
		opts.Limits.PerAddress, opts.Limits.PerEmailAndAddress, opts.Limits.PerEmail = one, one, one
	})
	f.mustSignUp(t, ann())
	for range 3 {
		if _, err := f.Authenticate(t.Context(), annsLogIn()); err != nil {
			t.Error(err)
		}
	}
}

func TestALimitedAddressDoesNotUseUpAnEMail(t *testing.T) {
	f := newFixture(t, func(opts *users.Options) {
		opts.Limits.PerEmail = limit.Rate{Burst: 2, Every: time.Hour}
		opts.Limits.PerAddress = limit.Rate{Burst: 1, Every: time.Hour}
	})
	f.mustSignUp(t, ann())
	for range 10 {
		_, _ = f.Authenticate(t.Context(), users.LogIn{Email: "ann@example.org", Password: "wrong", Address: "198.51.100.1"})
	}
	if _, err := f.Authenticate(t.Context(), annsLogIn()); err != nil {
		t.Error(err)
	}
}

func TestAFloodOfEMailsFreesNobody(t *testing.T) {
	f := newFixture(t, func(opts *users.Options) {
		opts.Limits.PerEmail = limit.Rate{Burst: 3, Every: time.Hour}
		opts.Limits.KeysMax = 5
	})
	try := func(email string) problem.Code {
		_, err := f.Authenticate(t.Context(), users.LogIn{Email: email, Address: email})
		return problem.CodeOf(err)
	}
	for range 3 {
		try("ann@example.org")
	}
	for i := range 100 {
		if code := try(fmt.Sprint(i)); code != problem.Unauthenticated {
			t.Fatalf("the %dth e-mail: %s", i, code)
		}
	}
	if code := try("ann@example.org"); code != problem.TooMany {
		t.Errorf("code = %s, want too_many", code)
	}
}

func TestAHashLikeTheDummyIsNobodys(t *testing.T) {
	f := newFixture(t, func(opts *users.Options) {
		opts.Password.Derive = func(_, _ []byte, _ users.Cost) []byte { return make([]byte, 32) }
	})
	f.mustSignUp(t, ann())
	for _, in := range []users.LogIn{{Email: "ben@example.org"}, {Email: "ann@example.org", Password: strings.Repeat("x", 201)}} {
		if user, err := f.Authenticate(t.Context(), in); problem.CodeOf(err) != problem.Unauthenticated {
			t.Errorf("%s: %v, %v", in.Email, user, err)
		}
	}
}

// TestNoBurstExceedsTheLimit tries at random times: in any stretch of time no
// more attempts pass than Burst and one for each Every of it.
func TestNoBurstExceedsTheLimit(t *testing.T) {
	const burst, every = 3, time.Minute
	f := newFixture(t, func(opts *users.Options) {
		opts.Limits.PerEmail = limit.Rate{Burst: burst, Every: every}
		opts.Limits.PerAddress = limit.Rate{Burst: 1 << 20, Every: time.Nanosecond}
	})
	run := 0
	rapid.Check(t, func(t *rapid.T) {
		run++
		email := fmt.Sprint(run)
		var passed []time.Time
		for range rapid.IntRange(1, 30).Draw(t, "attempts") {
			f.advance(time.Duration(rapid.IntRange(0, 90).Draw(t, "seconds")) * time.Second)
			_, err := f.Authenticate(context.Background(), users.LogIn{Email: email})
			if problem.CodeOf(err) == problem.Unauthenticated {
				passed = append(passed, f.clock())
			}
		}
		for i, from := range passed {
			for j := i + 1; j < len(passed); j++ {
				if allowed := burst + int(passed[j].Sub(from)/every); j-i+1 > allowed {
					t.Fatalf("%d attempts passed in %s, allowed are %d", j-i+1, passed[j].Sub(from), allowed)
				}
			}
		}
		if len(passed) == 0 {
			t.Fatal("no attempt passed")
		}
	})
}
