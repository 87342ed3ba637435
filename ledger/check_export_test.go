package ledger

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
