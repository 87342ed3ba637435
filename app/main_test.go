package main

import (
	"bytes"
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
		want string // in the error; none when empty
	}{
		{nil, ""},
		{[]string{"help"}, ""},
		{[]string{"serv"}, `unknown command "serv"`},
		{[]string{"serve", "x"}, "serve takes no arguments"},
		{[]string{"help", "serve"}, "help takes no arguments"},
	} {
		var out bytes.Buffer
		err := run(t.Context(), test.args, &out)
		if test.want != "" {
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%q: error %v, want %q", test.args, err, test.want)
			}
			continue
		}
		if err != nil || !strings.Contains(out.String(), config.Table()) || !strings.Contains(out.String(), "POCHI_HYDRA_SECRET") {
			t.Errorf("%q: error %v, or a text without every variable", test.args, err)
		}
	}
}

func TestPreflight(t *testing.T) {
	variables := map[string]string{
		"POCHI_DATA": t.TempDir(), "POCHI_LISTEN": "127.0.0.1:0", "POCHI_OPS_LISTEN": "127.0.0.1:0",
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
	if err := preflight(t.Context(), cfg); err == nil || !strings.Contains(err.Error(), "POCHI_DATA") {
		t.Errorf("beside another wallet: %v, want an error that names POCHI_DATA", err)
	}
}
