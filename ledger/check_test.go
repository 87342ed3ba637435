package ledger_test

import (
	"context"
	"database/sql"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"pochi/db"
	"pochi/ledger"

	"github.com/google/go-cmp/cmp"
)

// The accounts and holds that the statements of TestCheckNamesTampering mean.
var (
	annID   = ledger.ID{15: 1} // 100 credited, 35 debited, 15 held
	benID   = ledger.ID{15: 2}
	shutID  = ledger.ID{15: 3} // closed
	eveID   = ledger.ID{15: 4} // 9 euros
	freshID = ledger.ID{15: 5} // nothing moved
	holdRef = ledger.ID{15: 6} // 40 reserved, 25 drawn
	doneRef = ledger.ID{15: 7} // 20 reserved, 10 drawn, 10 returned, closed
)

// history makes a database with something of everything and closes it.
func history(t *testing.T) (path string) {
	t.Helper()
	w := newWorld(t)
	house, euros := ledger.HouseAccount(usd, ledger.CodeEquity), ledger.HouseAccount(eur, ledger.CodeEquity)
	for _, id := range []ledger.ID{annID, benID, shutID, freshID} {
		w.do(ledger.OpenAccount{ID: id, Ledger: w.usd, Code: ledger.CodePerson})
	}
	w.do(ledger.OpenAccount{ID: eveID, Ledger: w.eur, Code: ledger.CodePerson}, transfer(euros, eveID, 9))
	w.do(transfer(house, annID, 100))
	w.do(ledger.OpenHold{Reference: holdRef, Debit: annID, Credit: benID, Amount: 40})
	w.do(ledger.OpenHold{Reference: doneRef, Debit: annID, Credit: benID, Amount: 20})
	w.do(ledger.Draw{ID: newID(), Reference: holdRef, Debit: annID, Credit: benID, To: benID, Amount: 25})
	w.do(
		ledger.Draw{ID: newID(), Reference: doneRef, Debit: annID, Credit: benID, To: shutID, Amount: 10},
		ledger.CloseHold{Reference: doneRef, Debit: annID, Credit: benID},
	)
	w.do(transfer(shutID, benID, 10), ledger.CloseAccount{ID: shutID})
	w.do(transfer(benID, house, 1))
	report := w.clean()
	if want := (ledger.Report{Accounts: 11, Transfers: 6, Batches: 16}); !cmp.Equal(report, want) {
		t.Errorf("Check saw %+v, want %+v", report, want)
	}
	w.want(w.db.Close(), nil)
	return w.path
}

// Whoever changes the file is found out: what Check names follows from what
// was changed.
func TestCheckNamesTampering(t *testing.T) {
	const (
		hash, transfer, totals = ledger.DefectHash, ledger.DefectTransfer, ledger.DefectTotals
		pending, limit, zero   = ledger.DefectPending, ledger.DefectLimit, ledger.DefectZeroSum
		hold, closed           = ledger.DefectHold, ledger.DefectClosed
		order, head            = ledger.DefectTimeOrder, ledger.DefectHead

		ann  = "x'00000000000000000000000000000001'"
		shut = "x'00000000000000000000000000000003'"
		none = "x'00000000000000000000000000000005'"
		ref  = "x'00000000000000000000000000000006'"
		done = "x'00000000000000000000000000000007'"
	)
	tests := []struct {
		name string
		stmt string
		want []string
	}{
		{"nothing", "UPDATE accounts SET code = code", nil},

		{"transfer: amount", "UPDATE transfers SET amount = 11 WHERE seq = 2", []string{hash, totals}},
		{"transfer: amount drawn", "UPDATE transfers SET amount = 11 WHERE seq = 3", []string{hash, totals, hold}},
		{"transfer: debit", "UPDATE transfers SET debit = " + none + " WHERE seq = 2", []string{hash, totals}},
		{"transfer: credit", "UPDATE transfers SET credit = " + none + " WHERE seq = 2", []string{hash, totals}},
		{"transfer: nobody's", "UPDATE transfers SET credit = randomblob(16) WHERE seq = 2", []string{hash, totals, transfer}},
		{"transfer: reference", "UPDATE transfers SET reference = randomblob(16) WHERE seq = 2", []string{hash}},
		{"transfer: reference of a draw", "UPDATE transfers SET reference = randomblob(16) WHERE seq = 3", []string{hash, hold}},
		{"transfer: drawn", "UPDATE transfers SET drawn = 0 WHERE seq = 3", []string{hash, hold}},
		{"transfer: id", "UPDATE transfers SET id = randomblob(16) WHERE seq = 2", []string{hash}},
		{"transfer: code", "UPDATE transfers SET code = 77 WHERE seq = 2", []string{hash}},
		{"transfer: ledger", "UPDATE transfers SET ledger = 3 - ledger WHERE seq = 2", []string{hash, transfer, totals}},
		{"transfer: time", "UPDATE transfers SET at = at + 1 WHERE seq = 2", []string{transfer}},
		{"transfer: earlier batch", "UPDATE transfers SET batch = 1 WHERE seq = 2", []string{hash, transfer}},
		{"transfer: later batch", "UPDATE transfers SET batch = batch + 1 WHERE seq = 5", []string{hash, transfer}},
		{"transfer: batch of none", "UPDATE transfers SET batch = 1000 WHERE seq = 6", []string{hash, transfer}},
		{"transfer: order", "UPDATE transfers SET seq = -seq WHERE seq = 2", []string{hash, transfer}},
		{"transfer: deleted", "DELETE FROM transfers WHERE seq = 2", []string{hash, transfer, totals}},
		{"transfer: last deleted", "DELETE FROM transfers WHERE seq = 6", []string{hash, totals}},
		{"transfer: draw deleted", "DELETE FROM transfers WHERE seq = 3", []string{hash, transfer, totals, hold}},
		{"transfer: inserted", `INSERT INTO transfers SELECT 7, randomblob(16), batch, debit, credit, amount, ledger, code, reference, drawn, at
			FROM transfers WHERE seq = 6`, []string{hash, totals}},
		{"transfer: inserted beside the accounts", `INSERT INTO transfers SELECT 7, randomblob(16), batch, debit, credit, 1, ledger, code, reference, drawn, at
			FROM transfers WHERE seq = 6;
			UPDATE accounts SET debits_posted = debits_posted + 1 WHERE id = (SELECT debit FROM transfers WHERE seq = 7);
			UPDATE accounts SET credits_posted = credits_posted + 1 WHERE id = (SELECT credit FROM transfers WHERE seq = 7);
			UPDATE batches SET transfers = 2 WHERE seq = (SELECT max(seq) FROM batches)`, []string{hash}},
		{"transfer: swapped", `UPDATE transfers SET seq = 100 WHERE seq = 5; UPDATE transfers SET seq = 5 WHERE seq = 6;
			UPDATE transfers SET seq = 6 WHERE seq = 100`, []string{hash, transfer}},

		{"batch: hash", "UPDATE batches SET hash = randomblob(32) WHERE seq = 5", []string{hash}},
		{"batch: last hash", "UPDATE batches SET hash = randomblob(32) WHERE seq = (SELECT max(seq) FROM batches)", []string{hash}},
		{"batch: count", "UPDATE batches SET transfers = transfers + 1 WHERE seq = 5", []string{hash}},
		{"batch: time", "UPDATE batches SET at = at - 1 WHERE seq = (SELECT max(seq) FROM batches)", []string{hash, transfer}},
		{"batch: times out of order", "UPDATE batches SET at = 0 WHERE seq = (SELECT max(seq) FROM batches)", []string{hash, transfer, order}},
		{"batch: deleted", "DELETE FROM batches WHERE seq = (SELECT batch FROM transfers WHERE seq = 2)", []string{hash, transfer}},
		{"batch: last deleted", "DELETE FROM batches WHERE seq = (SELECT batch FROM transfers WHERE seq = 6)", []string{transfer}},
		{"batch: inserted", "INSERT INTO batches SELECT seq + 1, at + 1, 0, hash FROM batches ORDER BY seq DESC LIMIT 1", []string{hash, head}},

		{"account: debits", "UPDATE accounts SET debits_posted = debits_posted - 1 WHERE id = " + ann, []string{totals, zero}},
		{"account: credits", "UPDATE accounts SET credits_posted = credits_posted + 1000 WHERE id = " + ann, []string{totals, zero}},
		{"account: both", "UPDATE accounts SET credits_posted = credits_posted + 1, debits_posted = debits_posted + 1 WHERE id = " + ann, []string{totals}},
		{"account: debits pending", "UPDATE accounts SET debits_pending = 0 WHERE id = " + ann, []string{pending}},
		{"account: credits pending", "UPDATE accounts SET credits_pending = credits_pending + 1 WHERE id = " + none, []string{pending}},
		{"account: limit", "UPDATE accounts SET debit_limit = 1000 WHERE id = " + ann, []string{hash}},
		{"account: limit lowered", "UPDATE accounts SET debit_limit = 0 WHERE code = 3", []string{hash, limit}},
		{"account: code", "UPDATE accounts SET code = 3 WHERE id = " + ann, []string{hash}},
		{"account: ledger", "UPDATE accounts SET ledger = 3 - ledger WHERE id = " + none, []string{hash}},
		{"account: ledger of one used", "UPDATE accounts SET ledger = 3 - ledger WHERE id = " + ann, []string{hash, transfer, totals, hold, zero}},
		{"account: closed", "UPDATE accounts SET closed = 1 WHERE id = " + ann, []string{closed}},
		{"account: another batch", "UPDATE accounts SET batch = 1000 WHERE id = " + none, []string{hash}},
		{"account: deleted", "DELETE FROM accounts WHERE id = " + none, []string{hash}},
		{"account: used and deleted", "DELETE FROM accounts WHERE id = " + shut, []string{hash, transfer, totals, hold}},
		{"account: inserted", "INSERT INTO accounts SELECT randomblob(16), ledger, code, 5, 0, 0, 0, 0, 0, batch FROM accounts WHERE id = " + none, []string{hash}},

		{"hold: reserved", "UPDATE holds SET reserved = 14 WHERE reference = " + ref, []string{pending}},
		{"hold: in flight", "UPDATE holds SET in_flight = 1 WHERE reference = " + ref, []string{pending}},
		{"hold: drawn", "UPDATE holds SET drawn = 26 WHERE reference = " + ref, []string{hold}},
		{"hold: drawn of a closed one", "UPDATE holds SET drawn = 9 WHERE reference = " + done, []string{hold}},
		{"hold: opened again", "UPDATE holds SET reserved = 10, closed = 0 WHERE reference = " + done, []string{pending}},
		{"hold: reference", "UPDATE holds SET reference = randomblob(16) WHERE reference = " + ref, []string{hold}},
		{"hold: account", "UPDATE holds SET debit = " + none + " WHERE reference = " + ref, []string{hold, pending}},
		{"hold: nobody's", "UPDATE holds SET debit = randomblob(16) WHERE reference = " + ref, []string{hold, pending}},
		{"hold: deleted", "DELETE FROM holds WHERE reference = " + ref, []string{hold, pending}},
		{"hold: closed one deleted", "DELETE FROM holds WHERE reference = " + done, []string{hold}},
		{"hold: inserted", "INSERT INTO holds SELECT randomblob(16), debit, credit, 1, 0, 0, 0, 0, batch FROM holds WHERE reference = " + ref, []string{pending}},

		{"head: behind", "UPDATE head SET seq = seq - 1", []string{head}},
		{"head: time", "UPDATE head SET at = at - 1", []string{head}},
		{"head: deleted", "DELETE FROM head", []string{head}},
	}
	original, err := os.ReadFile(history(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "pochi.db")
			if err := os.WriteFile(path, original, 0o600); err != nil {
				t.Fatal(err)
			}
			tamper(t, path, test.stmt)
			ro, err := db.OpenReadOnly(t.Context(), "sqlite:"+path)
			if err != nil {
				t.Fatal(err)
			}
			defer ro.Close()
			report := checkIn(t, ro)
			got := map[string]bool{}
			for _, defect := range report.Defects {
				got[defect.Name] = true
				if defect.Detail == "" {
					t.Errorf("%s without a detail", defect.Name)
				}
			}
			want := map[string]bool{}
			for _, name := range test.want {
				want[name] = true
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s\n%v", diff, report.Defects)
			}
		})
	}
}

// tamper changes a closed database without the program.
func tamper(t *testing.T, path, stmt string) {
	t.Helper()
	pool, err := sql.Open("sqlite3", "file:"+path)
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	if _, err := pool.Exec(stmt); err != nil {
		t.Fatal(err)
	}
}

// A change in one batch is named there, not in all that follow.
func TestCheckNamesTheBatch(t *testing.T) {
	path := history(t)
	tamper(t, path, "UPDATE transfers SET code = 77 WHERE seq = 2")
	ro, err := db.OpenReadOnly(t.Context(), "sqlite:"+path)
	if err != nil {
		t.Fatal(err)
	}
	defer ro.Close()
	if got := checkIn(t, ro).Defects; len(got) != 1 {
		t.Errorf("defects %v", got)
	}
}

func TestCheckOfAnEmptyDatabase(t *testing.T) {
	d, err := db.Open(t.Context(), db.Options{URL: "sqlite:" + filepath.Join(t.TempDir(), "pochi.db")})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if got := checkIn(t, d); !cmp.Equal(got, ledger.Report{}) {
		t.Errorf("got %+v", got)
	}
}

func TestCheckThatCannotRead(t *testing.T) {
	w := newWorld(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	report, err := ledger.Check(ctx, w.db.Read)
	w.want(err, context.Canceled)
	if len(report.Defects) > 0 {
		t.Errorf("defects %v", report.Defects)
	}
}

// Batches that move nothing leave no gap in the chain.
func TestBatchesWithoutTransfers(t *testing.T) {
	w := newWorld(t)
	ann, ben := w.account(0, 10), w.account(0, 0)
	hold := ledger.OpenHold{Reference: newID(), Debit: ann, Credit: ben, Amount: 10}
	w.want(w.ledger.Submit(t.Context(), nil, note("a")), nil)
	w.do(hold)
	w.do(ledger.CloseHold{Reference: hold.Reference, Debit: ann, Credit: ben})
	w.do(ledger.CloseAccount{ID: ben})
	w.refused(w.submit(transfer(ann, ben, 1)), 0, ledger.ErrAccountClosed)
	w.clean()
	w.reopen()
	w.do(transfer(ann, ledger.HouseAccount(usd, ledger.CodeEquity), 3))
	report := w.clean()
	seqs := rows(t, w.db.Read, "SELECT seq FROM batches ORDER BY seq")
	if len(seqs) != report.Batches || slices.Compact(seqs)[0] == "0" {
		t.Errorf("batches %v, report %+v", seqs, report)
	}
}
