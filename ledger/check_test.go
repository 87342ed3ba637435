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
	"time"

	"pochi/db"
	"pochi/ledger"

	"github.com/google/go-cmp/cmp"
)

// The accounts and holds that the statements of TestCheckNamesTampering mean.
var (
	annID   = ledger.ID{15: 1} // 100 credited, 52 debited, 25 held
	benID   = ledger.ID{15: 2}
	shutID  = ledger.ID{15: 3} // closed
	eveID   = ledger.ID{15: 4} // 9 euros
	freshID = ledger.ID{15: 5} // nothing moved, a limit of 7
	holdRef = ledger.ID{15: 6} // 40 reserved, 25 drawn
	doneRef = ledger.ID{15: 7} // 20 reserved, 10 drawn, 10 returned, closed
	peerID  = ledger.ID{15: 8} // a peer, with user data and a line of 50
	sentRef = ledger.ID{15: 9} // a hold of 20 that expires: 14 drawn, 4 in flight to the peer
	fromRef = ledger.ID{14: 1} // a hold of the peer's without a reservation: 7 in flight to ben
	openRef = ledger.ID{14: 2} // 5 that wait in suspense
	backRef = ledger.ID{14: 3} // 4 that came back from there
	paidRef = ledger.ID{14: 4} // 3 that were paid
)

// history makes a database with something of everything and closes it. All but
// the last transfer is indexed.
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
	w.do(ledger.OpenAccount{ID: peerID, Ledger: w.usd, Code: ledger.CodePeer, Limit: 50, UserData: ledger.ID{1}})
	for i, ref := range []ledger.ID{openRef, backRef, paidRef} {
		w.do(
			ledger.OpenHold{Reference: ref, Debit: annID, Credit: benID, Amount: uint64(5 - i)},
			ledger.Take{Reference: ref, Debit: annID, Credit: benID, Toward: peerID, Amount: uint64(5 - i)},
		)
	}
	w.reopen() // recovery puts them into suspense
	items, err := ledger.Suspense(t.Context(), w.db.Read, true)
	w.want(err, nil)
	for _, item := range items {
		if item.Reference != openRef {
			w.do(ledger.ResolveSuspense{Item: item.Item, Pay: item.Reference == paidRef})
		}
	}
	packet := ledger.Packet{Debit: annID, Credit: benID, Amount: 1, Code: 1, Reference: sentRef}
	w.do(packet, packet, packet)
	sent := ledger.OpenHold{Reference: sentRef, Debit: annID, Credit: benID, Amount: 20, Expires: time.Now().Add(1000 * time.Hour)}
	w.do(sent, ledger.Take{Reference: sentRef, Debit: annID, Credit: benID, Toward: peerID, Amount: 18})
	post := ledger.Post{Reference: sentRef, Debit: annID, Credit: benID, To: peerID, Amount: 7, Code: 1}
	w.do(post, post)
	w.do(ledger.Take{Reference: fromRef, Debit: peerID, Credit: house, Toward: benID, Amount: 7, Unreserved: true})
	w.want(w.ledger.CatchUp(t.Context()), nil)
	w.do(transfer(benID, house, 1))
	report := w.clean()
	report.Unseen = nil // where tests have SQLite look at little
	if want := (ledger.Report{Accounts: 14, Transfers: 13, Entries: 36, Batches: 26}); !cmp.Equal(report, want) {
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
		suspense, index        = ledger.DefectSuspense, ledger.DefectIndex
		schema                 = ledger.DefectSchema

		ann   = "x'00000000000000000000000000000001'"
		ben   = "x'00000000000000000000000000000002'"
		shut  = "x'00000000000000000000000000000003'"
		eve   = "x'00000000000000000000000000000004'"
		fresh = "x'00000000000000000000000000000005'"
		ref   = "x'00000000000000000000000000000006'"
		done  = "x'00000000000000000000000000000007'"
		peer  = "x'00000000000000000000000000000008'"
		sent  = "x'00000000000000000000000000000009'"
		from  = "x'00000000000000000000000000000100'"
		open  = "x'00000000000000000000000000000200'"
		back  = "x'00000000000000000000000000000300'"
		paid  = "x'00000000000000000000000000000400'"

		last   = "(SELECT max(seq) FROM batches)"
		noRule = "PRAGMA ignore_check_constraints = 1; "
		// Takes the last batch away and all that it did.
		cut = "UPDATE accounts SET debits_posted = debits_posted - 1 WHERE n = (SELECT debit FROM transfers WHERE seq = 13);" +
			"UPDATE accounts SET credits_posted = credits_posted - 1 WHERE n = (SELECT credit FROM transfers WHERE seq = 13);" +
			"DELETE FROM batches WHERE seq = " + last + "; DELETE FROM transfers WHERE seq = 13;"
	)
	number := func(id string) string { return "(SELECT n FROM accounts WHERE id = " + id + ")" }
	// moved changes an entry of what was taken into flight: hold 6 is of sentRef, 7 of fromRef.
	moved := func(body, other string) string {
		return "UPDATE ledger_log SET body = x'" + other + "' WHERE kind = 7 AND body = x'" + body + "'"
	}
	// reindexed makes one of SQLite's indexes with another content than its definition says.
	reindexed := func(index, content, definition string) string {
		return "DROP INDEX " + index + "; CREATE INDEX " + index + " ON " + content + "; PRAGMA writable_schema = ON; " +
			"UPDATE sqlite_schema SET sql = 'CREATE INDEX " + index + " ON " + definition + "' WHERE name = '" + index + "'"
	}
	// suspended changes the entry of what is in suspense for a reference.
	suspended := func(body, reference string) string {
		return "UPDATE ledger_log SET body = CAST(" + body + " AS BLOB) WHERE kind = 9 AND substr(body, 1, 16) = " + reference + ";"
	}
	// tailIndexed indexes the last transfer, as the engine does.
	tailIndexed := "INSERT INTO transfer_ids SELECT id, seq FROM transfers WHERE seq = 13;" +
		"INSERT INTO history SELECT a.n, 13, a.debits_posted, a.credits_posted FROM accounts a, transfers t WHERE t.seq = 13 AND a.n IN (t.debit, t.credit);"
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

		{"transfer: amount", "UPDATE transfers SET amount = 11 WHERE seq = 2", []string{hash, totals, limit, index}},
		{"transfer: larger amount", "UPDATE transfers SET amount = 101 WHERE seq = 2", []string{hash, totals, index}},
		{"transfer: amount drawn", "UPDATE transfers SET amount = 11 WHERE seq = 3", []string{hash, totals, index, hold, pending}},
		{"transfer: more drawn than held", "UPDATE transfers SET amount = 41 WHERE seq = 3", []string{hash, totals, index, hold, pending}},
		{"transfer: debit", "UPDATE transfers SET debit = " + number(fresh) + " WHERE seq = 13", []string{hash, totals}},
		{"transfer: credit", "UPDATE transfers SET credit = " + number(fresh) + " WHERE seq = 13", []string{hash, totals}},
		{"transfer: nobody's", "UPDATE transfers SET credit = 1000 WHERE seq = 13", []string{hash, totals, transfer}},
		{"transfer: reference", "UPDATE transfers SET reference = randomblob(16) WHERE seq = 2", []string{hash}},
		{"transfer: reference of a draw", "UPDATE transfers SET reference = randomblob(16) WHERE seq = 3", []string{hash, transfer, hold, pending, limit}},
		{"transfer: not drawn", "UPDATE transfers SET hold = NULL WHERE seq = 3", []string{hash, hold, pending, limit}},
		{"transfer: drawn", "UPDATE transfers SET hold = 1 WHERE seq = 13", []string{hash, transfer}},
		{"transfer: id", "UPDATE transfers SET id = randomblob(16) WHERE seq = 2", []string{hash, index}},
		{"transfer: code", "UPDATE transfers SET code = 77 WHERE seq = 2", []string{hash}},
		{"transfer: credit on another ledger", "UPDATE transfers SET credit = " + number(eve) + " WHERE seq = 13", []string{hash, transfer, totals}},
		{"transfer: another hold", "UPDATE transfers SET hold = 2 WHERE seq = 3", []string{transfer, hold, pending, limit}},
		{"transfer: packets", "UPDATE transfers SET packets = 4 WHERE seq = 11", []string{hash}},
		{"transfer: packets without a count", "UPDATE transfers SET packets = 0, id = randomblob(16) WHERE seq = 11", []string{hash, index}},
		{"transfer: packets of one with an id", "UPDATE transfers SET packets = 1, id = NULL WHERE seq = 2", []string{hash, index}},
		{"transfer: packets out of the reservation", "UPDATE transfers SET packets = 0, id = randomblob(16) WHERE seq = 12", []string{hash, index, hold}},
		{"transfer: packets of no hold", "UPDATE transfers SET hold = NULL WHERE seq = 12", []string{hash, hold, pending}},
		{"transfer: to suspense", "UPDATE transfers SET amount = amount + 1 WHERE seq = 6", []string{hash, totals, index, hold, pending, suspense}},
		{"transfer: from suspense", "UPDATE transfers SET debit = " + number(ben) + " WHERE seq = 9", []string{hash, totals, index, suspense}},
		{"transfer: earlier batch", "UPDATE transfers SET batch = 1 WHERE seq = 2", []string{hash, transfer}},
		{"transfer: later batch", "UPDATE transfers SET batch = batch + 1 WHERE seq = 4", []string{hash, transfer, log, hold, totals, closed, index}},
		{"transfer: batch of none", "UPDATE transfers SET batch = 1000 WHERE seq = 13", []string{hash, transfer}},
		{"transfer: order", "UPDATE transfers SET seq = 1000 WHERE seq = 13", []string{transfer}},
		{"transfer: deleted", "DELETE FROM transfers WHERE seq = 2", []string{hash, transfer, totals, limit, index}},
		{"transfer: last deleted", "DELETE FROM transfers WHERE seq = 13", []string{hash, totals}},
		{"transfer: draw deleted", "DELETE FROM transfers WHERE seq = 3", []string{hash, transfer, totals, hold, pending, index}},
		{"transfer: inserted", `INSERT INTO transfers SELECT 14, randomblob(16), batch, debit, credit, amount, code, reference, hold, 0
			FROM transfers WHERE seq = 13`, []string{hash, totals}},
		{"transfer: inserted beside the accounts", `INSERT INTO transfers SELECT 14, randomblob(16), batch, debit, credit, 1, code, reference, hold, 0
			FROM transfers WHERE seq = 13;
			UPDATE accounts SET debits_posted = debits_posted + 1 WHERE n = (SELECT debit FROM transfers WHERE seq = 14);
			UPDATE accounts SET credits_posted = credits_posted + 1 WHERE n = (SELECT credit FROM transfers WHERE seq = 14);
			UPDATE batches SET transfers = 2 WHERE seq = ` + last, []string{hash}},
		{"transfer: swapped", `UPDATE transfers SET seq = 100 WHERE seq = 1; UPDATE transfers SET seq = 1 WHERE seq = 2;
			UPDATE transfers SET seq = 2 WHERE seq = 100`, []string{hash, transfer, index}},
		{"transfer: one id twice", "UPDATE transfers SET id = (SELECT id FROM transfers WHERE seq = 1) WHERE seq = 2", []string{hash, twice, index}},
		{"transfer: one id twice, not indexed", "UPDATE transfers SET id = (SELECT id FROM transfers WHERE seq = 1) WHERE seq = 13", []string{hash, twice}},

		{"log: limit of an opening", entry(2, annOpened, 9), []string{hash, account}},
		{"log: a hold's amount", entry(5, openHold, 41), []string{hash, hold, pending}},
		{"log: a closed hold's amount", entry(5, doneHold, 19), []string{hash, log}},
		{"log: what a hold returned", entry(6, doneHold, 9), []string{hash, log, hold}},
		{"log: a limit", entry(4, hexOf(freshID), 8), []string{hash, account}},
		{"log: a limit above 2^63-1", entry(4, hexOf(freshID), 1<<63), []string{hash, log, account}},
		{"log: an asset", "UPDATE ledger_log SET body = CAST(x'0000000103' || 'USD' AS BLOB) WHERE kind = 1 AND n = 1 AND batch = (SELECT min(batch) FROM ledger_log)", []string{hash, asset, suspense}},
		{"log: kind", "UPDATE ledger_log SET kind = 6 WHERE kind = 5 AND substr(body, 1, 16) = " + ref, []string{hash, log, transfer, hold, pending}},
		{"log: kind that the body doesn't fit", "UPDATE ledger_log SET kind = 3 WHERE kind = 4", []string{hash, bad, account}},
		{"log: order", "UPDATE ledger_log SET n = n + 1 WHERE kind = 4", []string{log}},
		{"log: batch", "UPDATE ledger_log SET batch = batch + 1, n = 2 WHERE kind = 4", []string{hash}},
		{"log: batch of none", "UPDATE ledger_log SET batch = 1000 WHERE kind = 4", []string{hash, log}},
		{"log: opening deleted", "DELETE FROM ledger_log WHERE kind = 2 AND substr(body, 1, 16) = " + fresh, []string{hash, log, account, totals, pending, hold, suspense, index, transfer}},
		{"log: closing deleted", "DELETE FROM ledger_log WHERE kind = 3", []string{hash, account}},
		{"log: limit deleted", "DELETE FROM ledger_log WHERE kind = 4", []string{hash, account}},
		{"log: hold deleted", "DELETE FROM ledger_log WHERE kind = 5 AND substr(body, 1, 16) = " + ref, []string{hash, transfer, log, hold, pending}},
		{"log: closing of a hold deleted", "DELETE FROM ledger_log WHERE kind = 6", []string{hash, hold, pending}},
		{"log: all deleted", "DELETE FROM ledger_log", []string{hash, transfer, asset, account, hold, suspense, index}},
		{"log: inserted", "INSERT INTO ledger_log SELECT " + last + ", 2, 4, body FROM ledger_log WHERE kind = 4", []string{hash}},
		{"log: a limit beyond which was debited", "UPDATE ledger_log SET body = CAST(substr(body, 1, 22) || zeroblob(8) AS BLOB) WHERE kind = 2 AND substr(body, 21, 2) = x'0003'",
			[]string{hash, account, limit}},

		{"log: user data of an opening", "UPDATE ledger_log SET body = CAST(substr(body, 1, 30) AS BLOB) WHERE kind = 2 AND substr(body, 1, 16) = " + peer, []string{hash, account}},
		{"log: when a hold expires", "UPDATE ledger_log SET body = CAST(substr(body, 1, 62) || x'0101' AS BLOB) WHERE kind = 5 AND length(body) = 64", []string{hash, hold}},
		{"log: that a hold expires", "UPDATE ledger_log SET body = CAST(substr(body, 1, 56) AS BLOB) WHERE kind = 5 AND length(body) = 64", []string{hash, hold}},
		{"log: less in flight", moved("06240e", "06220e"), []string{hash, hold}},
		{"log: more in flight than was reserved", moved("06240e", "062a0e"), []string{hash, hold}},
		{"log: in flight to another", moved("06240e", "06240a"), []string{hash, hold}},
		{"log: in flight to one on another ledger", moved("06240e", "06240d"), []string{hash, log, hold}},
		{"log: in flight to nobody there", moved("06240e", "062464"), []string{hash, log, hold}},
		{"log: in flight to nobody", moved("06240e", "062400"), []string{hash, hold}},
		{"log: in flight of another hold", moved("06240e", "01240e"), []string{hash, hold}},
		{"log: in flight of no hold", moved("06240e", "64240e"), []string{hash, log, hold}},
		{"log: in flight of a closed hold", moved("06240e", "02240e"), []string{hash, log, hold}},
		{"log: in flight without a reservation", moved("070e0a", "07100a"), []string{hash, hold, pending}},
		{"log: in flight, not as it is written", moved("06240e", "06248e00"), []string{hash, bad, hold}},
		{"log: nothing in flight", "DELETE FROM ledger_log WHERE kind = 7 AND body = x'06240e'", []string{hash, hold}},
		{"log: a hold without a reservation", "UPDATE ledger_log SET body = CAST(zeroblob(16) || substr(body, 17) AS BLOB) WHERE kind = 8", []string{hash, hold}},
		{"log: a hold without a reservation deleted", "DELETE FROM ledger_log WHERE kind = 8", []string{hash, log, hold, pending}},
		{"log: what is in suspense", "UPDATE ledger_log SET body = CAST(substr(body, 1, 55) || x'07' || substr(body, 57) AS BLOB) WHERE kind = 9 AND substr(body, 1, 16) = " + open, []string{hash, suspense}},
		{"log: whose it is in suspense", "UPDATE ledger_log SET body = CAST(substr(body, 1, 16) || " + ben + " || substr(body, 33) AS BLOB) WHERE kind = 9 AND substr(body, 1, 16) = " + open, []string{hash, suspense}},
		{"log: suspense of nobody", "UPDATE ledger_log SET body = CAST(substr(body, 1, 16) || zeroblob(16) || substr(body, 33) AS BLOB) WHERE kind = 9 AND substr(body, 1, 16) = " + open, []string{hash, log, suspense}},
		{"log: how suspense ended", "UPDATE ledger_log SET body = CAST(substr(body, 1, 8) || x'02' AS BLOB) WHERE kind = 10 AND substr(body, 9) = x'01'", []string{hash, suspense}},
		{"log: suspense ended in no way", "UPDATE ledger_log SET body = CAST(substr(body, 1, 8) || x'03' AS BLOB) WHERE kind = 10 AND substr(body, 9) = x'01'", []string{hash, log, suspense}},
		{"log: suspense ended twice", "UPDATE ledger_log SET body = x'000000000000000202' WHERE kind = 10 AND substr(body, 9) = x'02'", []string{hash, log, suspense}},
		{"log: end of suspense deleted", "DELETE FROM ledger_log WHERE kind = 10 AND substr(body, 9) = x'02'", []string{hash, suspense}},

		{"suspense and log: whose it is", suspended("substr(body, 1, 16) || "+ben+" || substr(body, 33)", open) +
			"UPDATE suspense SET bearer = " + number(ben) + " WHERE reference = " + open, []string{hash, suspense}},
		{"suspense and log: who gets it when it is paid", suspended("substr(body, 1, 32) || "+ben+" || substr(body, 49)", open) +
			"UPDATE suspense SET counterparty = " + number(ben) + " WHERE reference = " + open, []string{hash, suspense}},
		{"suspense and log: for what", suspended("zeroblob(16) || substr(body, 17)", open) +
			"UPDATE suspense SET reference = zeroblob(16) WHERE reference = " + open, []string{hash, suspense}},
		{"suspense and log: amounts exchanged", suspended("substr(body, 1, 48) || x'0000000000000003' || substr(body, 57)", open) +
			suspended("substr(body, 1, 48) || x'0000000000000005' || substr(body, 57)", paid) +
			"UPDATE suspense SET amount = 8 - amount WHERE amount IN (3, 5)", []string{hash, suspense}},
		{"suspense and log: released and not paid", "UPDATE ledger_log SET body = CAST(substr(body, 1, 8) || x'01' AS BLOB) WHERE kind = 10 AND substr(body, 9) = x'02';" +
			"UPDATE suspense SET state = 1 WHERE reference = " + paid, []string{hash, suspense}},
		{"suspense and log: with what it is resolved", suspended("substr(body, 1, 56) || x'0000000000000001'", back) +
			"UPDATE suspense SET together = 1 WHERE reference = " + back, []string{hash, log}},
		{"suspense: with what it is resolved", "UPDATE suspense SET together = 1 WHERE reference = " + back, []string{suspense}},

		{"schema: a trigger", "CREATE TRIGGER t AFTER INSERT ON transfers BEGIN UPDATE accounts SET credits_posted = credits_posted + 1; END", []string{schema}},
		{"schema: a trigger on a view", "CREATE TRIGGER t INSTEAD OF INSERT ON ledger_transfers BEGIN SELECT 1; END", []string{schema}},
		{"schema: an index more", "CREATE INDEX more ON holds (reference)", []string{schema}},
		{"schema: an index dropped", "DROP INDEX batches_by_time", []string{schema}},
		{"schema: an index made otherwise", "DROP INDEX batches_by_time; CREATE INDEX batches_by_time ON batches (at DESC)", []string{schema}},
		{"schema: an index on another table", "DROP INDEX batches_by_time; CREATE INDEX batches_by_time ON transfers (batch)", []string{schema}},
		{"schema: a view more", "CREATE VIEW v AS SELECT 1", []string{schema}},
		{"schema: a view dropped", "DROP VIEW ledger_transfers", []string{schema}},
		{"schema: a view made otherwise", "DROP VIEW ledger_transfers; CREATE VIEW ledger_transfers AS SELECT * FROM transfers", []string{schema}},
		{"schema: a table more", "CREATE TABLE more (a)", []string{schema}},
		{"schema: a column more", "ALTER TABLE accounts ADD COLUMN more INTEGER", []string{schema}},
		{"schema: a constraint less", "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = replace(sql, ' CHECK (amount > 0)', '') WHERE name = 'transfers'", []string{schema}},
		{"schema: a table of people's dropped", "DROP TABLE sessions", []string{schema}},
		{"schema: the history dropped", "DROP TABLE history", []string{schema}},
		{"schema: the watermark dropped", "DROP TABLE indexed", []string{schema}},
		{"schema: the transfers dropped", "DROP TABLE transfers", []string{schema}},
		{"schema: statistics are nobody's harm", "ANALYZE", nil},

		{"batch: hash", "UPDATE batches SET hash = randomblob(32) WHERE seq = 5", []string{hash}},
		{"batch: last hash", "UPDATE batches SET hash = randomblob(32) WHERE seq = " + last, []string{hash, end}},
		{"batch: count", "UPDATE batches SET transfers = transfers + 1 WHERE seq = 5", []string{hash}},
		{"batch: count of entries", "UPDATE batches SET entries = entries + 1 WHERE seq = 5", []string{hash}},
		{"batch: time", "UPDATE batches SET at = at - 1 WHERE seq = 5", []string{hash}},
		{"batch: times out of order", "UPDATE batches SET at = 1 WHERE seq = 5", []string{hash, order}},
		{"batch: time of the last", "UPDATE batches SET at = at - 1 WHERE seq = " + last, []string{hash, head}},
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
			[]string{end, key, index, suspense}},
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
		{"account: with money and deleted", "DELETE FROM accounts WHERE id = " + ann, []string{account, zero, key}},
		{"account: inserted", "INSERT INTO accounts SELECT 100, randomblob(16), ledger, code, 5, 0, 0, 0, 0, user_data, 0 FROM accounts WHERE id = " + fresh, []string{account}},

		{"account: number", "UPDATE accounts SET n = 100 WHERE id = " + fresh, []string{account}},
		{"account: user data", "UPDATE accounts SET user_data = zeroblob(16) WHERE n = " + number(peer), []string{account}},
		{"account: two ids swapped", "UPDATE accounts SET id = zeroblob(16) WHERE id = " + ann + "; UPDATE accounts SET id = " + ann + " WHERE id = " + ben +
			"; UPDATE accounts SET id = " + ben + " WHERE id = zeroblob(16)", []string{account}},
		{"account: two numbers swapped", "UPDATE accounts SET n = 100 WHERE id = " + fresh + "; UPDATE accounts SET n = 12 WHERE id = " + ann +
			"; UPDATE accounts SET n = 9 WHERE id = " + fresh, []string{account, totals, pending}},

		{"asset: scale", "UPDATE assets SET scale = 0 WHERE code = 'USD'", []string{asset}},
		{"asset: code", "UPDATE assets SET code = 'KWD' WHERE code = 'USD'", []string{asset}},
		{"asset: ledger", "UPDATE assets SET ledger = 3 WHERE code = 'USD'", []string{asset, key}},
		{"asset: deleted", "DELETE FROM assets WHERE code = 'USD'", []string{asset, key}},
		{"asset: inserted", "INSERT INTO assets VALUES (3, 'GBP', 2)", []string{asset}},

		{"hold: reserved", "UPDATE holds SET reserved = 14 WHERE reference = " + ref, []string{hold}},
		{"hold: reserved beside the accounts", "UPDATE holds SET reserved = 14 WHERE reference = " + ref + ";" +
			"UPDATE accounts SET debits_pending = debits_pending - 1 WHERE id = " + ann + ";" +
			"UPDATE accounts SET credits_pending = credits_pending - 1 WHERE id = " + ben, []string{hold, pending}},
		{"hold: in flight", "UPDATE holds SET in_flight = 1, toward = debit WHERE reference = " + ref, []string{hold}},
		{"hold: drawn", "UPDATE holds SET drawn = 26 WHERE reference = " + ref, []string{hold}},
		{"hold: drawn of a closed one", "UPDATE holds SET drawn = 9 WHERE reference = " + done, []string{hold}},
		{"hold: returned of a closed one", "UPDATE holds SET returned = 9 WHERE reference = " + done, []string{hold}},
		{"hold: opened again", "UPDATE holds SET reserved = 10, returned = 0, closed = 0 WHERE reference = " + done, []string{hold}},
		{"hold: reference", "UPDATE holds SET reference = randomblob(16) WHERE reference = " + ref, []string{hold}},
		{"hold: debit", "UPDATE holds SET debit = " + number(fresh) + " WHERE reference = " + ref, []string{hold}},
		{"hold: credit of a closed one", "UPDATE holds SET credit = " + number(fresh) + " WHERE reference = " + done, []string{hold}},
		{"hold: nobody's", "UPDATE holds SET debit = 1000 WHERE reference = " + ref, []string{hold, key}},
		{"hold: deleted", "DELETE FROM holds WHERE reference = " + ref, []string{hold}},
		{"hold: closed one deleted", "DELETE FROM holds WHERE reference = " + done, []string{hold}},
		{"hold: inserted", "INSERT INTO holds SELECT 100, randomblob(16), debit, credit, 1, 0, 0, 0, NULL, 0, 0, 0 FROM holds WHERE reference = " + ref, []string{hold}},
		{"hold: closed one inserted", "INSERT INTO holds SELECT 100, randomblob(16), debit, credit, 0, 0, 0, 0, NULL, 0, 0, 1 FROM holds WHERE reference = " + done, []string{hold}},
		{"hold: in flight to another", "UPDATE holds SET toward = credit WHERE reference = " + sent, []string{hold}},
		{"hold: in flight to nobody there", "UPDATE holds SET toward = 1000 WHERE reference = " + sent, []string{hold, key}},
		{"hold: nothing in flight, to somebody", "UPDATE holds SET toward = debit WHERE reference = " + ref, []string{hold}},
		{"hold: less in flight", "UPDATE holds SET in_flight = 3, reserved = 3 WHERE reference = " + sent, []string{hold}},
		{"hold: expires later", "UPDATE holds SET expires = expires + 1 WHERE reference = " + sent, []string{hold}},
		{"hold: never expires", "UPDATE holds SET expires = 0 WHERE reference = " + sent, []string{hold}},
		{"hold: expires, of a closed one", "UPDATE holds SET expires = 5 WHERE reference = " + done, []string{hold}},
		{"hold: with a reservation", "UPDATE holds SET unreserved = 0 WHERE reference = " + from, []string{hold}},
		{"hold: without a reservation, of a closed one", "UPDATE holds SET unreserved = 1 WHERE reference = " + done, []string{hold}},
		{"hold: number", "UPDATE holds SET n = 100 WHERE reference = " + ref, []string{hold}},
		{"hold: number of a closed one", "UPDATE holds SET n = 100 WHERE reference = " + done, []string{hold}},
		{"hold: two numbers swapped", "UPDATE holds SET n = 100 WHERE n = 1; UPDATE holds SET n = 1 WHERE n = 2; UPDATE holds SET n = 2 WHERE n = 100", []string{hold}},

		{"suspense: amount", "UPDATE suspense SET amount = amount + 1 WHERE reference = " + open, []string{suspense}},
		{"suspense: bearer", "UPDATE suspense SET bearer = " + number(ben) + " WHERE reference = " + open, []string{suspense}},
		{"suspense: counterparty", "UPDATE suspense SET counterparty = " + number(ben) + " WHERE reference = " + open, []string{suspense}},
		{"suspense: nobody's", "UPDATE suspense SET bearer = 1000 WHERE reference = " + open, []string{suspense, key}},
		{"suspense: reference", "UPDATE suspense SET reference = zeroblob(16) WHERE reference = " + open, []string{suspense}},
		{"suspense: batch", "UPDATE suspense SET batch = batch + 1 WHERE reference = " + open, []string{suspense}},
		{"suspense: resolved", "UPDATE suspense SET state = 1 WHERE reference = " + open, []string{suspense}},
		{"suspense: open again", "UPDATE suspense SET state = 0 WHERE reference = " + back, []string{suspense}},
		{"suspense: paid, not released", "UPDATE suspense SET state = 2 WHERE reference = " + back, []string{suspense}},
		{"suspense: number", "UPDATE suspense SET n = 100 WHERE reference = " + open, []string{suspense}},
		{"suspense: deleted", "DELETE FROM suspense WHERE reference = " + open, []string{suspense}},
		{"suspense: inserted", "INSERT INTO suspense SELECT 100, reference, bearer, counterparty, amount, batch, 100, state FROM suspense WHERE reference = " + open, []string{suspense}},
		{"unreadable: an item's state", noRule + "UPDATE suspense SET state = 3 WHERE reference = " + open, []string{file, bad}},

		{"index: totals", "UPDATE history SET debits = debits + 1 WHERE seq = 5", []string{index}},
		{"index: totals of one account", "UPDATE history SET credits = 0 WHERE seq = 3 AND account = " + number(ben), []string{index}},
		{"index: a line missing", "DELETE FROM history WHERE seq = 3 AND account = " + number(ben), []string{index}},
		{"index: a transfer missing", "DELETE FROM history WHERE seq = 12", []string{index}},
		{"index: all lines missing", "DELETE FROM history", []string{index}},
		{"index: a line that is another account's", "UPDATE history SET account = " + number(fresh) + " WHERE seq = 3 AND account = " + number(ben), []string{index}},
		{"index: a line too many", "INSERT INTO history VALUES (" + number(fresh) + ", 3, 0, 0)", []string{index}},
		{"index: a line of no transfer", "INSERT INTO history VALUES (" + number(fresh) + ", 1000, 0, 0)", []string{index}},
		{"index: a line of nobody", "INSERT INTO history VALUES (1000, 3, 0, 0)", []string{index}},
		{"index: an id missing", "DELETE FROM transfer_ids WHERE seq = 3", []string{index}},
		{"index: an id too many", "INSERT INTO transfer_ids VALUES (randomblob(16), 3)", []string{index}},
		{"index: an id of packets", "INSERT INTO transfer_ids VALUES (randomblob(16), 11)", []string{index}},
		{"index: an id of no transfer", "INSERT INTO transfer_ids VALUES (randomblob(16), 1000)", []string{index}},
		{"index: two ids swapped", "UPDATE transfer_ids SET seq = 7 - seq WHERE seq IN (3, 4)", []string{index}},
		{"index: another id", "UPDATE transfer_ids SET id = randomblob(16) WHERE seq = 3", []string{index}},
		{"index: ahead, and right", tailIndexed, nil},
		{"index: ahead, with other totals", tailIndexed + "UPDATE history SET credits = credits + 1 WHERE seq = 13", []string{index}},
		{"index: ahead, in part", tailIndexed + "DELETE FROM history WHERE seq = 13; DELETE FROM transfer_ids WHERE seq = 13", nil},
		{"index: ahead, of another account", "INSERT INTO history VALUES (" + number(fresh) + ", 13, 0, 0)", []string{index}},
		{"index: ahead, with another id", "INSERT INTO transfer_ids VALUES (randomblob(16), 13)", []string{index}},
		{"index: watermark", tailIndexed + "UPDATE indexed SET seq = 13", nil},
		{"index: watermark too low", "UPDATE indexed SET seq = 2", nil},
		{"index: watermark too low, a line changed", "UPDATE indexed SET seq = 2; UPDATE history SET debits = debits + 1 WHERE seq = 5", []string{index}},
		{"index: watermark too low, a line missing", "UPDATE indexed SET seq = 2; DELETE FROM history WHERE seq = 5", nil},
		{"index: watermark too high", "UPDATE indexed SET seq = 13", []string{index}},
		{"index: watermark beyond the end", tailIndexed + "UPDATE indexed SET seq = 14", []string{index}},
		{"index: watermark deleted", "DELETE FROM indexed", []string{index}},
		{"unreadable: the watermark", noRule + "UPDATE indexed SET seq = -1", []string{file, bad}},
		{"unreadable: an indexed id", noRule + "UPDATE transfer_ids SET id = x'00' WHERE seq = 3", []string{file, bad, index}},
		{"unreadable: a line's totals", noRule + "UPDATE history SET debits = -1 WHERE seq = 3 AND account = " + number(ben), []string{file, bad, index}},
		{"index: batches by time", reindexed("batches_by_time", "batches (-at)", "batches (at)"), []string{file}},
		{"index: holds in flight", reindexed("holds_in_flight", "holds (n) WHERE in_flight = 0", "holds (n) WHERE in_flight > 0"), []string{file}},
		{"index: its key lost", "CREATE TABLE t AS SELECT * FROM transfer_ids; DROP TABLE transfer_ids; ALTER TABLE t RENAME TO transfer_ids", []string{schema}},

		{"head: behind", "UPDATE head SET seq = seq - 1", []string{head}},
		{"head: ahead", "UPDATE head SET seq = seq + 1000", []string{head}},
		{"head: epoch", "UPDATE head SET epoch = epoch + 1", []string{head}},
		{"head: time", "UPDATE head SET at = at - 1", []string{head}},
		{"head: later", "UPDATE head SET at = at * 2", []string{head}},
		{"head: seal", "UPDATE head SET seal = randomblob(32)", []string{head}},
		{"head: of an empty database", "UPDATE head SET seq = 0, at = 0, seal = x'242fa262c492d35a3c8f8890bc82efa7ca6a56bf7b5673c8642108d28d8a2cad'", []string{head}},
		{"head: deleted", "DELETE FROM head", []string{head}},
		{"head: row", noRule + "UPDATE head SET id = 2", []string{file}},

		{"unreadable: a transfer's debit", noRule + "UPDATE transfers SET debit = 0 WHERE seq = 13", []string{file, bad, hash, totals}},
		{"unreadable: a transfer's id", noRule + "UPDATE transfers SET id = x'' WHERE seq = 13", []string{file, bad, hash, totals}},
		{"unreadable: a transfer's hold", noRule + "UPDATE transfers SET hold = 0 WHERE seq = 13", []string{file, bad, totals}},
		{"unreadable: a transfer's code", noRule + "UPDATE transfers SET code = -1 WHERE seq = 13", []string{file, bad, hash, totals}},
		{"unreadable: a transfer's code beyond", noRule + "UPDATE transfers SET code = 65536 + code WHERE seq = 13", []string{file, bad, totals}},
		{"unreadable: a transfer's amount", noRule + "UPDATE transfers SET amount = -1 WHERE seq = 13", []string{file, bad, hash, totals}},
		{"a transfer of nothing", noRule + "UPDATE transfers SET amount = 0 WHERE seq = 13", []string{file, transfer, hash, totals}},
		{"unreadable: an account's id", noRule + "UPDATE accounts SET id = x'05' WHERE id = " + fresh, []string{file, bad}},
		{"unreadable: an account's ledger", noRule + "UPDATE accounts SET ledger = -1 WHERE id = " + fresh, []string{key, bad}},
		{"unreadable: an account's totals", noRule + "UPDATE accounts SET credits_posted = -1 WHERE id = " + fresh, []string{file, bad, zero}},
		{"unreadable: whether an account is closed", noRule + "UPDATE accounts SET closed = 2 WHERE id = " + fresh, []string{file, bad}},
		{"unreadable: an asset's scale", noRule + "UPDATE assets SET scale = 256 WHERE ledger = 1", []string{file, bad}},
		{"unreadable: an asset's ledger", noRule + "UPDATE assets SET ledger = -1 WHERE ledger = 1", []string{file, bad, asset, key}},
		{"unreadable: a hold's reference", noRule + "UPDATE holds SET reference = x'' WHERE reference = " + ref, []string{file, bad}},
		{"unreadable: a hold's amount", noRule + "UPDATE holds SET drawn = -1 WHERE reference = " + ref, []string{file, bad}},
		{"unreadable: an entry's body", noRule + "UPDATE ledger_log SET body = x'00' WHERE kind = 4", []string{file, bad, hash, account}},
		{"unreadable: an entry's kind", noRule + "UPDATE ledger_log SET kind = 99 WHERE kind = 4", []string{file, bad, hash, account}},
		{"unreadable: a batch's hash", noRule + "UPDATE batches SET hash = x'00' WHERE seq = 5", []string{file, bad}},
		{"unreadable: the head's seal", noRule + "UPDATE head SET seal = x'00'", []string{file, bad}},
		{"unreadable: the end's seal", noRule + "UPDATE ledger_end SET seal = x'00'", []string{file, bad}},
		{"unreadable: a value of another type", `CREATE TABLE t AS SELECT * FROM holds; DROP TABLE holds; ALTER TABLE t RENAME TO holds;
			UPDATE holds SET drawn = 'much', reference = NULL WHERE closed = 1`, []string{schema, bad}},
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
	report, err := ledger.Check(ctx, w.db.Read, ledger.CheckOptions{})
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
