package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"pochi/app/config"
	"pochi/db"

	"github.com/google/go-cmp/cmp"
)

func TestURLIsAnnouncedOnceHydraAnswers(t *testing.T) {
	for _, test := range []struct {
		name     string
		failures int64 // before Hydra is ready
		want     string
	}{
		{"Hydra soon", 2, "Ready: http://wallet.test (Ctrl-C stops it)\n"},
		{"Hydra late", hydraTries, "http://wallet.test serves without Ory Hydra, which doesn't answer at HYDRA: no app can be connected\n" +
			"Ready: http://wallet.test (Ctrl-C stops it)\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var asked atomic.Int64
			hydra := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if asked.Add(1) <= test.failures {
					w.WriteHeader(http.StatusServiceUnavailable)
				}
			}))
			defer hydra.Close()
			var out bytes.Buffer
			announce(t.Context(), config.Config{PublicURL: "http://wallet.test", HydraAdminURL: hydra.URL}, &out, time.Millisecond)
			if diff := cmp.Diff(test.want, strings.ReplaceAll(out.String(), hydra.URL, "HYDRA")); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestCommandLine(t *testing.T) {
	for _, test := range []struct {
		args []string
		want string // in the error
	}{
		{[]string{"serv"}, `unexpected argument serv, did you mean "serve"?; pochi help lists the commands`},
		{[]string{"serve", "x"}, "unexpected argument x; pochi help serve says more"},
		{[]string{"help", "serv"}, "unexpected argument serv"},
		{[]string{"admin"}, `expected one of "suspense", "payment"`},
		{[]string{"admin", "suspense", "pay", "x"}, `<item>: expected a valid 64 bit int but got "x"`},
		{[]string{"admin", "payment", "return", "x"}, `<id>: "x" is no id`},
		{[]string{"admin", "peer", "doubts", "bob", "--accept", "x"}, `--accept: "x" is no id`},
		{[]string{"admin", "rate", "set", "USD", "EUR", "1", "--valid", "soon"}, `--valid: "soon" is no length of time such as 24h or 90m; pochi help`},
		{[]string{"admin", "client", "add", "Office"}, "missing flags: --scopes=SCOPE,...;"},
		{[]string{"admin", "payment", "list", "--state", "lost"}, `"lost" is no state: it must be sending, needs_review, completed or failed`},
		{[]string{"admin", "payment", "list", "--state="}, `"" is no state`},
		{[]string{"admin", "payment", "list", "--state", "sending,"}, `"" is no state`},
		{[]string{"admin", "suspense", "pay", "-1"}, "-1: a number can't be negative; pochi help admin suspense pay says more"},
		{[]string{"help", "admin", "nonsense"}, "unexpected argument nonsense; the commands of admin are: suspense, payment"},
		{[]string{"help", "admin", "suspense", "nonsense"}, "the commands of admin suspense are: list, release, pay"},
		{[]string{"backup"}, `expected "<file>"`},
		{[]string{"backup", ""}, "the backup's file has no name"},
	} {
		var out bytes.Buffer
		if err := run(t.Context(), test.args, &out); err == nil || !strings.Contains(err.Error(), test.want) || out.Len() > 0 {
			t.Errorf("%q: error %v, want %q; it prints %q", test.args, err, test.want, &out)
		}
	}
}

func TestHelp(t *testing.T) {
	for _, args := range [][]string{nil, {"help"}, {"--help"}, {"-h"}} {
		var out bytes.Buffer
		err := run(t.Context(), args, &out)
		for _, want := range []string{config.Table(), "POCHI_HYDRA_SECRET", "admin suspense release", "backup"} {
			if err != nil || !strings.Contains(out.String(), want) {
				t.Errorf("%q: error %v, or a text without %q", args, err, want)
			}
		}
	}
	for _, args := range [][]string{{"help", "admin", "suspense", "pay"}, {"admin", "suspense", "pay", "--help"}} {
		var out bytes.Buffer
		if err := run(t.Context(), args, &out); err != nil || !strings.Contains(out.String(), "Usage: pochi admin suspense pay <item>") {
			t.Errorf("%q: error %v, prints %q", args, err, &out)
		}
	}
}

func TestUnknownVariablesAreRefused(t *testing.T) {
	t.Setenv("POCHI_LISTNE", "127.0.0.1:1")
	for _, command := range []string{"serve", "check", "backup x", "restore x", "admin suspense list", "admin suspense pay 1"} {
		if err := run(t.Context(), strings.Fields(command), io.Discard); err == nil || !strings.Contains(err.Error(), "POCHI_LISTNE") {
			t.Errorf("%s: %v", command, err)
		}
	}
}

func TestPreflight(t *testing.T) {
	variables := map[string]string{
		"POCHI_DATA": t.TempDir(), "POCHI_LISTEN": "127.0.0.1:0", "POCHI_ILP_LISTEN": "127.0.0.1:0", "POCHI_OPS_LISTEN": "127.0.0.1:0",
	}
	cfg, err := config.Load(func(name string) string { return variables[name] })
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // it leaves nothing behind that keeps the next one from starting
		if err := preflight(t.Context(), cfg); err != nil {
			t.Error(err)
		}
	}
	other, err := db.Open(t.Context(), db.Options{URL: cfg.DB, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	hasty, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	err = preflight(hasty, cfg)
	if !errors.Is(err, db.ErrLocked) || !strings.Contains(err.Error(), "POCHI_DATA") || !strings.Contains(err.Error(), "another wallet or admin command") {
		t.Errorf("beside another wallet: %v, want an error that names POCHI_DATA", err)
	}
	time.AfterFunc(100*time.Millisecond, func() { other.Close() }) // as an admin command that ends
	if err := preflight(t.Context(), cfg); err != nil {
		t.Errorf("while an admin command ends: %v", err)
	}
}
