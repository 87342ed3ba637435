package main

import (
	"database/sql"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pochi/app/admin"
	"pochi/app/problem"
	"pochi/db"
	"pochi/ledger"

	"github.com/google/uuid"
)

func TestBackupAndRestore(t *testing.T) {
	newData(t)
	id := crash(t)
	file := filepath.Join(t.TempDir(), "pochi.backup")
	text, err := pochi(t, "backup", file)
	if err != nil || !strings.HasPrefix(text, file+": ") || !strings.Contains(text, "hydra.db") {
		t.Fatalf("%q, %v", text, err)
	}
	_, last, _ := strings.Cut(strings.SplitN(text, "\n", 2)[0], "bytes, ")
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("backup %v, %v", info.Mode(), err)
	}
	if _, err := pochi(t, "backup", file); !errors.Is(err, db.ErrBackupExists) {
		t.Errorf("over a backup: %v", err)
	}
	if _, err := pochi(t, "restore", file); !errors.Is(err, db.ErrDatabaseExists) {
		t.Errorf("over a database: %v", err)
	}

	newData(t)
	text, err = pochi(t, "restore", file)
	for _, want := range []string{"every ledger sums to zero", last, "payment " + id.String() + " was on its way: it needs review", "1 payment to review"} {
		if err != nil || !strings.Contains(text, want) {
			t.Fatalf("%q, %v, want %q", text, err, want)
		}
	}
	if p := payment(t, "--state", "needs_review"); p.ID != id || p.Payer != "ann@example.com" || p.Reason == "" {
		t.Errorf("payment %+v", p)
	}
	stop := serving(t) // it is not sent; what was in flight goes to suspense
	if p := payment(t); p.State != "needs_review" || p.HeldAmount.Value != "750" || p.CheckingAmount.Value != "250" {
		t.Errorf("payment %+v", p)
	}
	wantOrder(t)
	stop()
	for _, again := range []bool{false, true} {
		text, err = pochi(t, "admin", "payment", "return", id.String())
		got := objects[admin.Payment](t, text, err)
		if len(got) != 1 || got[0].State != "failed" || got[0].HeldAmount.Value != "0" || got[0].Repeated != again {
			t.Errorf("%s, %v", text, err)
		}
	}
	if text, err = pochi(t, "admin", "payment", "return", uuid.NewString()); problem.CodeOf(err) != problem.NotFound || text != "" {
		t.Errorf("no payment: %q, %v", text, err)
	}
	wantOrder(t)
}

// A backup that somebody changed is said to be damaged, and is not restored.
func TestRestoreChecks(t *testing.T) {
	newData(t)
	crash(t)
	file := filepath.Join(t.TempDir(), "pochi.backup")
	if text, err := pochi(t, "backup", file); err != nil {
		t.Fatal(text, err)
	}
	raw, err := sql.Open("sqlite3", "file:"+file)
	if err != nil {
		t.Fatal(err)
	}
	_, err = raw.Exec("UPDATE transfers SET amount = amount + 1")
	if err := errors.Join(err, raw.Close()); err != nil {
		t.Fatal(err)
	}
	data := newData(t)
	text, err := pochi(t, "restore", file)
	if err == nil || !strings.Contains(err.Error(), "nothing was restored") || !strings.Contains(text, "hash-chain:") || strings.Contains(text, "restored ") {
		t.Errorf("%q, %v", text, err)
	}
	if left, err := filepath.Glob(filepath.Join(data, "pochi.db*")); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
	newData(t)
	if text, err := pochi(t, "restore", os.Args[0]); !errors.Is(err, db.ErrNotBackup) || text != "" {
		t.Errorf("what is no backup: %q, %v", text, err)
	}
	if text, err := pochi(t, "restore", filepath.Join(t.TempDir(), "nothing")); !errors.Is(err, os.ErrNotExist) || text != "" {
		t.Errorf("no file: %q, %v", text, err)
	}
}

// What was logged out or revoked after the backup stays so, and what was confirmed
// after it can't be confirmed again.
func TestRestoreEndsSessionsQuotesAndAgreements(t *testing.T) {
	newData(t)
	crash(t)
	open(t, func(d *db.DB, _ *ledger.Ledger) {
		err := d.Write(t.Context(), func(tx db.Tx) error {
			_, err := tx.ExecContext(t.Context(), `INSERT INTO sessions (token_hash, user_id, user_agent, address, created_at, last_seen_at, expires_at)
				SELECT zeroblob(32), id, '', '', 0, 0, 0 FROM users;
				INSERT INTO quotes (id, user_id, account_id, receiver, receiver_name, fixed, asked_amount, rate, debit_amount, receive_amount,
				receive_code, receive_scale, created_at, expires_at)
				SELECT zeroblob(16), user_id, id, '$localhost:3000/nobody', '', 'debit', 5, '', 5, 5, 'USD', 2, 0, 1 << 60 FROM wallet_accounts;
				INSERT INTO agreements (id, client_id, app, user_id, account_id, description, asset_code, asset_scale, asked, amount, "interval",
				payment_max, receivers, state, consent, created_at, approved_at)
				SELECT zeroblob(16), 'shop', 'Shop', user_id, id, 'Newspaper', 'USD', 2, 5, 5, 'R/P1M', 0, '', 'active', zeroblob(32), 0, 0 FROM wallet_accounts`)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	})
	file := filepath.Join(t.TempDir(), "pochi.backup")
	if text, err := pochi(t, "backup", file); err != nil {
		t.Fatal(text, err)
	}
	newData(t)
	text, err := pochi(t, "restore", file)
	if err != nil || !strings.Contains(text, "log in again") || !strings.Contains(text, "Agreements with apps are paused (1)") {
		t.Fatal(text, err)
	}
	open(t, func(d *db.DB, _ *ledger.Ledger) {
		var n int
		err := d.Read.QueryRowContext(t.Context(), `SELECT (SELECT count(*) FROM sessions) + (SELECT count(*) FROM quotes) +
			(SELECT count(*) FROM agreements WHERE state = 'active')`).Scan(&n)
		if err != nil || n != 0 {
			t.Errorf("%d sessions, quotes and agreements, %v", n, err)
		}
	})
}

// full is a disk on which there is no room for what is printed.
type full struct{}

var errFull = errors.New("no space left")

func (full) Write([]byte) (int, error) { return 0, errFull }

// What can't be printed was done all the same, and that is said.
func TestTheAnswerCantBePrinted(t *testing.T) {
	newData(t)
	id := crash(t)
	file := filepath.Join(t.TempDir(), "pochi.backup")
	failing := func(want string, args ...string) {
		t.Helper()
		if err := run(t.Context(), args, full{}); !errors.Is(err, errFull) || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", args, err, want)
		}
	}
	failing("the backup is made", "backup", file)
	failing("it was done", "admin", "suspense", "release", "1")
	failing("no space left", "check")
	newData(t)
	if _, err := pochi(t, "restore", file); err != nil {
		t.Fatal(err)
	}
	failing("it was done", "admin", "payment", "return", id.String())
	if text, err := pochi(t, "admin", "payment", "return", id.String()); err != nil || !strings.Contains(text, `"repeated":true`) || !strings.Contains(text, "ann@example.com") {
		t.Errorf("%s, %v", text, err)
	}
}

// Whoever looks after a wallet in production needs none of its secrets.
func TestFilesAreLookedAfterWithoutSecrets(t *testing.T) {
	newData(t)
	crash(t)
	t.Setenv("POCHI_ENV", "production")
	t.Setenv("POCHI_RATES", "nonsense")
	file := filepath.Join(t.TempDir(), "pochi.backup")
	commands := [][]string{
		{"backup", file}, {"check"}, {"admin", "suspense", "list"}, {"admin", "suspense", "pay", "1"}, {"admin", "payment", "list", "--state", "sending, failed"},
	}
	for _, args := range commands {
		if text, err := pochi(t, args...); err != nil {
			t.Errorf("%q: %s, %v", args, text, err)
		}
	}
	newData(t)
	if text, err := pochi(t, "restore", file); err != nil {
		t.Errorf("%s, %v", text, err)
	}
	if err := run(t.Context(), []string{"serve"}, io.Discard); err == nil || !strings.Contains(err.Error(), "POCHI_") {
		t.Errorf("serve: %v", err)
	}
}

// What a crash left in flight isn't listed yet.
func TestListsWarnAfterACrash(t *testing.T) {
	newData(t)
	crash(t)
	for _, list := range []string{"suspense", "payment"} {
		cmd, out, problems := child(t, "admin", list, "list")
		if err := cmd.Wait(); err != nil || !strings.Contains(problems.String(), "1 hold has some. It is recovered at the next start") {
			t.Errorf("%s: %v, prints %q and %q", list, err, out, problems)
		}
	}
	if p := payment(t); p.HeldAmount.Value != "750" || p.InFlightAmount.Value != "250" {
		t.Errorf("payment %+v", p)
	}
	serving(t)
	cmd, out, problems := child(t, "admin", "suspense", "list")
	if err := cmd.Wait(); err != nil || problems.Len() > 0 || strings.Count(out.String(), "\n") != 1 {
		t.Errorf("after the start: %v, prints %q and %q", err, out, problems)
	}
}
