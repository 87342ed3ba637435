package users_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"pochi/app/limit"
	"pochi/app/problem"
	"pochi/app/users"

	"github.com/google/go-cmp/cmp"
)

func TestSignUpTellsEverythingAtOnce(t *testing.T) {
	f := newFixture(t, nil)
	f.mustSignUp(t, ann())
	hashes := f.hashesOf(func() {
		_, err := f.SignUp(t.Context(), users.SignUp{Email: "ann@example.org", Password: "short", Pointer: "ann", Currency: "XXX"})
		want := map[string]string{
			"name":     "Enter your name: people see it when they pay you.",
			"email":    "Somebody has signed up with this e-mail already. Log in instead.",
			"password": "Use at least 10 characters.",
			"pointer":  "Somebody has this name already. Try another.",
			"currency": "Choose one of the currencies.",
		}
		if diff := cmp.Diff(want, problem.Fields(err)); diff != "" {
			t.Error(diff)
		}
	})
	if hashes != 0 || f.count(t, "users") != 1 {
		t.Errorf("%d hashes, %d people", hashes, f.count(t, "users"))
	}
}

func TestSignUpFields(t *testing.T) {
	long := strings.Repeat("a", 64) + "@" + strings.Repeat(strings.Repeat("b", 61)+".", 3)
	tests := []struct {
		name   string
		change func(*users.SignUp)
		field  string // "" when nothing is wrong
	}{
		{"as it is", func(*users.SignUp) {}, ""},

		{"name of 60 runes", func(in *users.SignUp) { in.Name = strings.Repeat("ş", 60) }, ""},
		{"name of 61 runes", func(in *users.SignUp) { in.Name = strings.Repeat("ş", 61) }, "name"},
		{"name of spaces", func(in *users.SignUp) { in.Name = " \t\u3000" }, "name"},
		{"name of one sign", func(in *users.SignUp) { in.Name = "🦒" }, ""},
		{"name with joiners", func(in *users.SignUp) { in.Name = "علی\u200cرضا 👩\u200d🚀" }, ""},
		{"name with an ideographic space", func(in *users.SignUp) { in.Name = "山田\u3000太郎" }, ""},
		{"name of joiners", func(in *users.SignUp) { in.Name = "\u200d\u200d" }, "name"},
		{"name of fillers", func(in *users.SignUp) { in.Name = "\u3164 \u3164" }, "name"},
		{"name with a line break", func(in *users.SignUp) { in.Name = "Ann\nBen" }, "name"},
		{"name with NUL", func(in *users.SignUp) { in.Name = "Ann\x00" }, "name"},
		{"name with a bidi override", func(in *users.SignUp) { in.Name = "Ann\u202enneB" }, "name"},
		{"name with a bidi isolate", func(in *users.SignUp) { in.Name = "Ann\u2066" }, "name"},
		{"name with a line separator", func(in *users.SignUp) { in.Name = "Ann\u2028Ben" }, "name"},
		{"name that isn't UTF-8", func(in *users.SignUp) { in.Name = "Ann\xff" }, "name"},

		{"name of a mark", func(in *users.SignUp) { in.Name = "\u034f" }, "name"},
		{"the wallet's name", func(in *users.SignUp) { in.Name = "Pochi Support" }, "name"},
		{"the name of an office", func(in *users.SignUp) { in.Name = "Support team" }, "name"},

		{"no e-mail", func(in *users.SignUp) { in.Email = "" }, "email"},
		{"e-mail without host", func(in *users.SignUp) { in.Email = "ann@" }, "email"},
		{"e-mail without dot", func(in *users.SignUp) { in.Email = "ann@example" }, "email"},
		{"e-mail of localhost", func(in *users.SignUp) { in.Email = "ann@localhost" }, ""},
		{"e-mail with a plus", func(in *users.SignUp) { in.Email = "ann+wallet@mail.example.org" }, ""},
		{"e-mail of an IDN", func(in *users.SignUp) { in.Email = "ann@bücher.example" }, ""},
		{"e-mail with a name", func(in *users.SignUp) { in.Email = "Ann <ann@example.org>" }, "email"},
		{"two e-mails", func(in *users.SignUp) { in.Email = "ann@example.org, ben@example.org" }, "email"},
		{"e-mail with a quoted part", func(in *users.SignUp) { in.Email = `"ann b"@example.org` }, "email"},
		{"e-mail with a comment", func(in *users.SignUp) { in.Email = "ann@example.org(x)" }, "email"},
		{"e-mail at an IP address", func(in *users.SignUp) { in.Email = "ann@127.0.0.1" }, "email"},
		{"e-mail at a literal", func(in *users.SignUp) { in.Email = "ann@[127.0.0.1]" }, "email"},
		{"e-mail with empty labels", func(in *users.SignUp) { in.Email = "ann@example..org" }, "email"},
		{"e-mail with a final dot", func(in *users.SignUp) { in.Email = "ann@example.org." }, "email"},
		{"e-mail with a hyphen at the edge", func(in *users.SignUp) { in.Email = "ann@-example.org" }, "email"},
		{"e-mail with a header", func(in *users.SignUp) { in.Email = "ann@example.org\r\nBcc: ben@example.org" }, "email"},
		{"e-mail with an override", func(in *users.SignUp) { in.Email = "ann\u202e@example.org" }, "email"},
		{"e-mail that isn't UTF-8", func(in *users.SignUp) { in.Email = "ann\xff@example.org" }, "email"},
		{"e-mail of 254 bytes", func(in *users.SignUp) { in.Email = long + "org" }, ""},
		{"e-mail of 255 bytes", func(in *users.SignUp) { in.Email = long + "info" }, "email"},
		{"e-mail with a long first part", func(in *users.SignUp) { in.Email = strings.Repeat("a", 65) + "@example.org" }, "email"},

		{"password of 9", func(in *users.SignUp) { in.Password = "x7#Qm!p2K" }, "password"},
		{"password of 10", func(in *users.SignUp) { in.Password = "x7#Qm!p2Kv" }, ""},
		{"password of 200 runes", func(in *users.SignUp) { in.Password = "x7#Qm!p2Kv" + strings.Repeat("ä", 190) }, ""},
		{"password of 201 runes", func(in *users.SignUp) { in.Password = "x7#Qm!p2Kv" + strings.Repeat("ä", 191) }, "password"},
		{"common password", func(in *users.SignUp) { in.Password = "password123" }, "password"},
		{"common password, spelled", func(in *users.SignUp) { in.Password = "P@$$w0rd|234" }, "password"},
		{"keyboard", func(in *users.SignUp) { in.Password = "qwertyuiop" }, "password"},
		{"digits", func(in *users.SignUp) { in.Password = "1234567890" }, "password"},
		{"one letter", func(in *users.SignUp) { in.Password = "日日日日日日日日日日" }, "password"},
		{"repeated", func(in *users.SignUp) { in.Password = strings.Repeat("0Я", 100) }, "password"},
		{"the wallet's name twice", func(in *users.SignUp) { in.Password = "pochipochi1" }, "password"},
		{"their e-mail", func(in *users.SignUp) { in.Password, in.Email = "zwxq.vkjh@example.org", "zwxq.vkjh@example.org" }, "password"},
		{"their name", func(in *users.SignUp) { in.Password, in.Name = "Zwxqvkjh Brplt", "Zwxqvkjh Brplt" }, "password"},
		{"their pointer", func(in *users.SignUp) { in.Password, in.Pointer = "zwxqvkjhbr1", "zwxqvkjhbr" }, "password"},

		{"pointer", func(in *users.SignUp) { in.Pointer = "-" }, "pointer"},
		{"currency", func(in *users.SignUp) { in.Currency = "" }, "currency"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := newFixture(t, nil)
			in := ann()
			tt.change(&in)
			_, err := f.SignUp(t.Context(), in)
			fields := problem.Fields(err)
			if tt.field == "" && err != nil {
				t.Fatal(err)
			}
			if _, found := fields[tt.field]; tt.field != "" && (!found || len(fields) != 1) {
				t.Errorf("wrong: %v (%v), want only %s", fields, err, tt.field)
			}
		})
	}
}

func TestScoringAHostilePasswordIsBounded(t *testing.T) {
	f := newFixture(t, nil)
	in := ann()
	in.Password = strings.Repeat("4@8({[<3691!|105$7+%2", 9) // made for zxcvbn's own matcher: hours
	f.mustSignUp(t, in)
}

func TestTakenWhileSigningUp(t *testing.T) {
	tests := []struct {
		name   string
		change func(in *users.SignUp, i int)
		field  string
	}{
		{"the same e-mail", func(in *users.SignUp, i int) { in.Pointer = fmt.Sprintf("ann%d", i) }, "email"},
		{"the same pointer", func(in *users.SignUp, i int) { in.Email = fmt.Sprintf("ann%d@example.org", i) }, "pointer"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			const people = 5
			var hashing sync.WaitGroup // until everybody has passed the checks before the hash
			hashing.Add(people)
			f := newFixture(t, func(opts *users.Options) {
				opts.Password.HashesMax = people
				opts.Password.Derive = func(_, _ []byte, _ users.Cost) []byte {
					hashing.Done()
					hashing.Wait()
					return make([]byte, 32)
				}
			})
			errs := make([]error, people)
			var all sync.WaitGroup
			for i := range people {
				all.Go(func() {
					in := ann()
					tt.change(&in, i)
					_, errs[i] = f.SignUp(t.Context(), in)
				})
			}
			all.Wait()
			won := 0
			for _, err := range errs {
				if err == nil {
					won++
				} else if fields := problem.Fields(err); len(fields) != 1 || fields[tt.field] == "" {
					t.Errorf("wrong: %v (%v), want only %s", fields, err, tt.field)
				}
			}
			if won != 1 || f.count(t, "users") != 1 || f.count(t, "pointers") != 1 || f.count(t, "wallet_accounts") != 1 {
				t.Errorf("%d won; %d people, %d pointers, %d accounts", won,
					f.count(t, "users"), f.count(t, "pointers"), f.count(t, "wallet_accounts"))
			}
		})
	}
}

func TestABrokenOpenerLeavesNobodyBehind(t *testing.T) {
	broken := errors.New("disk on fire")
	for _, opener := range []brokenOpener{{prepare: broken}, {rows: broken}} {
		f := newFixture(t, nil)
		service := users.New(f.db, f.ledger, opener, users.Options{})
		_, err := service.SignUp(t.Context(), ann())
		if !errors.Is(err, broken) || problem.CodeOf(err) != problem.Internal {
			t.Errorf("err = %v, want %v as internal", err, broken)
		}
		if f.count(t, "users") != 0 {
			t.Error("there is a person")
		}
	}
}

func TestSignUpsAreLimitedByAddress(t *testing.T) {
	f := newFixture(t, func(opts *users.Options) {
		opts.Limits.SignUps = limit.Rate{Burst: 2, Every: time.Minute}
	})
	from := func(address string) problem.Code {
		_, err := f.SignUp(t.Context(), users.SignUp{Address: address})
		return problem.CodeOf(err)
	}
	got := []problem.Code{from("192.0.2.1"), from("192.0.2.1"), from("192.0.2.1"), from("192.0.2.2")}
	f.advance(time.Minute)
	got = append(got, from("192.0.2.1"))
	want := []problem.Code{problem.Invalid, problem.Invalid, problem.TooMany, problem.Invalid, problem.Invalid}
	if !slices.Equal(got, want) {
		t.Errorf("codes %v, want %v", got, want)
	}
}
