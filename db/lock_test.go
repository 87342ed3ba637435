package db_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pochi/db"
)

// Who starts while an admin command has the lock waits for it; nobody waits for
// ever.
func TestPatienceWithTheLock(t *testing.T) {
	path := newPath(t)
	d := open(t, options(path))
	patient := options(path)
	patient.Patience = time.Minute
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	_, err := db.Open(ctx, patient)
	check(t, err, db.ErrLocked)
	if !strings.Contains(err.Error(), filepath.Dir(path)) {
		t.Errorf("it doesn't name the folder: %v", err)
	}
	patient.Patience = time.Millisecond
	_, err = db.Open(t.Context(), patient)
	check(t, err, db.ErrLocked)
	patient.Patience = time.Minute
	ended := time.AfterFunc(100*time.Millisecond, func() { check(t, d.Close(), nil) })
	defer ended.Stop()
	next, err := db.Open(t.Context(), patient)
	check(t, err, nil)
	check(t, next.Close(), nil)
}

func TestInUse(t *testing.T) {
	path := newPath(t)
	want := func(want bool, when string) {
		t.Helper()
		if got := db.InUse("sqlite:" + path); got != want {
			t.Errorf("%s: in use %t", when, got)
		}
	}
	want(false, "without a folder")
	if _, err := os.Lstat(filepath.Dir(path)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("it made something: %v", err)
	}
	d := open(t, options(path))
	want(true, "beside a writer")
	want(true, "again")
	check(t, d.Close(), nil)
	want(false, "afterwards")
	check(t, os.WriteFile(path+"-wal", nil, 0o600), nil)
	want(false, "after a crash")
	check(t, os.Remove(path+"-wal"), nil)
	open(t, options(path))
}
