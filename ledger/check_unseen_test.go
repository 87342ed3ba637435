package ledger_test

import (
	"slices"
	"testing"

	"pochi/db"
	"pochi/ledger"
)

// What SQLite doesn't look at beside a wallet is told.
func TestCheckTellsWhatSQLiteDidNotLookAt(t *testing.T) {
	smallReads(t)
	ro, err := db.OpenReadOnly(t.Context(), "sqlite:"+history(t))
	if err != nil {
		t.Fatal(err)
	}
	defer ro.Close()
	for alone, want := range map[bool]bool{true: false, false: true} {
		report, err := ledger.Check(t.Context(), ro.Read, ledger.CheckOptions{Alone: alone})
		if err != nil {
			t.Fatal(err)
		}
		if slices.Contains(report.Unseen, "history") != want || slices.Contains(report.Unseen, "assets") {
			t.Errorf("alone %t: not looked at: %v", alone, report.Unseen)
		}
	}
}
