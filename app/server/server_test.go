package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"pochi/app/config"
	"pochi/app/rates"
	"pochi/db"

	"github.com/google/go-cmp/cmp"
)

// addressesTaken are all that freeAddress has returned.
var addressesTaken sync.Map

// freeAddress returns a loopback address that nobody listens on. Its port lies below
// those that a system gives to connections, which could take it until it is used.
func freeAddress(t *testing.T) string {
	t.Helper()
	const first, count = 12000, 18000
	for range 100 {
		address := fmt.Sprintf("127.0.0.1:%d", first+rand.IntN(count))
		if _, taken := addressesTaken.LoadOrStore(address, true); taken {
			continue
		}
		if l, err := net.Listen("tcp", address); err == nil {
			l.Close()
			return address
		}
	}
	t.Fatal("no free address")
	return ""
}

func configure(t *testing.T, variables map[string]string) config.Config {
	t.Helper()
	for name, value := range map[string]string{
		"POCHI_DATA": t.TempDir(), "POCHI_LISTEN": freeAddress(t), "POCHI_ILP_LISTEN": freeAddress(t), "POCHI_OPS_LISTEN": freeAddress(t),
		"POCHI_HYDRA_ADMIN_URL": "http://127.0.0.1:1",
	} {
		if variables[name] == "" {
			variables[name] = value
		}
	}
	cfg, err := config.Load(func(name string) string { return variables[name] })
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

// A browser opens connections in advance and sends nothing on them: stopping
// is in order all the same.
func TestStopsWithConnectionsOpen(t *testing.T) {
	cfg := configure(t, map[string]string{})
	ctx, stop := context.WithCancel(context.Background())
	ready, ended := make(chan struct{}), make(chan error, 1)
	go func() { ended <- Run(ctx, cfg, slog.New(slog.DiscardHandler), func() { close(ready) }) }()
	<-ready
	for _, sent := range []string{"", "GET / HTTP/1.1\r\nHost: x\r\n"} {
		c, err := net.Dial("tcp", cfg.Listen)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if _, err := c.Write([]byte(sent)); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := http.Get("http://" + cfg.OpsListen + "/healthz"); err != nil || got.StatusCode != http.StatusOK {
		t.Errorf("health: %v, %v", got, err)
	}
	stop()
	if err := <-ended; err != nil {
		t.Errorf("it ended with %v", err)
	}
}

func TestRefusesToStart(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	for name, cfg := range map[string]config.Config{
		"POCHI_LISTEN":     configure(t, map[string]string{"POCHI_LISTEN": taken.Addr().String()}),
		"POCHI_OPS_LISTEN": configure(t, map[string]string{"POCHI_OPS_LISTEN": taken.Addr().String()}),
		"POCHI_DATA":       inUse(t),
	} {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		err := Run(ctx, cfg, slog.New(slog.DiscardHandler), nil)
		cancel()
		if err == nil || !strings.Contains(err.Error(), name) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%v, want one line that names %s", err, name)
		}
	}
}

// A wallet whose socket can't be made leaves nothing behind.
func TestFolderWithTooLongAPath(t *testing.T) {
	data := filepath.Join(t.TempDir(), strings.Repeat("long", 30))
	err := Run(t.Context(), configure(t, map[string]string{"POCHI_DATA": data}), slog.New(slog.DiscardHandler), nil)
	if err == nil || !strings.Contains(err.Error(), "POCHI_DATA="+data) {
		t.Errorf("%v", err)
	}
	if _, err := os.Lstat(data); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("it made the folder: %v", err)
	}
}

// Whoever starts the wallet is told once what waits for their decision.
func TestStartSaysWhatIsUnsettled(t *testing.T) {
	for _, unsettled := range []bool{false, true} {
		cfg := configure(t, map[string]string{})
		d, err := db.Open(t.Context(), db.Options{URL: cfg.DB})
		if err != nil {
			t.Fatal(err)
		}
		defer d.Close()
		if unsettled {
			err = d.Write(t.Context(), func(tx db.Tx) error {
				_, err := tx.ExecContext(t.Context(), `INSERT INTO assets (code, scale) VALUES ('USD', 2);
					INSERT INTO accounts (n, id, ledger, code, debit_limit, debits_pending, debits_posted, credits_pending, credits_posted, user_data, closed)
						VALUES (1, randomblob(16), 1, 1, 0, 0, 0, 0, 0, zeroblob(16), 0);
					INSERT INTO suspense (n, reference, bearer, counterparty, amount, batch, together, state) VALUES (1, zeroblob(16), 1, 1, 5, 1, 1, 0), (2, zeroblob(16), 1, 1, 5, 1, 1, 1);
					INSERT INTO peers VALUES (zeroblob(16), 'bob', 'test.bob', '', '', 0, '', 0, 0, 0, 0, 0, 0, 0, NULL);
					INSERT INTO peer_doubts (peer, reference, packets, amount, first_at, last_at, cause, state, resolved_at)
						VALUES (zeroblob(16), zeroblob(16), 2, 5, 0, 0, '', 0, NULL), (zeroblob(16), zeroblob(16), 2, 5, 0, 0, '', 1, 0)`)
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		var text strings.Builder
		if err := warnOfUnsettled(t.Context(), d, slog.New(slog.NewTextHandler(&text, nil))); err != nil {
			t.Error(err)
		}
		if said := strings.Contains(text.String(), "level=WARN") && strings.Contains(text.String(), "suspense_items=1 payments_to_review=0 doubts=1"); said != unsettled || !unsettled && text.Len() > 0 {
			t.Errorf("unsettled %t: %q", unsettled, &text)
		}
	}
}

// inUse is the configuration of a wallet that runs already.
func inUse(t *testing.T) config.Config {
	t.Helper()
	cfg := configure(t, map[string]string{})
	d, err := db.Open(context.Background(), db.Options{URL: cfg.DB})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return cfg
}

// agesAre is the rates that are too old.
type agesAre []rates.Rate

func (a agesAre) TooOld() []rates.Rate { return a }

type hydraIs func(ctx context.Context) error

func (h hydraIs) Ready(ctx context.Context) error { return h(ctx) }

func TestHealth(t *testing.T) {
	up := hydraIs(func(context.Context) error { return nil })
	refuses := hydraIs(func(context.Context) error { return errors.New("connection refused") })
	hangs := hydraIs(func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() })
	for name, test := range map[string]struct {
		hydra  hydraReady
		rates  agesAre
		closed bool
		status int
		want   healthAnswer
	}{
		"all is well":    {up, nil, false, 200, healthAnswer{"ok", "ok", "ok", "ok", ""}},
		"Hydra refuses":  {refuses, nil, false, 200, healthAnswer{"degraded", "ok", "unreachable", "ok", ""}},
		"Hydra hangs":    {hangs, nil, false, 200, healthAnswer{"degraded", "ok", "unreachable", "ok", ""}},
		"rates too old":  {up, agesAre{{Renew: "USD EUR"}, {Renew: "USD GBP"}}, false, 200, healthAnswer{"degraded", "ok", "ok", "stale", "USD EUR, USD GBP"}},
		"database ended": {up, nil, true, 503, healthAnswer{"down", "down", "ok", "ok", ""}},
	} {
		t.Run(name, func(t *testing.T) {
			d, err := db.Open(context.Background(), db.Options{URL: configure(t, map[string]string{}).DB})
			if err != nil {
				t.Fatal(err)
			}
			if test.closed {
				d.Close()
			} else {
				defer d.Close()
			}
			recorder := httptest.NewRecorder()
			health{d, test.hydra, test.rates}.ServeHTTP(recorder, httptest.NewRequest(http.MethodGet, "/healthz", nil))
			var got healthAnswer
			if err := json.Unmarshal(recorder.Body.Bytes(), &got); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, got); diff != "" || recorder.Code != test.status {
				t.Errorf("status %d: %s", recorder.Code, diff)
			}
		})
	}
}
