package ledger_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"pochi/db"
	"pochi/db/faultvfs"
	"pochi/ledger"

	"github.com/mattn/go-sqlite3"
)

// powerSeedsEnv is how many disks lose their power, for make test-crash.
const powerSeedsEnv = "POCHI_POWER_SEEDS"

// powered is a ledger on a disk that may lose its power.
type powered struct {
	disk   *faultvfs.Disk
	db     *db.DB
	ledger *ledger.Ledger
}

// powerUp opens the database and the ledger on a disk. Checkpoints are frequent.
func powerUp(disk *faultvfs.Disk) (p powered, err error) {
	ctx := context.Background()
	p.disk = disk
	if p.db, err = db.Open(ctx, db.Options{URL: disk.URL(), VFS: faultvfs.Name, Log: slog.New(slog.DiscardHandler)}); err != nil {
		return p, err
	}
	err = p.db.Write(ctx, func(tx db.Tx) error {
		_, err := tx.ExecContext(ctx, "PRAGMA wal_autocheckpoint = 20")
		return err
	})
	if err == nil {
		p.ledger, err = ledger.Open(ctx, p.db)
	}
	if err != nil {
		return p, errors.Join(err, p.db.Close())
	}
	return p, nil
}

// newDisk returns a disk with a ledger that crashClients can use.
func newDisk(t *testing.T) *faultvfs.Disk {
	t.Helper()
	w := newWorld(t)
	w.do(openCrashAccounts(w.usd)...)
	w.want(w.db.Close(), nil)
	disk := faultvfs.New(0)
	t.Cleanup(disk.Forget)
	if err := copyDatabase(fileDSN(w.path), diskDSN(disk)); err != nil {
		t.Fatal(err)
	}
	return disk
}

func fileDSN(path string) string { return "file:" + path }

func diskDSN(disk *faultvfs.Disk) string {
	return "file:" + strings.TrimPrefix(disk.URL(), "sqlite:") + "?_locking_mode=EXCLUSIVE&vfs=" + faultvfs.Name
}

// copyDatabase has SQLite recover a database, if need be, and copies it.
func copyDatabase(fromDSN, toDSN string) error {
	from, err := (&sqlite3.SQLiteDriver{}).Open(fromDSN)
	if err != nil {
		return err
	}
	defer from.Close()
	to, err := (&sqlite3.SQLiteDriver{}).Open(toDSN)
	if err != nil {
		return err
	}
	defer to.Close()
	backup, err := to.(*sqlite3.SQLiteConn).Backup("main", from.(*sqlite3.SQLiteConn), "main")
	if err != nil {
		return err
	}
	_, err = backup.Step(-1)
	return errors.Join(err, backup.Finish())
}

// recorder is a tester whose failures are wanted, or reported by another.
type recorder struct {
	mu     sync.Mutex
	failed []error
}

func (r *recorder) Helper() {}

func (r *recorder) Errorf(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.failed = append(r.failed, fmt.Errorf(format, args...))
}

func (r *recorder) Fatalf(format string, args ...any) {
	r.Errorf(format, args...)
	runtime.Goexit()
}

// sound compares what is left on a disk with what was said before: it opens,
// Check finds nothing, all that was acknowledged is there.
func sound(t *testing.T, disk *faultvfs.Disk, said *testimony) error {
	path := filepath.Join(t.TempDir(), "pochi.db")
	if err := copyDatabase(diskDSN(disk), fileDSN(path)); err != nil {
		return err
	}
	r := &recorder{}
	done := make(chan struct{})
	go func() {
		defer close(done)
		w := &world{t: r, path: path, usd: 1, eur: 2}
		defer func() {
			if w.db != nil {
				w.db.Close()
			}
		}()
		w.open()
		said.check(w)
		w.reopen()
		w.want(w.ledger.CatchUp(context.Background()), nil)
		w.indexComplete()
		w.clean()
	}()
	<-done
	return errors.Join(r.failed...)
}

// witness writes down what clients say.
type witness struct {
	mu   sync.Mutex
	said testimony
	err  error
}

func (w *witness) hear(line string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.err = errors.Join(w.err, w.said.hear(line))
}

// soFar returns what was said so far.
func (w *witness) soFar() *testimony {
	w.mu.Lock()
	defer w.mu.Unlock()
	said := w.said
	said.transfers, said.holds, said.seen = slices.Clone(said.transfers), nil, maps.Clone(said.seen)
	for name, h := range said.seen {
		clone := *h
		said.seen[name] = &clone
	}
	return &said
}

// moment is a power loss: what was left, and what had been said before it.
type moment struct {
	disk *faultvfs.Disk
	said *testimony
}

// live runs clients on a disk and returns power losses at some of its calls,
// with the disk that ignores the syncs of what ends like ignored.
func live(disk *faultvfs.Disk, w *witness, r *rand.Rand, ignored ...string) (lost []moment, err error) {
	const calls = 400 // about so many
	at := map[int]bool{1 + r.IntN(40): true, 1 + r.IntN(calls): true, 1 + r.IntN(calls): true}
	lies := faultvfs.IgnoreSyncs(ignored...)
	disk.Hook(func(c faultvfs.Call) error {
		if at[c.N] { // the writer waits here: what is said later is not committed earlier
			said := w.soFar()
			lost = append(lost, moment{disk.Crash(), said})
		}
		return lies(c)
	})
	p, err := powerUp(disk)
	if err != nil {
		return nil, err
	}
	clients := crashClients{p.ledger, w.hear}
	err = clients.work(4)
	said := w.soFar()
	lost = append(lost, moment{disk.Crash(), said}) // right after the last answer
	return lost, errors.Join(err, w.err, p.db.Close())
}

// Whatever a power loss leaves of what was not synced: the ledger opens, is
// sound, and has all that was acknowledged; also when it comes again while the
// next start recovers.
func TestPowerLoss(t *testing.T) {
	seeds := uint64(8)
	if asked, err := strconv.ParseUint(os.Getenv(powerSeedsEnv), 10, 64); err == nil {
		seeds = asked
	}
	withSizes(t, crashSizes())
	base := newDisk(t)
	for seed := range seeds {
		r := rand.New(rand.NewPCG(41, seed))
		ledger.SetSizes(crashSizes()) // the test's end sets the usual ones again
		disk, w := base.Copy(seed), &witness{}
		for life := range 2 {
			lost, err := live(disk, w, r)
			disk.Forget()
			if err != nil {
				t.Fatalf("seed %d, life %d: %v", seed, life, err)
			}
			for i, m := range lost {
				if err := sound(t, m.disk.Copy(seed), m.said); err != nil {
					t.Fatalf("seed %d, life %d, power loss %d of %d: %v", seed, life, i, len(lost), err)
				}
			}
			next := lost[r.IntN(len(lost))] // goes on from there
			disk, w = next.disk, &witness{said: *next.said}
		}
		disk.Forget()
	}
}

// The same test finds a database that doesn't sync.
func TestPowerLossWithoutSyncs(t *testing.T) {
	const seeds = 10
	withSizes(t, crashSizes())
	base := newDisk(t)
	for seed := range uint64(seeds) {
		lost, err := live(base.Copy(seed), &witness{}, rand.New(rand.NewPCG(42, seed)), "")
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range lost {
			if err := sound(t, m.disk, m.said); err != nil {
				t.Logf("seed %d: %.200s", seed, err.Error())
				return
			}
		}
	}
	t.Errorf("nothing was lost with %d seeds", seeds)
}

// Whichever call to the disk fails, once or from then on: nothing is
// acknowledged that isn't there, neither for the next process nor after a power
// loss. A writer that can't write stops.
func TestFailingDisk(t *testing.T) {
	for name, fault := range map[string]error{"io": faultvfs.ErrIO, "no space": faultvfs.ErrNoSpace, "short": faultvfs.ErrShort} {
		t.Run(name, func(t *testing.T) {
			withSizes(t, crashSizes())
			base := newDisk(t)
			stopped := 0
			for n := 3; n < 300; n += 37 {
				for _, once := range []bool{true, false} {
					disk, w := base.Copy(uint64(n)), &witness{}
					p, err := powerUp(disk)
					if err != nil {
						t.Fatal(err)
					}
					at := disk.Calls() + n
					disk.Hook(faultvfs.FailAt(at, fault))
					if once {
						disk.Hook(faultvfs.FailOnce(at, fault))
					}
					err = crashClients{p.ledger, w.hear}.work(4)
					switch {
					case errors.Is(err, db.ErrStopped):
						stopped++
						<-p.db.Writer.Done()
						if p.db.Writer.Err() == nil {
							t.Errorf("call %d: the writer has no reason", n)
						}
					case err != nil || !once && disk.Calls() >= at+5:
						t.Errorf("call %d failed, once %t: the clients were told %v", n, once, err)
					}
					said := w.soFar()
					disk.Hook(nil)
					restarted, lost := disk.Copy(1), disk.Crash()
					_ = p.db.Close() // it may say again what stopped it
					for what, left := range map[string]*faultvfs.Disk{"restart": restarted, "power loss": lost} {
						w := witness{said: *said}
						if err := sound(t, left, w.soFar()); err != nil {
							t.Errorf("call %d failed, once %t, then a %s: %v", n, once, what, err)
						}
						left.Forget()
					}
					disk.Forget()
				}
			}
			if stopped < 5 {
				t.Errorf("the writer stopped %d times", stopped)
			}
		})
	}
}
