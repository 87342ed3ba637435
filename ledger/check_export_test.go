package ledger

import (
	"context"
	"database/sql"
)

// CheckSizes are what Check reads at once, and what it leaves to SQLite.
type CheckSizes struct {
	PageRows   int
	BucketRows int64
	SmallFile  int64 // bytes
	SmallTable int   // rows
}

// SetCheckSizes sets them for the checks that begin from now on, and returns
// what they were.
func SetCheckSizes(s CheckSizes) (before CheckSizes) {
	before = CheckSizes{pageRows, bucketRows, smallFile, smallTable}
	pageRows, bucketRows, smallFile, smallTable = s.PageRows, s.BucketRows, s.SmallFile, s.SmallTable
	return before
}

// The table of the callers whom the tests of this package play.
func init() { strangers["notes"] = true }

// CheckState is where a check is.
type CheckState struct {
	Total            int64 // transfers in the database
	Transfers, IDs   int   // that are kept
	ComparesTheIndex bool  // or has
}

// CheckWatched is Check. It calls watch after each read.
func CheckWatched(ctx context.Context, read *sql.DB, watch func(CheckState)) (Report, error) {
	conn, err := read.Conn(ctx)
	if err != nil {
		return Report{}, err
	}
	defer conn.Close()
	a := newAudit(conn, CheckOptions{})
	a.Progress = func(p Progress) { watch(CheckState{p.Total, len(a.sums.recent), len(a.sums.ids), a.sums.fixed}) }
	err = a.run(ctx)
	return a.report, err
}
