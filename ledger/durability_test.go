package ledger_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"pochi/db"
	"pochi/db/faultvfs"
	"pochi/ledger"
)

// Before value leaves this node its hold is on disk: Take is answered after the
// sync of its commit, and a power loss right after the answer leaves the hold.
// Before a fulfillment is passed back its posting is on disk: so is Post, and
// Packet for a receiver on this node.
func TestAnswersWaitForTheDisk(t *testing.T) {
	ann, ben, peer, other := crashAccounts[0], crashAccounts[1], crashAccounts[2], crashAccounts[3]
	reference := newID()
	open := ledger.OpenHold{Reference: reference, Debit: ann, Credit: ben, Amount: 100}
	take := ledger.Take{Reference: reference, Debit: ann, Credit: ben, Toward: peer, Amount: 60}
	forward := ledger.Take{Reference: reference, Debit: peer, Credit: ben, Toward: other, Amount: 60, Unreserved: true}
	const holds = "SELECT reserved, in_flight, drawn, returned, closed FROM holds"
	const posted = "SELECT amount, packets FROM transfers WHERE code = 9"
	for name, test := range map[string]struct {
		before  ledger.Chain
		command ledger.Command
		query   string
		want    string // what the query finds, on each disk that a power loss may leave
	}{
		"take":          {ledger.Chain{open}, take, holds, "40 60 0 0 0"},
		"take again":    {ledger.Chain{open, take}, ledger.Take{Reference: reference, Debit: ann, Credit: ben, Toward: peer, Amount: 1}, holds, "39 61 0 0 0"},
		"forward":       {nil, forward, holds, "0 60 0 0 0"},
		"open and take": {nil, nil, holds, "40 60 0 0 0"},
		"post": {ledger.Chain{open, take}, ledger.Post{Reference: reference, Debit: ann, Credit: ben, To: peer, Amount: 50, Code: 9},
			posted, "50 1"},
		"post the rest": {ledger.Chain{open, take}, ledger.Post{Reference: reference, Debit: ann, Credit: ben, To: peer, Amount: 60, Code: 9},
			holds, "40 0 60 0 0"},
		"packet":   {nil, ledger.Packet{Debit: ann, Credit: ben, Amount: 7, Code: 9, Reference: reference}, posted, "7 1"},
		"transfer": {nil, ledger.Transfer{ID: newID(), Debit: ann, Credit: ben, Amount: 8, Code: 9}, posted, "8 0"},
		"draw": {ledger.Chain{open}, ledger.Draw{ID: newID(), Reference: reference, Debit: ann, Credit: ben, To: peer, Amount: 9, Code: 9},
			holds, "91 0 9 0 0"},
	} {
		t.Run(name, func(t *testing.T) {
			chain := ledger.Chain{test.command}
			if test.command == nil {
				chain = ledger.Chain{open, take}
			}
			disk := newDisk(t)
			p, err := powerUp(disk)
			if err != nil {
				t.Fatal(err)
			}
			defer p.db.Close()
			defer disk.Hook(nil)
			if test.before != nil {
				if err := p.ledger.Submit(t.Context(), test.before, nil); err != nil {
					t.Fatal(err)
				}
			}
			if err := answeredAfterSync(p, chain); err != nil {
				t.Error(err)
			}
			for range 12 {
				lost := disk.Crash()
				path := filepath.Join(t.TempDir(), "pochi.db")
				if err := copyDatabase(diskDSN(lost), fileDSN(path)); err != nil {
					t.Fatal(err)
				}
				lost.Forget()
				d, err := db.OpenReadOnly(t.Context(), "sqlite:"+path) // before a ledger recovers it
				if err != nil {
					t.Fatal(err)
				}
				if got := rows(t, d.Read, test.query); !slices.Equal(got, []string{test.want}) {
					t.Errorf("a power loss after the answer leaves %q, want %q", got, test.want)
				}
				d.Close()
			}
		})
	}
}

// answeredAfterSync submits a chain to a disk whose syncs wait, and tells
// whether the answer came before the sync was over.
func answeredAfterSync(p powered, chain ledger.Chain) error {
	syncing, release := make(chan struct{}), make(chan struct{})
	asked := false
	p.disk.Hook(func(c faultvfs.Call) error {
		if c.Op == faultvfs.Sync && strings.HasSuffix(c.File, "-wal") && !asked {
			asked = true
			close(syncing)
			<-release
		}
		return nil
	})
	answer := make(chan error, 1)
	go func() { answer <- p.ledger.Submit(context.Background(), chain, nil) }()
	select {
	case err := <-answer:
		return fmt.Errorf("answered (%v) without a sync", err)
	case <-syncing:
	}
	early := false
	for range 1000 { // an answer that doesn't wait for the sync comes now
		runtime.Gosched()
		early = early || len(answer) > 0
	}
	close(release)
	if err := <-answer; err != nil {
		return err
	}
	if early {
		return fmt.Errorf("answered while the sync was waited for")
	}
	return nil
}

// Whoever is in a batch with others waits as they do: one sync is all theirs.
func TestAllOfABatchWaitForItsSync(t *testing.T) {
	disk := newDisk(t)
	p, err := powerUp(disk)
	if err != nil {
		t.Fatal(err)
	}
	defer p.db.Close()
	w := &world{t: t, db: p.db, ledger: p.ledger}
	syncs := 0
	disk.Hook(func(c faultvfs.Call) error {
		if c.Op == faultvfs.Sync && strings.HasSuffix(c.File, "-wal") {
			syncs++
		}
		return nil
	})
	var units []unit
	for range 100 {
		units = append(units, unit{chain: ledger.Chain{
			ledger.Packet{Debit: crashAccounts[0], Credit: crashAccounts[1], Amount: 2, Code: 9, Reference: ledger.ID{1}}}})
	}
	w.answered(w.together(units...), make([]error, len(units))...)
	lost := disk.Crash()
	defer lost.Forget()
	disk.Hook(nil)
	if syncs != 1 {
		t.Errorf("%d syncs of the log", syncs)
	}
	path := filepath.Join(t.TempDir(), "pochi.db")
	if err := copyDatabase(diskDSN(lost), fileDSN(path)); err != nil {
		t.Fatal(err)
	}
	d, err := db.OpenReadOnly(t.Context(), "sqlite:"+path)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if got := rows(t, d.Read, "SELECT amount, packets FROM transfers WHERE code = 9"); !slices.Equal(got, []string{"200 100"}) {
		t.Errorf("after a power loss: %v", got)
	}
}

// While a sync fails nobody is told yes, whatever was written.
func TestAFailedSyncAnswersNobody(t *testing.T) {
	disk := newDisk(t)
	p, err := powerUp(disk)
	if err != nil {
		t.Fatal(err)
	}
	defer p.db.Close()
	disk.Hook(func(c faultvfs.Call) error {
		if c.Op == faultvfs.Sync {
			return faultvfs.ErrIO
		}
		return nil
	})
	w := &world{t: t, db: p.db, ledger: p.ledger}
	take := ledger.Take{Reference: newID(), Debit: crashAccounts[2], Credit: crashAccounts[1], Toward: crashAccounts[3], Amount: 60, Unreserved: true}
	if err := w.submit(take); !errors.Is(err, db.ErrStopped) {
		t.Fatalf("got error %v, want %v", err, db.ErrStopped)
	}
	<-p.db.Writer.Done()
	w.want(w.submit(take), db.ErrStopped)
}
