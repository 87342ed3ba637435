package users_test

import (
	"context"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pochi/app/accounts"
	"pochi/app/problem"
	"pochi/app/users"
	"pochi/db"
	"pochi/ledger"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"golang.org/x/crypto/argon2"
)

const password = "tangled fjord umbrella nine"

// fixture is a service on a database, a ledger and accounts of its own.
type fixture struct {
	*users.Service
	db     *db.DB
	ledger *ledger.Ledger
	hashes atomic.Int32 // computed so far

	mu  sync.Mutex
	now time.Time
}

func newFixture(t *testing.T, change func(*users.Options)) *fixture {
	t.Helper()
	d, err := db.Open(t.Context(), db.Options{URL: "sqlite:" + filepath.Join(t.TempDir(), "pochi.db")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	f := &fixture{db: d, now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
	if f.ledger, err = ledger.Open(t.Context(), d); err != nil {
		t.Fatal(err)
	}
	usd := ledger.Asset{Code: "USD", Scale: 2}
	if _, err := f.ledger.OpenAsset(t.Context(), usd, 0); err != nil {
		t.Fatal(err)
	}
	opts := users.Options{Now: f.clock, Password: users.PasswordOptions{
		Cost: users.Cost{MemoryKiB: 8, Passes: 1, Lanes: 1},
		Derive: func(password, salt []byte, cost users.Cost) []byte {
			f.hashes.Add(1)
			return argon2.IDKey(password, salt, cost.Passes, cost.MemoryKiB, cost.Lanes, 32)
		},
	}}
	if change != nil {
		change(&opts)
	}
	f.Service = users.New(d, f.ledger, accounts.New(d, f.ledger, []ledger.Asset{usd}, f.clock), opts)
	return f
}

func (f *fixture) clock() time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.now
}

func (f *fixture) advance(d time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.now = f.now.Add(d)
}

func (f *fixture) count(t *testing.T, table string) int {
	t.Helper()
	var n int
	if err := f.db.Read.QueryRowContext(t.Context(), "SELECT count(*) FROM "+table).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// hashesOf returns how many hashes a call computes.
func (f *fixture) hashesOf(call func()) int {
	before := f.hashes.Load()
	call()
	return int(f.hashes.Load() - before)
}

func ann() users.SignUp {
	return users.SignUp{Name: "Ann", Email: "ann@example.org", Password: password, Pointer: "ann", Currency: "USD", Address: "192.0.2.1"}
}

func annsLogIn() users.LogIn {
	return users.LogIn{Email: "ann@example.org", Password: password, Address: "192.0.2.1"}
}

func (f *fixture) mustSignUp(t *testing.T, in users.SignUp) users.User {
	t.Helper()
	user, err := f.SignUp(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	return user
}

func TestSignUpMakesPersonAccountAndPointer(t *testing.T) {
	f := newFixture(t, nil)
	in := ann()
	in.Name, in.Email = "  Ann Ωmega ", " Ann@Example.ORG "
	user := f.mustSignUp(t, in)
	want := users.User{ID: user.ID, Email: "ann@example.org", Name: "Ann Ωmega", CreatedAt: f.now}
	if diff := cmp.Diff(want, user); diff != "" {
		t.Error(diff)
	}
	found, err := f.Find(t.Context(), user.ID)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, found); diff != "" {
		t.Error(diff)
	}
	if user.ID.Version() != 7 {
		t.Errorf("id %s isn't time-ordered", user.ID)
	}
	var owner uuid.UUID
	err = f.db.Read.QueryRowContext(t.Context(),
		"SELECT p.user_id FROM pointers p JOIN wallet_accounts w ON w.id = p.account_id WHERE p.name = 'ann'").Scan(&owner)
	if err != nil || owner != user.ID {
		t.Errorf("the pointer is %s's, %v", owner, err)
	}
}

func TestFindUnknownPerson(t *testing.T) {
	if _, err := newFixture(t, nil).Find(t.Context(), uuid.New()); problem.CodeOf(err) != problem.NotFound {
		t.Errorf("err = %v, want not_found", err)
	}
}

func TestLogIn(t *testing.T) {
	f := newFixture(t, nil)
	want := f.mustSignUp(t, ann())
	in := annsLogIn()
	in.Email = " ANN@example.org"
	got, err := f.Authenticate(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestOneEMailHoweverItIsTyped(t *testing.T) {
	for _, typed := range []string{
		"ＡＮＮ＠ｅｘａｍｐｌｅ．ｏｒｇ", "\u3000ann@example.org\u3000", "ann@ｅｘａｍｐｌｅ.org", "𝐚𝐧𝐧@example.org",
	} {
		f := newFixture(t, nil)
		f.mustSignUp(t, ann())
		in := ann()
		in.Email, in.Pointer = typed, "ann2"
		if _, err := f.SignUp(t.Context(), in); problem.Fields(err)["email"] == "" || len(problem.Fields(err)) != 1 {
			t.Errorf("%s signs up again: %v", typed, err)
		}
		login := annsLogIn()
		login.Email = typed
		if _, err := f.Authenticate(t.Context(), login); err != nil {
			t.Errorf("%s logs in: %v", typed, err)
		}
	}
}

func TestAnyUnicodePassword(t *testing.T) {
	f := newFixture(t, nil)
	in, login := ann(), annsLogIn()
	in.Password = "  пароль 🦒\x00 ẞ \t四月はまだ寒い "
	login.Password = in.Password
	f.mustSignUp(t, in)
	if _, err := f.Authenticate(t.Context(), login); err != nil {
		t.Error(err)
	}
	login.Password = login.Password[1:] // a space is part of it
	if _, err := f.Authenticate(t.Context(), login); problem.CodeOf(err) != problem.Unauthenticated {
		t.Errorf("err = %v, want unauthenticated", err)
	}
}

// brokenOpener fails in one of its two steps.
type brokenOpener struct{ prepare, rows error }

func (o brokenOpener) Opening(context.Context, uuid.UUID, string, string) (ledger.Chain, func(db.Tx) error, error) {
	return nil, func(db.Tx) error { return o.rows }, o.prepare
}
