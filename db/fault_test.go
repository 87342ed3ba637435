package db_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"pochi/db"
	"pochi/db/faultvfs"
)

func TestTheFaultyDiskHasAWAL(t *testing.T) {
	disk := newDisk().Copy(1)
	defer disk.Forget()
	d, err := (&life{disk: disk}).open()
	check(t, err, nil)
	var pragmas []string
	check(t, d.Write(t.Context(), func(tx db.Tx) error {
		for _, name := range []string{"journal_mode", "locking_mode", "synchronous"} {
			if err := each(tx, "PRAGMA "+name, func(value string) { pragmas = append(pragmas, value) }); err != nil {
				return err
			}
		}
		return nil
	}), nil)
	if got := fmt.Sprint(pragmas); got != "[wal exclusive 2]" {
		t.Error(got)
	}
	if d.Read != nil {
		t.Error("there is a read pool")
	}
	check(t, d.Close(), nil)
}

// Whatever call fails, once or from then on, no unit is answered that isn't
// there, neither for the next process nor after a power loss.
func TestFailingCalls(t *testing.T) {
	faults := map[string]error{"io": faultvfs.ErrIO, "no space": faultvfs.ErrNoSpace, "short": faultvfs.ErrShort}
	for name, fault := range faults {
		for kind, fail := range map[string]func(int, error) faultvfs.Hook{"once": faultvfs.FailOnce, "for ever": faultvfs.FailAt} {
			t.Run(name+" "+kind, func(t *testing.T) {
				t.Parallel()
				stops := 0
				for n := 1; n <= 90; n += 3 {
					if failingCall(t, n, fail(n, fault), kind == "for ever") {
						stops++
					}
				}
				if stops < 10 {
					t.Errorf("the writer stopped %d times", stops)
				}
			})
		}
	}
}

// failingCall runs units on a disk whose calls fail as hook says, and tells
// whether the writer stopped.
func failingCall(t *testing.T, n int, hook faultvfs.Hook, mustStop bool) (stops bool) {
	t.Helper()
	l := &life{disk: newDisk().Copy(uint64(n)), answered: map[string]bool{}}
	defer l.disk.Forget()
	d, err := l.open()
	check(t, err, nil)
	before := l.disk.Calls()
	l.disk.Hook(func(c faultvfs.Call) error {
		c.N -= before
		return hook(c)
	})
	refused := l.run(d, "a", uint64(n))
	if refused != nil {
		check(t, refused, db.ErrStopped)
		<-d.Writer.Done()
		if d.Writer.Err() == nil {
			t.Errorf("call %d: the writer stopped without a reason", n)
		}
		check(t, d.Write(context.Background(), func(db.Tx) error { return nil }), db.ErrStopped)
	} else if mustStop && l.disk.Calls() > before+n {
		t.Errorf("call %d: all later calls failed and the writer went on", n)
	}
	for kind, after := range map[string]*faultvfs.Disk{"restart": l.disk.Copy(1), "power loss": l.disk.Crash()} {
		if err := sound(after, l.answered); err != nil {
			t.Errorf("call %d, after a %s: %v", n, kind, err)
		}
	}
	_ = d.Close() // it may fail, too
	if err := sound(l.disk.Crash(), l.answered); err != nil {
		t.Errorf("call %d, after a close and a power loss: %v", n, err)
	}
	return refused != nil
}

// sound opens a disk and compares what is there with what was answered.
func sound(disk *faultvfs.Disk, answered map[string]bool) error {
	defer disk.Forget()
	d, err := (&life{disk: disk}).open()
	if err != nil {
		return err
	}
	_, err = whole(d, answered)
	return errors.Join(err, d.Close())
}

// An answer waits for the disk.
func TestNoAnswerBeforeTheSync(t *testing.T) {
	disk := newDisk().Copy(1)
	defer disk.Forget()
	d, err := (&life{disk: disk}).open()
	check(t, err, nil)
	committed := make(chan struct{}, 1)
	join(t, d, &participant{flush: func(db.BatchTx, db.Batch) error { return nil }, committed: func() {
		select {
		case committed <- struct{}{}:
		default:
		}
	}})
	<-committed // its own batch
	blocked, release := make(chan struct{}), make(chan struct{})
	disk.Hook(func(c faultvfs.Call) error {
		if c.Op == faultvfs.Sync {
			disk.Hook(nil)
			close(blocked)
			<-release
		}
		return nil
	})
	answer := make(chan error, 1)
	go func() { answer <- insert(t, d, "A") }()
	<-blocked
	select {
	case err := <-answer:
		t.Errorf("answered %v before the sync", err)
	case <-committed:
		t.Error("told to be committed before the sync")
	default:
	}
	close(release)
	check(t, <-answer, nil)
	<-committed
	check(t, d.Close(), nil)
}
