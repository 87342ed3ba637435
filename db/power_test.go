package db_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"

	"pochi/db"
	"pochi/db/faultvfs"
)

// weakness makes the disk, or what SQLite asks of it, less than it should be.
type weakness struct {
	pragma string
	syncs  []string // endings of the files whose syncs the disk ignores
}

// life is a wallet on a disk that may fail: callers submit notes until they
// are refused or done, and remember what was answered.
type life struct {
	disk    *faultvfs.Disk
	pragmas string // of the write connection

	mu       sync.Mutex
	answered map[string]bool // notes, by name
}

const notesTable = `CREATE TABLE notes (name TEXT, part INTEGER, pad BLOB, PRIMARY KEY (name, part)) STRICT;
	CREATE TABLE total (id INTEGER PRIMARY KEY, notes INTEGER) STRICT;
	INSERT INTO total VALUES (1, 0)`

// newDisk returns a disk with a database that has no notes yet.
var newDisk = sync.OnceValue(func() *faultvfs.Disk {
	disk := faultvfs.New(0)
	l := life{disk: disk}
	d, err := l.open()
	if err == nil {
		err = errors.Join(d.Write(context.Background(), func(tx db.Tx) error {
			_, err := tx.ExecContext(context.Background(), notesTable)
			return err
		}), d.Close())
	}
	if err != nil {
		panic(err)
	}
	return disk
})

func (l *life) open() (*db.DB, error) {
	ctx := context.Background()
	d, err := db.Open(ctx, db.Options{URL: l.disk.URL(), VFS: faultvfs.Name, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return nil, err
	}
	if err := d.OnWriter(ctx, "PRAGMA wal_autocheckpoint = 12; "+l.pragmas); err != nil {
		return nil, errors.Join(err, d.Close())
	}
	return d, nil
}

// note is a unit over several pages, and one that all others touch.
func note(name string, rng *rand.Rand) db.Unit {
	pads := []int{rng.IntN(300), rng.IntN(6000)}
	return db.Unit{Rows: func(tx db.Tx) error {
		for part, size := range pads {
			_, err := tx.ExecContext(context.Background(), "INSERT INTO notes VALUES (?, ?, randomblob(?))", name, part, size)
			if err != nil {
				return err
			}
		}
		_, err := tx.ExecContext(context.Background(), "UPDATE total SET notes = notes + 1")
		return err
	}}
}

// run submits notes from several callers. It returns what one of them was told
// when it was refused.
func (l *life) run(d *db.DB, name string, seed uint64) error {
	const callers, notes = 3, 7
	refused := make([]error, callers)
	var wg sync.WaitGroup
	for caller := range callers {
		rng := rand.New(rand.NewPCG(seed, uint64(caller)))
		wg.Go(func() {
			for i := range notes {
				name := fmt.Sprintf("%s-%d-%d", name, caller, i)
				if refused[caller] = d.Writer.Submit(context.Background(), note(name, rng)); refused[caller] != nil {
					return
				}
				l.mu.Lock()
				l.answered[name] = true
				l.mu.Unlock()
			}
		})
	}
	wg.Wait()
	return errors.Join(refused...)
}

// soFar returns what was answered.
func (l *life) soFar() map[string]bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return maps.Clone(l.answered)
}

// whole compares what is on the disk with what was answered: an answered note
// is there, each note is there as a whole, and the file is sound. It returns
// the notes that are there.
func whole(d *db.DB, answered map[string]bool) (map[string]bool, error) {
	parts, total, verdict := map[string]int{}, 0, []string{}
	err := d.Write(context.Background(), func(tx db.Tx) error {
		if err := each(tx, "PRAGMA integrity_check", func(line string) { verdict = append(verdict, line) }); err != nil {
			return err
		}
		if err := each(tx, "SELECT name FROM notes", func(name string) { parts[name]++ }); err != nil {
			return err
		}
		return tx.QueryRowContext(context.Background(), "SELECT notes FROM total").Scan(&total)
	})
	if err != nil {
		return nil, err
	}
	there := map[string]bool{}
	for name, n := range parts {
		if there[name] = true; n != 2 {
			return nil, fmt.Errorf("note %s has %d parts", name, n)
		}
	}
	for name := range answered {
		if !there[name] {
			return nil, fmt.Errorf("note %s was answered and is lost", name)
		}
	}
	if total != len(there) || strings.Join(verdict, "") != "ok" {
		return nil, fmt.Errorf("%d notes, counted %d, integrity: %q", len(there), total, verdict)
	}
	return there, nil
}

// each visits a query's only column.
func each(tx db.Tx, query string, visit func(string)) error {
	rows, err := tx.QueryContext(context.Background(), query)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var value string
		if err := rows.Scan(&value); err != nil {
			return err
		}
		visit(value)
	}
	return rows.Err()
}

// powerLosses lets the power fail again and again, each time on the disk that
// the last time left, in the middle of a call to it. It returns what was lost
// or broken, and how often the power failed.
func powerLosses(t *testing.T, seed uint64, times int, weak weakness) (losses int, found error) {
	t.Helper()
	rng := rand.New(rand.NewPCG(seed, 1))
	disk, answered := newDisk().Copy(seed), map[string]bool{}
	defer func() { disk.Forget() }()
	for time := range times {
		l := &life{disk: disk, pragmas: weak.pragma, answered: answered}
		var after *faultvfs.Disk
		var then map[string]bool
		lose := func() { then, after = l.soFar(), disk.Crash() }
		at := 1 + rng.IntN(150)
		ignore := faultvfs.IgnoreSyncs(weak.syncs...)
		disk.Hook(func(c faultvfs.Call) error {
			if c.N == at {
				lose()
			}
			return ignore(c)
		})
		d, err := l.open() // what the power left
		if err != nil {
			return losses, fmt.Errorf("seed %d, loss %d: open: %w", seed, time, err)
		}
		there, err := whole(d, answered)
		if err == nil {
			l.answered = there
			err = l.run(d, fmt.Sprint(time), rng.Uint64())
		}
		if err := errors.Join(err, d.Close()); err != nil {
			return losses, fmt.Errorf("seed %d, loss %d: %w", seed, time, err)
		}
		if after == nil {
			lose()
		}
		disk.Forget()
		disk, answered = after, then
		losses++
	}
	return losses, nil
}

// What was answered is there after a power loss at any moment, whatever became
// of writes that were not synced.
func TestPowerLoss(t *testing.T) {
	for seed := range uint64(25) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			if _, err := powerLosses(t, seed, 8, weakness{}); err != nil {
				t.Error(err)
			}
		})
	}
}

// The same test finds that less than synchronous=FULL is not enough, nor is a
// disk that lies.
func TestPowerLossIsFoundOut(t *testing.T) {
	t.Parallel()
	const seeds = 20
	tests := map[string]weakness{
		"off":                  {pragma: "PRAGMA synchronous = OFF"},
		"normal":               {pragma: "PRAGMA synchronous = NORMAL"},
		"no syncs of the file": {syncs: []string{".db"}},
		"no syncs of the WAL":  {syncs: []string{"-wal"}},
	}
	for name, weak := range tests {
		t.Run(name, func(t *testing.T) {
			for seed := range uint64(seeds) {
				if _, found := powerLosses(t, seed, 8, weak); found != nil {
					t.Log(found)
					return
				}
			}
			t.Error("nothing was lost or broken")
		})
	}
}

// A database that was never whole opens, too: whatever its files were when the
// power failed while it was made.
func TestPowerLossWhileADatabaseIsMade(t *testing.T) {
	t.Parallel()
	const losses = 25
	make := func(disk *faultvfs.Disk) {
		t.Helper()
		defer disk.Forget()
		d, err := (&life{disk: disk}).open()
		check(t, err, nil)
		if err == nil {
			check(t, d.Close(), nil)
		}
	}
	whole := faultvfs.New(0)
	make(whole)
	for i := range losses {
		disk, at := faultvfs.New(uint64(i)), 1+i*whole.Calls()/losses
		var after *faultvfs.Disk
		disk.Hook(func(c faultvfs.Call) error {
			if c.N == at {
				after = disk.Crash()
			}
			return nil
		})
		make(disk)
		make(after)
	}
}
