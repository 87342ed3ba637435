package ledger_test

import (
	"database/sql"
	"os"
	"path/filepath"
	"testing"

	"pochi/ledger"
)

// A database that was written before accounts had numbers is brought up to date,
// is right, and goes on.
func TestCheckOfAMigratedDatabase(t *testing.T) {
	dump, err := os.ReadFile("testdata/before-0004.sql")
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, path: filepath.Join(t.TempDir(), "pochi.db")}
	old, err := sql.Open("sqlite3", "file:"+w.path)
	if err != nil {
		t.Fatal(err)
	}
	_, err = old.Exec(string(dump))
	w.want(err, nil)
	w.want(old.Close(), nil)
	w.open()
	t.Cleanup(func() { w.db.Close() })
	report := w.clean()
	if report.Transfers != 86 || report.Accounts != 11 {
		t.Errorf("Check saw %+v", report)
	}
	// The hold of the first round is open, with all it was opened with.
	ann, ben := ledger.ID{15: 1}, ledger.ID{15: 2}
	ref := ledger.ID{14: 1}
	w.do(ledger.Draw{ID: newID(), Reference: ref, Debit: ann, Credit: ben, To: ben, Amount: 30})
	w.do(ledger.CloseHold{Reference: ref, Debit: ann, Credit: ben})
	w.refused(w.submit(ledger.OpenHold{Reference: ledger.ID{14: 1, 15: 1}, Debit: ben, Credit: ledger.ID{15: 3}, Amount: 1}), 0, ledger.ErrHoldExists)
	w.want(w.ledger.CatchUp(t.Context()), nil)
	w.clean()
	w.reopen()
	w.clean()
}
