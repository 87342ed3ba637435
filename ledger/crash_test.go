package ledger_test

import (
	"bufio"
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"pochi/db"
	"pochi/ledger"

	"github.com/google/go-cmp/cmp"
)

// crashEnv makes the test binary commit transfers to the database it names,
// until it is killed.
const crashEnv = "POCHI_CRASH_TEST_DB"

const crashCallers = 8

// crashAccounts are those that the child moves money between.
var crashAccounts = [2]ledger.ID{{15: 1}, {15: 2}}

func TestKill(t *testing.T) {
	const kills = 12
	path := filepath.Join(t.TempDir(), "pochi.db")
	w := newWorldAt(t, path)
	for _, id := range crashAccounts {
		w.do(ledger.OpenAccount{ID: id, Ledger: w.usd, Code: ledger.CodePerson})
		w.do(transfer(ledger.HouseAccount(usd, ledger.CodeEquity), id, 1000))
	}
	acknowledged := map[string]bool{}
	for kill := range kills {
		w.want(w.db.Close(), nil)
		runAndKill(t, path, acknowledged)
		w.open()
		w.clean()
		onDisk := map[string]bool{}
		for _, note := range rows(t, w.db.Read, "SELECT note FROM notes") {
			onDisk[note] = true
		}
		for id := range acknowledged {
			if !onDisk[id] {
				t.Fatalf("kill %d: transfer %s was acknowledged and is lost", kill, id)
			}
		}
		// Each transfer has its row and each row its transfer.
		moved := rows(t, w.db.Read, "SELECT lower(hex(id)) FROM transfers WHERE code = 9 ORDER BY lower(hex(id))")
		noted := rows(t, w.db.Read, "SELECT replace(note, '-', '') FROM notes ORDER BY replace(note, '-', '')")
		if diff := cmp.Diff(moved, noted); diff != "" {
			t.Errorf("kill %d: transfers and rows differ: %s", kill, diff)
		}
	}
	w.want(w.db.Close(), nil)
	if len(acknowledged) == 0 {
		t.Error("no child acknowledged anything")
	}
}

// runAndKill starts a child, kills it after a random number of
// acknowledgements, while others are on their way, and adds all that it gave.
func runAndKill(t *testing.T, path string, acknowledged map[string]bool) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	child := exec.CommandContext(t.Context(), self)
	child.Env = append(os.Environ(), crashEnv+"="+path)
	child.Stderr = os.Stderr
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	enough := rand.IntN(200)
	lines := bufio.NewScanner(out)
	for n := 0; lines.Scan(); n++ {
		acknowledged[lines.Text()] = true
		if n == enough {
			if err := child.Process.Kill(); err != nil {
				t.Error(err)
			}
		}
	}
	if err := child.Wait(); err == nil || child.ProcessState.Exited() {
		t.Errorf("the child ended by itself: %v", err)
	}
}

// crashChild commits transfers and prints the id of each when it is durable.
func crashChild(path string) int {
	ctx := context.Background()
	d, err := db.Open(ctx, db.Options{URL: "sqlite:" + path, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	l, err := ledger.Open(ctx, d)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	var wg sync.WaitGroup
	for caller := range crashCallers {
		wg.Go(func() {
			for i := caller; ; i++ {
				move := transfer(crashAccounts[i%2], crashAccounts[(i+1)%2], 1)
				move.Code = 9
				if err := l.Submit(ctx, ledger.Chain{move}, note(move.ID.String())); err != nil {
					fmt.Fprintln(os.Stderr, err)
					return
				}
				fmt.Println(move.ID) // one write: no line is torn
			}
		})
	}
	wg.Wait()
	return 1
}
