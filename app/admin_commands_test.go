package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"pochi/app/admin"
	"pochi/app/config"
	"pochi/app/problem"
	"pochi/app/server"
	"pochi/db"
	"pochi/ledger"

	"github.com/google/uuid"
)

// beProgram makes the test's binary the program itself.
const beProgram = "BE_POCHI"

func TestMain(m *testing.M) {
	if os.Getenv(beProgram) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// newData configures a wallet with a folder of its own, and returns the folder.
// Its path is short, as a socket's must be.
func newData(t *testing.T) string {
	t.Helper()
	data, err := os.MkdirTemp("", "pochi")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(data) })
	for name, value := range map[string]string{
		"POCHI_DATA": data, "POCHI_LISTEN": "127.0.0.1:0", "POCHI_ILP_LISTEN": "127.0.0.1:0", "POCHI_OPS_LISTEN": "127.0.0.1:0", "POCHI_HYDRA_ADMIN_URL": "http://127.0.0.1:1",
	} {
		t.Setenv(name, value)
	}
	return data
}

func newConfig(t *testing.T) config.Config {
	t.Helper()
	cfg, err := config.Load(os.Getenv)
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

// pochi runs a command.
func pochi(t *testing.T, args ...string) (string, error) {
	t.Helper()
	var out bytes.Buffer
	err := run(t.Context(), args, &out)
	return out.String(), err
}

// objects reads what a command printed, a JSON object a line.
func objects[T any](t *testing.T, text string, err error) (all []T) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(text) {
		var one T
		decoder := json.NewDecoder(strings.NewReader(line))
		decoder.DisallowUnknownFields()
		if err := decoder.Decode(&one); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		all = append(all, one)
	}
	return all
}

// open opens the database of the configured wallet, and its ledger.
func open(t *testing.T, do func(d *db.DB, l *ledger.Ledger)) {
	t.Helper()
	d, err := db.Open(t.Context(), db.Options{URL: newConfig(t).DB})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	}()
	l, err := ledger.Open(t.Context(), d)
	if err != nil {
		t.Fatal(err)
	}
	do(d, l)
}

// crash leaves a wallet that died while it sent a payment of 10.00 USD of
// Ann's: 2.50 USD were on their way to another node. It returns the payment.
func crash(t *testing.T) (payment uuid.UUID) {
	t.Helper()
	usd := ledger.Asset{Code: "USD", Scale: 2}
	ids := make([]uuid.UUID, 5)
	for i := range ids {
		ids[i] = uuid.Must(uuid.NewV7())
	}
	user, account, peer, deposit, payment := ids[0], ids[1], ids[2], ids[3], ids[4]
	open(t, func(_ *db.DB, l *ledger.Ledger) {
		number, err := l.OpenAsset(t.Context(), usd, 0)
		if err != nil {
			t.Fatal(err)
		}
		outgoing := ledger.HouseAccount(usd, ledger.CodeOutgoing)
		err = l.Submit(t.Context(), ledger.Chain{
			ledger.OpenAccount{ID: account, Ledger: number, Code: ledger.CodePerson},
			ledger.OpenAccount{ID: peer, Ledger: number, Code: ledger.CodePeer},
			ledger.Transfer{ID: deposit, Debit: ledger.HouseAccount(usd, ledger.CodeEquity), Credit: account, Amount: 1500, Reference: deposit},
			ledger.OpenHold{Reference: payment, Debit: account, Credit: outgoing, Amount: 1000},
			ledger.Take{Reference: payment, Debit: account, Credit: outgoing, Toward: peer, Amount: 250},
		}, func(tx db.Tx) error {
			return insertAll(t.Context(), tx, []row{
				{`INSERT INTO peers (id, name, ilp_address, outgoing_url, outgoing_token, async, callback_url, max_packet, rate_limit, throughput,
					max_in_flight_value, max_in_flight_count, default_route, created_at)
					VALUES (?, 'elsewhere', 'private.elsewhere', '', '', 0, '', 0, 0, 0, 0, 0, 0, 0)`, []any{peer[:]}},
				{"INSERT INTO users (id, email, name, password_hash, created_at) VALUES (?, 'ann@example.com', 'Ann', '', 0)", []any{user[:]}},
				{"INSERT INTO wallet_accounts (id, user_id, name, closed, created_at) VALUES (?, ?, 'Everyday', 0, 0)", []any{account[:], user[:]}},
				{`INSERT INTO incoming_payments (id, user_id, account_id, pointer_id, sender, sender_name, received_amount, packets, created_at, updated_at)
					VALUES (?, ?, ?, NULL, '', 'Test money', 1500, 0, 0, 0)`, []any{deposit[:], user[:], account[:]}},
				{`INSERT INTO outgoing_payments (id, user_id, account_id, receiver, receiver_name, rate, debit_amount, receive_amount, receive_code,
					receive_scale, sent_amount, delivered_amount, state, reason, created_at)
					VALUES (?, ?, ?, '$localhost:3000/nobody', '', '', 1000, 1000, 'USD', 2, 0, 0, 'sending', '', 0)`, []any{payment[:], user[:], account[:]}},
			})
		})
		if err != nil {
			t.Fatal(err)
		}
	})
	return payment
}

type row struct {
	query string
	args  []any
}

func insertAll(ctx context.Context, tx db.Tx, rows []row) error {
	for _, r := range rows {
		if _, err := tx.ExecContext(ctx, r.query, r.args...); err != nil {
			return err
		}
	}
	return nil
}

// serving runs the configured wallet until the test ends, or until stop.
func serving(t *testing.T) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ready, ended := make(chan struct{}), make(chan error, 1)
	go func() {
		ended <- server.Run(ctx, newConfig(t), slog.New(slog.DiscardHandler), func() { close(ready) })
	}()
	select {
	case <-ready:
	case err := <-ended:
		t.Fatal(err)
	}
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(stop)
	return stop
}

// payment returns the only payment in the list.
func payment(t *testing.T, flags ...string) admin.Payment {
	t.Helper()
	text, err := pochi(t, append([]string{"admin", "payment", "list"}, flags...)...)
	all := objects[admin.Payment](t, text, err)
	if len(all) != 1 {
		t.Fatalf("payments %+v", all)
	}
	return all[0]
}

// wantOrder fails the test when the books contradict themselves.
func wantOrder(t *testing.T) {
	t.Helper()
	if out, err := pochi(t, "check"); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

func TestSuspenseCommands(t *testing.T) {
	for _, test := range []struct {
		name      string
		running   bool
		variables map[string]string
	}{
		{name: "without a wallet"},
		{name: "beside a running wallet", running: true},
		{name: "in production", running: true, variables: map[string]string{
			"POCHI_ENV": "production", "POCHI_SECRET": strings.Repeat("s", 32), "POCHI_PUBLIC_URL": "https://wallet.example",
			"POCHI_HYDRA_PUBLIC_URL": "https://login.example", "POCHI_TRUSTED_PROXIES": "none", "POCHI_ILP_ADDRESS": "g.wallet", "POCHI_RATES": "USD=1,EUR=0.9,GBP=0.8,JPY=150,KES=130,MXN=18",
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			data := newData(t)
			for name, value := range test.variables {
				t.Setenv(name, value)
			}
			id := crash(t)
			if test.running {
				defer serving(t)()
				if info, err := os.Stat(filepath.Join(data, admin.SocketName)); err != nil || info.Mode().Perm() != 0o600 {
					t.Errorf("socket %v, %v", info, err)
				}
			} else if text, err := pochi(t, "admin", "suspense", "release", "1"); err != nil { // recovery comes first
				t.Fatal(text, err)
			}
			text, err := pochi(t, "admin", "suspense", "list", "--all")
			items := objects[admin.SuspenseItem](t, text, err)
			want := admin.Amount{Value: "250", AssetCode: "USD", AssetScale: 2}
			if len(items) != 1 || items[0].Amount != want || *items[0].Payment != id || items[0].Payer != "ann@example.com" {
				t.Fatalf("items %+v", items)
			}
			for i, again := range []bool{!test.running, true} {
				text, err = pochi(t, "admin", "suspense", "release", "1")
				if got := objects[admin.SuspenseItem](t, text, err); len(got) != 1 || got[0].State != "released" || got[0].Repeated != again {
					t.Errorf("release %d: %s", i, text)
				}
			}
			if text, err = pochi(t, "admin", "suspense", "pay", "1"); problem.CodeOf(err) != problem.Conflict || text != "" {
				t.Errorf("pay what was released: %q, %v", text, err)
			}
			if text, err = pochi(t, "admin", "suspense", "pay", "2"); problem.CodeOf(err) != problem.NotFound || text != "" {
				t.Errorf("pay what is not there: %q, %v", text, err)
			}
			if text, err = pochi(t, "admin", "suspense", "list"); text != "" || err != nil {
				t.Errorf("still open: %q, %v", text, err)
			}
			if p := payment(t); p.ReleasedAmount != want || p.SentAmount.Value != "0" {
				t.Errorf("payment %+v", p)
			}
			wantOrder(t)
		})
	}
}

// child starts the program with the test's environment.
func child(t *testing.T, args ...string) (*exec.Cmd, *bytes.Buffer, *bytes.Buffer) {
	t.Helper()
	var out, problems bytes.Buffer
	cmd := exec.CommandContext(t.Context(), os.Args[0], args...)
	cmd.Env = append(os.Environ(), beProgram+"=1")
	cmd.Stdout, cmd.Stderr = &out, &problems
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return cmd, &out, &problems
}

// Commands that change something wait for each other; each learns what is so.
func TestTwoAtOnceWithoutAWallet(t *testing.T) {
	newData(t)
	crash(t)
	first, firstOut, firstProblems := child(t, "admin", "suspense", "pay", "1")
	second, secondOut, secondProblems := child(t, "admin", "suspense", "pay", "1")
	var repeated []bool
	for _, c := range []struct {
		cmd           *exec.Cmd
		out, problems *bytes.Buffer
	}{{first, firstOut, firstProblems}, {second, secondOut, secondProblems}} {
		if err := c.cmd.Wait(); err != nil {
			t.Fatalf("%v: %s", err, c.problems)
		}
		for _, item := range objects[admin.SuspenseItem](t, c.out.String(), nil) {
			repeated = append(repeated, item.Repeated)
		}
	}
	if len(repeated) != 2 || repeated[0] == repeated[1] {
		t.Errorf("repeated: %v, want one of them", repeated)
	}
	wantOrder(t)
}

// answers returns when somebody answers at a socket, or the error with which
// the program ended that was to do so.
func answers(socket string, ended <-chan error) error {
	look := time.NewTicker(10 * time.Millisecond)
	defer look.Stop()
	for {
		if c, err := net.Dial("unix", socket); err == nil {
			return c.Close()
		}
		select {
		case <-look.C:
		case err := <-ended:
			return fmt.Errorf("it ended: %w", err)
		}
	}
}

// A wallet that was killed leaves its socket behind: commands do without it,
// and the next wallet replaces it.
func TestAWalletThatWasKilled(t *testing.T) {
	data := newData(t)
	crash(t)
	wallet, _, problems := child(t, "serve")
	ended := make(chan error, 1)
	go func() { ended <- wallet.Wait() }()
	socket := filepath.Join(data, admin.SocketName)
	if err := answers(socket, ended); err != nil {
		t.Fatalf("%v: %s", err, problems)
	}
	if err := wallet.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	<-ended
	if _, err := os.Stat(socket); err != nil {
		t.Fatal(err)
	}
	cmd, out, problems := child(t, "admin", "suspense", "pay", "1")
	if err := cmd.Wait(); err != nil {
		t.Fatalf("%v: %s", err, problems)
	}
	if got := objects[admin.SuspenseItem](t, out.String(), nil); len(got) != 1 || got[0].State != "paid" {
		t.Errorf("%s", out)
	}
	serving(t)()
	if _, err := os.Stat(socket); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("after the end: %v", err)
	}
	wantOrder(t)
}

// What goes wrong is said on stderr, in one line, with exit code 1.
func TestCommandsFail(t *testing.T) {
	newData(t)
	for _, test := range []struct {
		args []string
		want string
	}{
		{[]string{"admin", "suspense", "list"}, "there is no database"},
		{[]string{"admin", "suspense", "pay", "1"}, "there is no database"},
		{[]string{"check"}, "there is no database"},
		{[]string{"admin", "suspense", "pay"}, `expected "<item>"; pochi help admin suspense pay says more`},
		{[]string{"serv"}, `unexpected argument serv, did you mean "serve"?; pochi help lists the commands`},
	} {
		cmd, out, problems := child(t, test.args...)
		err := cmd.Wait()
		var exit *exec.ExitError
		if !errors.As(err, &exit) || exit.ExitCode() != 1 || out.Len() > 0 || strings.Count(problems.String(), "\n") != 1 || !strings.Contains(problems.String(), test.want) {
			t.Errorf("%q: %v, prints %q and %q, want %q", test.args, err, out, problems, test.want)
		}
	}
	if _, err := os.Stat(filepath.Join(newConfig(t).Data, "pochi.db")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a command made a database: %v", err)
	}
}
