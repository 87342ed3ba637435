package ledger_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
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
	freshID = ledger.ID{15: 5} // nothing moved, a limit of 7
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
	w.do(ledger.SetLimit{ID: freshID, Limit: 7})
	w.do(transfer(benID, house, 1))
	report := w.clean()
	if want := (ledger.Report{Accounts: 11, Transfers: 6, Entries: 18, Batches: 15}); !cmp.Equal(report, want) {
		t.Errorf("Check saw %+v, want %+v", report, want)
	}
	w.want(w.db.Close(), nil)
	return w.path
}

// Whoever changes the file is found out: what Check names follows from what
// was changed.
func TestCheckNamesTampering(t *testing.T) {
	const (
		file, key, bad, hash   = ledger.DefectDatabase, ledger.DefectForeignKey, ledger.DefectUnreadable, ledger.DefectHash
		transfer, log, twice   = ledger.DefectTransfer, ledger.DefectLog, ledger.DefectDuplicate
		order, head, end       = ledger.DefectTimeOrder, ledger.DefectHead, ledger.DefectEnd
		asset, account, totals = ledger.DefectAsset, ledger.DefectAccount, ledger.DefectTotals
		pending, limit, closed = ledger.DefectPending, ledger.DefectLimit, ledger.DefectClosed
		hold, zero             = ledger.DefectHold, ledger.DefectZeroSum

		ann   = "x'00000000000000000000000000000001'"
		ben   = "x'00000000000000000000000000000002'"
		shut  = "x'00000000000000000000000000000003'"
		fresh = "x'00000000000000000000000000000005'"
		ref   = "x'00000000000000000000000000000006'"
		done  = "x'00000000000000000000000000000007'"

		last   = "(SELECT max(seq) FROM batches)"
		noRule = "PRAGMA ignore_check_constraints = 1; "
		// Takes the last batch away and all that it did.
		cut = "UPDATE accounts SET debits_posted = debits_posted - 1 WHERE id = (SELECT debit FROM transfers WHERE seq = 6);" +
			"UPDATE accounts SET credits_posted = credits_posted - 1 WHERE id = (SELECT credit FROM transfers WHERE seq = 6);" +
			"DELETE FROM batches WHERE seq = " + last + "; DELETE FROM transfers WHERE seq = 6;"
	)
	// entry changes the body of a log entry, amount included, to another amount.
	entry := func(kind int, ids string, amount uint64) string {
		return fmt.Sprintf("UPDATE ledger_log SET body = x'%s%016x' WHERE kind = %d AND substr(body, 1, %d) = x'%s'", ids, amount, kind, len(ids)/2, ids)
	}
	openHold := hexOf(holdRef) + hexOf(annID) + hexOf(benID)
	doneHold := hexOf(doneRef) + hexOf(annID) + hexOf(benID)
	annOpened := hexOf(annID) + "00000001" + "0001"
	tests := []struct {
		name string
		stmt string
		want []string
	}{
		{"nothing", "UPDATE accounts SET code = code", nil},

		{"transfer: amount", "UPDATE transfers SET amount = 11 WHERE seq = 2", []string{hash, totals, limit}},
		{"transfer: larger amount", "UPDATE transfers SET amount = 101 WHERE seq = 2", []string{hash, totals}},
		{"transfer: amount drawn", "UPDATE transfers SET amount = 11 WHERE seq = 3", []string{hash, totals, hold, pending}},
		{"transfer: more drawn than held", "UPDATE transfers SET amount = 41 WHERE seq = 3", []string{hash, totals, hold, pending, transfer, limit}},
		{"transfer: debit", "UPDATE transfers SET debit = " + fresh + " WHERE seq = 6", []string{hash, totals}},
		{"transfer: credit", "UPDATE transfers SET credit = " + fresh + " WHERE seq = 6", []string{hash, totals}},
		{"transfer: nobody's", "UPDATE transfers SET credit = randomblob(16) WHERE seq = 6", []string{hash, totals, transfer}},
		{"transfer: reference", "UPDATE transfers SET reference = randomblob(16) WHERE seq = 2", []string{hash}},
		{"transfer: reference of a draw", "UPDATE transfers SET reference = randomblob(16) WHERE seq = 3", []string{hash, transfer, hold, pending}},
		{"transfer: not drawn", "UPDATE transfers SET hold = NULL WHERE seq = 3", []string{hash, hold, pending}},
		{"transfer: drawn", "UPDATE transfers SET hold = credit WHERE seq = 6", []string{hash, transfer}},
		{"transfer: id", "UPDATE transfers SET id = randomblob(16) WHERE seq = 2", []string{hash}},
		{"transfer: code", "UPDATE transfers SET code = 77 WHERE seq = 2", []string{hash}},
		{"transfer: ledger", "UPDATE transfers SET ledger = 3 - ledger WHERE seq = 6", []string{hash, transfer, totals}},
		{"transfer: time", "UPDATE transfers SET at = at + 1 WHERE seq = 2", []string{transfer}},
		{"transfer: earlier batch", "UPDATE transfers SET batch = 1 WHERE seq = 2", []string{hash, transfer}},
		{"transfer: later batch", "UPDATE transfers SET batch = batch + 1 WHERE seq = 4", []string{hash, transfer, log, hold, totals, closed}},
		{"transfer: batch of none", "UPDATE transfers SET batch = 1000 WHERE seq = 6", []string{hash, transfer}},
		{"transfer: order", "UPDATE transfers SET seq = 1000 WHERE seq = 6", []string{transfer}},
		{"transfer: deleted", "DELETE FROM transfers WHERE seq = 2", []string{hash, transfer, totals, limit}},
		{"transfer: last deleted", "DELETE FROM transfers WHERE seq = 6", []string{hash, totals}},
		{"transfer: draw deleted", "DELETE FROM transfers WHERE seq = 3", []string{hash, transfer, totals, hold, pending}},
		{"transfer: inserted", `INSERT INTO transfers SELECT 7, randomblob(16), batch, debit, credit, amount, ledger, code, reference, hold, at
			FROM transfers WHERE seq = 6`, []string{hash, totals}},
		{"transfer: inserted beside the accounts", `INSERT INTO transfers SELECT 7, randomblob(16), batch, debit, credit, 1, ledger, code, reference, hold, at
			FROM transfers WHERE seq = 6;
			UPDATE accounts SET debits_posted = debits_posted + 1 WHERE id = (SELECT debit FROM transfers WHERE seq = 7);
			UPDATE accounts SET credits_posted = credits_posted + 1 WHERE id = (SELECT credit FROM transfers WHERE seq = 7);
			UPDATE batches SET transfers = 2 WHERE seq = ` + last, []string{hash}},
		{"transfer: swapped", `UPDATE transfers SET seq = 100 WHERE seq = 1; UPDATE transfers SET seq = 1 WHERE seq = 2;
			UPDATE transfers SET seq = 2 WHERE seq = 100`, []string{hash, transfer}},
		{"transfer: one id twice", `CREATE TABLE t (seq INTEGER PRIMARY KEY, id, batch, debit, credit, amount, ledger, code, reference, hold, at);
			INSERT INTO t SELECT * FROM transfers; DROP TABLE transfers; ALTER TABLE t RENAME TO transfers;
			UPDATE transfers SET id = (SELECT id FROM transfers WHERE seq = 1) WHERE seq = 2`, []string{hash, twice}},

		{"log: limit of an opening", entry(2, annOpened, 9), []string{hash, account}},
		{"log: a hold's amount", entry(5, openHold, 41), []string{hash, hold, pending}},
		{"log: a closed hold's amount", entry(5, doneHold, 19), []string{hash, log}},
		{"log: what a hold returned", entry(6, doneHold, 9), []string{hash, log, hold}},
		{"log: a limit", entry(4, hexOf(freshID), 8), []string{hash, account}},
		{"log: a limit above 2^63-1", entry(4, hexOf(freshID), 1<<63), []string{hash, log, account}},
		{"log: an asset", "UPDATE ledger_log SET body = CAST(x'0000000103' || 'USD' AS BLOB) WHERE kind = 1 AND n = 1 AND batch = (SELECT min(batch) FROM ledger_log)", []string{hash, asset}},
		{"log: kind", "UPDATE ledger_log SET kind = 6 WHERE kind = 5 AND substr(body, 1, 16) = " + ref, []string{hash, log, transfer, hold, pending}},
		{"log: kind that the body doesn't fit", "UPDATE ledger_log SET kind = 3 WHERE kind = 4", []string{hash, bad, account}},
		{"log: order", "UPDATE ledger_log SET n = n + 1 WHERE kind = 4", []string{log}},
		{"log: batch", "UPDATE ledger_log SET batch = batch + 1, n = 2 WHERE kind = 4", []string{hash}},
		{"log: batch of none", "UPDATE ledger_log SET batch = 1000 WHERE kind = 4", []string{hash, log}},
		{"log: opening deleted", "DELETE FROM ledger_log WHERE kind = 2 AND substr(body, 1, 16) = " + fresh, []string{hash, log, account}},
		{"log: closing deleted", "DELETE FROM ledger_log WHERE kind = 3", []string{hash, account}},
		{"log: limit deleted", "DELETE FROM ledger_log WHERE kind = 4", []string{hash, account}},
		{"log: hold deleted", "DELETE FROM ledger_log WHERE kind = 5 AND substr(body, 1, 16) = " + ref, []string{hash, transfer, hold, pending}},
		{"log: closing of a hold deleted", "DELETE FROM ledger_log WHERE kind = 6", []string{hash, hold, pending}},
		{"log: all deleted", "DELETE FROM ledger_log", []string{hash, transfer, asset, account, hold}},
		{"log: inserted", "INSERT INTO ledger_log SELECT " + last + ", 2, 4, body FROM ledger_log WHERE kind = 4", []string{hash}},
		{"log: a limit beyond which was debited", "UPDATE ledger_log SET body = CAST(substr(body, 1, 22) || zeroblob(8) AS BLOB) WHERE kind = 2 AND substr(body, 21, 2) = x'0003'",
			[]string{hash, account, limit}},

		{"batch: hash", "UPDATE batches SET hash = randomblob(32) WHERE seq = 5", []string{hash}},
		{"batch: last hash", "UPDATE batches SET hash = randomblob(32) WHERE seq = " + last, []string{hash, end}},
		{"batch: count", "UPDATE batches SET transfers = transfers + 1 WHERE seq = 5", []string{hash}},
		{"batch: count of entries", "UPDATE batches SET entries = entries + 1 WHERE seq = 5", []string{hash}},
		{"batch: time", "UPDATE batches SET at = at - 1 WHERE seq = 5", []string{hash}},
		{"batch: times out of order", "UPDATE batches SET at = 1 WHERE seq = 5", []string{hash, order}},
		{"batch: time of the last", "UPDATE batches SET at = at - 1 WHERE seq = " + last, []string{hash, transfer, head}},
		{"batch: deleted", "DELETE FROM batches WHERE seq = (SELECT batch FROM transfers WHERE seq = 2)", []string{hash, transfer}},
		{"batch: deleted that opened an account", "DELETE FROM batches WHERE seq = 5", []string{hash, log}},
		{"batch: last deleted", "DELETE FROM batches WHERE seq = " + last, []string{transfer, end}},
		{"batch: inserted", "INSERT INTO batches SELECT seq + 1, at + 1, 0, 0, hash FROM batches ORDER BY seq DESC LIMIT 1", []string{hash, head, end}},

		{"end: batches cut off", cut, []string{end}},
		{"end: batches cut off and the number changed", cut + "UPDATE ledger_end SET batch = " + last, []string{end}},
		{"end: batches cut off and the end deleted", cut + "DELETE FROM ledger_end", []string{end}},
		{"end: batches cut off and the hash of the one before", cut + "UPDATE ledger_end SET batch = " + last +
			", seal = (SELECT hash FROM batches WHERE seq = " + last + ")", []string{end}},
		{"end: all cut off", "DELETE FROM batches; DELETE FROM transfers; DELETE FROM ledger_log; DELETE FROM holds; DELETE FROM accounts; DELETE FROM assets",
			[]string{end}},
		{"end: seal", "UPDATE ledger_end SET seal = randomblob(32)", []string{end}},

		{"account: debits", "UPDATE accounts SET debits_posted = debits_posted - 1 WHERE id = " + ann, []string{totals, zero}},
		{"account: credits", "UPDATE accounts SET credits_posted = credits_posted + 1000 WHERE id = " + ann, []string{totals, zero}},
		{"account: both", "UPDATE accounts SET credits_posted = credits_posted + 1, debits_posted = debits_posted + 1 WHERE id = " + ann, []string{totals}},
		{"account: moved to another", "UPDATE accounts SET credits_posted = credits_posted - 1 WHERE id = " + ann + ";" +
			"UPDATE accounts SET credits_posted = credits_posted + 1 WHERE id = " + ben, []string{totals}},
		{"account: debits pending", "UPDATE accounts SET debits_pending = 0 WHERE id = " + ann, []string{pending}},
		{"account: credits pending", "UPDATE accounts SET credits_pending = credits_pending + 1 WHERE id = " + fresh, []string{pending}},
		{"account: limit", "UPDATE accounts SET debit_limit = 1000 WHERE id = " + ann, []string{account}},
		{"account: limit lowered", "UPDATE accounts SET debit_limit = 0 WHERE code = 3", []string{account}},
		{"account: limit as it was", "UPDATE accounts SET debit_limit = 0 WHERE id = " + fresh, []string{account}},
		{"account: code", "UPDATE accounts SET code = 3 WHERE id = " + ann, []string{account}},
		{"account: ledger", "UPDATE accounts SET ledger = 3 - ledger WHERE id = " + fresh, []string{account}},
		{"account: ledger of one used", "UPDATE accounts SET ledger = 3 - ledger WHERE id = " + ann, []string{account, zero}},
		{"account: ledger of none", "UPDATE accounts SET ledger = 77 WHERE id = " + fresh, []string{account, key}},
		{"account: closed", "UPDATE accounts SET closed = 1 WHERE id = " + ann, []string{account, closed}},
		{"account: empty house account closed", "UPDATE accounts SET closed = 1 WHERE code = 2", []string{account}},
		{"account: opened again", "UPDATE accounts SET closed = 0 WHERE id = " + shut, []string{account}},
		{"account: id", "UPDATE accounts SET id = randomblob(16) WHERE id = " + fresh, []string{account}},
		{"account: deleted", "DELETE FROM accounts WHERE id = " + fresh, []string{account}},
		{"account: used and deleted", "DELETE FROM accounts WHERE id = " + shut, []string{account}},
		{"account: with money and deleted", "DELETE FROM accounts WHERE id = " + ann, []string{account, zero}},
		{"account: inserted", "INSERT INTO accounts SELECT randomblob(16), ledger, code, 5, 0, 0, 0, 0, 0 FROM accounts WHERE id = " + fresh, []string{account}},

		{"asset: scale", "UPDATE assets SET scale = 0 WHERE code = 'USD'", []string{asset}},
		{"asset: code", "UPDATE assets SET code = 'KWD' WHERE code = 'USD'", []string{asset}},
		{"asset: ledger", "UPDATE assets SET ledger = 3 WHERE code = 'USD'", []string{asset, key}},
		{"asset: deleted", "DELETE FROM assets WHERE code = 'USD'", []string{asset, key}},
		{"asset: inserted", "INSERT INTO assets VALUES (3, 'GBP', 2)", []string{asset}},

		{"hold: reserved", "UPDATE holds SET reserved = 14 WHERE reference = " + ref, []string{hold}},
		{"hold: reserved beside the accounts", "UPDATE holds SET reserved = 14 WHERE reference = " + ref + ";" +
			"UPDATE accounts SET debits_pending = debits_pending - 1 WHERE id = " + ann + ";" +
			"UPDATE accounts SET credits_pending = credits_pending - 1 WHERE id = " + ben, []string{hold, pending}},
		{"hold: in flight", "UPDATE holds SET in_flight = 1 WHERE reference = " + ref, []string{hold}},
		{"hold: drawn", "UPDATE holds SET drawn = 26 WHERE reference = " + ref, []string{hold}},
		{"hold: drawn of a closed one", "UPDATE holds SET drawn = 9 WHERE reference = " + done, []string{hold}},
		{"hold: returned of a closed one", "UPDATE holds SET returned = 9 WHERE reference = " + done, []string{hold}},
		{"hold: opened again", "UPDATE holds SET reserved = 10, returned = 0, closed = 0 WHERE reference = " + done, []string{hold}},
		{"hold: reference", "UPDATE holds SET reference = randomblob(16) WHERE reference = " + ref, []string{hold}},
		{"hold: debit", "UPDATE holds SET debit = " + fresh + " WHERE reference = " + ref, []string{hold}},
		{"hold: credit of a closed one", "UPDATE holds SET credit = " + fresh + " WHERE reference = " + done, []string{hold}},
		{"hold: nobody's", "UPDATE holds SET debit = randomblob(16) WHERE reference = " + ref, []string{hold}},
		{"hold: deleted", "DELETE FROM holds WHERE reference = " + ref, []string{hold}},
		{"hold: closed one deleted", "DELETE FROM holds WHERE reference = " + done, []string{hold}},
		{"hold: inserted", "INSERT INTO holds SELECT randomblob(16), debit, credit, 1, 0, 0, 0, 0 FROM holds WHERE reference = " + ref, []string{hold}},
		{"hold: closed one inserted", "INSERT INTO holds SELECT randomblob(16), debit, credit, 0, 0, 0, 0, 1 FROM holds WHERE reference = " + done, []string{hold}},

		{"head: behind", "UPDATE head SET seq = seq - 1", []string{head}},
		{"head: ahead", "UPDATE head SET seq = seq + 1000", []string{head}},
		{"head: epoch", "UPDATE head SET epoch = epoch + 1", []string{head}},
		{"head: time", "UPDATE head SET at = at - 1", []string{head}},
		{"head: later", "UPDATE head SET at = at * 2", []string{head}},
		{"head: seal", "UPDATE head SET seal = randomblob(32)", []string{head}},
		{"head: of an empty database", "UPDATE head SET seq = 0, at = 0, seal = x'242fa262c492d35a3c8f8890bc82efa7ca6a56bf7b5673c8642108d28d8a2cad'", []string{head}},
		{"head: deleted", "DELETE FROM head", []string{head}},
		{"head: row", noRule + "UPDATE head SET id = 2", []string{file}},

		{"unreadable: a transfer's debit", noRule + "UPDATE transfers SET debit = x'00' WHERE seq = 6", []string{file, bad, hash, totals}},
		{"unreadable: a transfer's id", noRule + "UPDATE transfers SET id = x'' WHERE seq = 6", []string{file, bad, hash, totals}},
		{"unreadable: a transfer's hold", noRule + "UPDATE transfers SET hold = x'00' WHERE seq = 6", []string{file, bad, hash, totals}},
		{"unreadable: a transfer's code", noRule + "UPDATE transfers SET code = -1 WHERE seq = 6", []string{file, bad, hash, totals}},
		{"unreadable: a transfer's code beyond", noRule + "UPDATE transfers SET code = 65536 + code WHERE seq = 6", []string{file, bad, totals}},
		{"unreadable: a transfer's amount", noRule + "UPDATE transfers SET amount = -1 WHERE seq = 6", []string{file, bad, hash, totals}},
		{"a transfer of nothing", noRule + "UPDATE transfers SET amount = 0 WHERE seq = 6", []string{file, transfer, hash, totals}},
		{"unreadable: an account's id", noRule + "UPDATE accounts SET id = x'05' WHERE id = " + fresh, []string{file, bad, account}},
		{"unreadable: an account's ledger", noRule + "UPDATE accounts SET ledger = -1 WHERE id = " + fresh, []string{key, bad}},
		{"unreadable: an account's totals", noRule + "UPDATE accounts SET credits_posted = -1 WHERE id = " + fresh, []string{file, bad, zero}},
		{"unreadable: whether an account is closed", noRule + "UPDATE accounts SET closed = 2 WHERE id = " + fresh, []string{file, bad}},
		{"unreadable: an asset's scale", noRule + "UPDATE assets SET scale = 256 WHERE ledger = 1", []string{file, bad}},
		{"unreadable: an asset's ledger", noRule + "UPDATE assets SET ledger = -1 WHERE ledger = 1", []string{file, bad, asset, key}},
		{"unreadable: a hold's debit", noRule + "UPDATE holds SET debit = x'' WHERE reference = " + ref, []string{file, bad, hold}},
		{"unreadable: a hold's amount", noRule + "UPDATE holds SET drawn = -1 WHERE reference = " + ref, []string{file, bad}},
		{"unreadable: an entry's body", noRule + "UPDATE ledger_log SET body = x'00' WHERE kind = 4", []string{file, bad, hash, account}},
		{"unreadable: an entry's kind", noRule + "UPDATE ledger_log SET kind = 99 WHERE kind = 4", []string{file, bad, hash, account}},
		{"unreadable: a batch's hash", noRule + "UPDATE batches SET hash = x'00' WHERE seq = 5", []string{file, bad}},
		{"unreadable: the head's seal", noRule + "UPDATE head SET seal = x'00'", []string{file, bad}},
		{"unreadable: the end's seal", noRule + "UPDATE ledger_end SET seal = x'00'", []string{file, bad}},
		{"unreadable: a value of another type", `CREATE TABLE t AS SELECT * FROM holds; DROP TABLE holds; ALTER TABLE t RENAME TO holds;
			UPDATE holds SET drawn = 'much', reference = NULL WHERE closed = 1`, []string{bad, hold}},
		{"a session of nobody", "INSERT INTO sessions VALUES (zeroblob(32), zeroblob(16), '', '', 0, 0, 0)", []string{key}},
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

// A file whose pages are broken is a defect, not an error, and nothing stops the
// check where it can read on.
func TestCheckOfABrokenFile(t *testing.T) {
	for _, table := range []string{"transfers", "ledger_log", "accounts"} {
		t.Run(table, func(t *testing.T) {
			path := history(t)
			content, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			pool, err := sql.Open("sqlite3", "file:"+path)
			if err != nil {
				t.Fatal(err)
			}
			defer pool.Close()
			var page, size int
			if err := pool.QueryRow("SELECT rootpage, page_size FROM sqlite_schema, pragma_page_size WHERE name = ?", table).Scan(&page, &size); err != nil {
				t.Fatal(err)
			}
			for i := range size {
				content[(page-1)*size+i] = 0xa5
			}
			broken := filepath.Join(t.TempDir(), "pochi.db")
			if err := os.WriteFile(broken, content, 0o600); err != nil {
				t.Fatal(err)
			}
			ro, err := db.OpenReadOnly(t.Context(), "sqlite:"+broken)
			if err != nil {
				t.Fatal(err)
			}
			defer ro.Close()
			report := checkIn(t, ro)
			if !slices.ContainsFunc(report.Defects, func(d ledger.Defect) bool { return d.Name == ledger.DefectDatabase }) {
				t.Errorf("defects %v", report.Defects)
			}
		})
	}
}

// A wallet does not go on where batches were cut off: the next one would hide it.
func TestOpenRefusesACutChain(t *testing.T) {
	for _, stmt := range []string{
		"DELETE FROM batches WHERE seq = (SELECT max(seq) FROM batches)",
		"DELETE FROM ledger_end",
		"UPDATE ledger_end SET seal = zeroblob(32)",
		"UPDATE batches SET hash = zeroblob(32) WHERE seq = (SELECT max(seq) FROM batches)",
	} {
		path := history(t)
		tamper(t, path, stmt)
		d, err := db.Open(t.Context(), db.Options{URL: "sqlite:" + path})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := ledger.Open(t.Context(), d); !errors.Is(err, ledger.ErrDamaged) {
			t.Errorf("%s: got error %v", stmt, err)
		}
		if err := d.Close(); err != nil {
			t.Error(err)
		}
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
