package main

import (
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pochi/app/admin"
	"pochi/app/problem"
	"pochi/db"

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
	if err != nil || !strings.Contains(text, "payment "+id.String()+" was on its way: it needs review") {
		t.Fatalf("%q, %v", text, err)
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

// A backup that somebody changed is restored, and said to be damaged.
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
	newData(t)
	text, err := pochi(t, "restore", file)
	if err == nil || !strings.Contains(err.Error(), "must not be used") || !strings.Contains(text, "hash-chain:") {
		t.Errorf("%q, %v", text, err)
	}
	newData(t)
	if text, err := pochi(t, "restore", os.Args[0]); !errors.Is(err, db.ErrNotBackup) || text != "" {
		t.Errorf("what is no backup: %q, %v", text, err)
	}
	if text, err := pochi(t, "restore", filepath.Join(t.TempDir(), "nothing")); !errors.Is(err, os.ErrNotExist) || text != "" {
		t.Errorf("no file: %q, %v", text, err)
	}
}
