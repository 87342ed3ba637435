package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"pochi/db"

	"github.com/mattn/go-sqlite3"
)

// Defect is one way in which the database contradicts itself. Name is stable,
// for scripts; Detail says where.
type Defect struct {
	Name   string
	Detail string
}

// The defects that Check names.
const (
	DefectDatabase   = "database"       // the file, an index or a constraint is broken
	DefectSchema     = "schema"         // tables, indexes, triggers or views are not those that the program makes
	DefectForeignKey = "foreign-key"    // a row names one that is not there
	DefectUnreadable = "unreadable"     // a value is none that the program writes
	DefectHash       = "hash-chain"     // a batch's hash is not that of its entries and transfers
	DefectTransfer   = "transfer"       // a transfer that could not have been posted
	DefectLog        = "log"            // a log entry that could not have been accepted
	DefectDuplicate  = "duplicate-id"   // two transfers with one id
	DefectTimeOrder  = "time-order"     // batches out of order
	DefectHead       = "head"           // the head row is not what the writer left
	DefectEnd        = "end"            // the last batches are not those that were written last
	DefectAsset      = "asset"          // assets differ from the log
	DefectAccount    = "account"        // an account is not there, or is another than the log says
	DefectTotals     = "account-totals" // posted totals differ from the transfers
	DefectPending    = "pending-totals" // pending totals differ from the holds
	DefectLimit      = "account-limit"  // more was debited than the limit of that time allowed
	DefectClosed     = "closed-account" // a closed account holds money
	DefectHold       = "hold"           // a hold is not there, or differs from log and transfers
	DefectZeroSum    = "zero-sum"       // a ledger's debits differ from its credits
	DefectSuspense   = "suspense"       // what is in suspense differs from log and transfers
	DefectIndex      = "index"          // what finds transfers, by id or by account, differs from them
)

// Report is what Check saw. Beside a running wallet the counts are of different
// moments.
type Report struct {
	Accounts  int
	Transfers int
	Entries   int // in the log, of other commands than transfers
	Batches   int
	Unseen    []string // large tables whose pages and indexes SQLite didn't look at, since somebody may write
	Defects   []Defect
}

// Progress is how far Check has come. Nothing in it ever falls.
type Progress struct {
	Transfers int64 // replayed
	Total     int64 // transfers in the database, at least
	Rows      int64 // of tables, compared with the outcome
}

// CheckOptions say how Check goes about it. The zero value will do.
type CheckOptions struct {
	Alone     bool           // nobody writes: SQLite may look at the whole file at once
	Progress  func(Progress) // called after each short read; nil for nobody
	Observers []Observer
}

// Observer compares tables of its own with the ledger, while Check replays it.
type Observer interface {
	// Posted is told each transfer, in their order. t and what it names are
	// only lent.
	Posted(t *Posted)
	// Resolved is told each item of suspense when it ends.
	Resolved(r Resolved)
	// Compare compares a page of the observer's tables. It is called again
	// until it is done, each time in another short read transaction, in which
	// Posted and Resolved have told all that is committed. It does not keep tx.
	Compare(ctx context.Context, tx db.Tx) (defects []Defect, done bool, err error)
}

// Posted is a transfer as Observers are told it. Debit and Credit are as they
// are after it, but for what is pending; DebitN and CreditN are their numbers.
type Posted struct {
	Seq             int64
	Debit, Credit   *Account
	DebitN, CreditN int64
	Amount          uint64
	Code            uint16
	Reference       ID
	Hold            int64 // the number of the hold that it was drawn from, 0 for none
	Packets         int64 // how many packets it sums up, 0 for one with an id
}

// Resolved is the end of an item of suspense, as Observers are told it.
type Resolved struct {
	Reference  ID
	Bearer     int64  // the number of the account that it was taken from
	BearerCode uint16 // that account's code
	Amount     uint64
	Paid       bool // to the counterparty; otherwise the bearer got it back
}

// pageRows is about how many rows one read transaction of Check reads: some
// hundredths of a second. A variable, so that tests can make it small.
var pageRows = 1 << 14

type audit struct {
	CheckOptions
	conn   *sql.Conn
	report Report
	mirror *mirror
	sums   *sums
	wanted *wanted // on the second way only

	batches   *cursor[batchRow]
	transfers *cursor[transferRow]
	entries   *cursor[entryRow]

	at       place // up to where the replay has come
	last     batchRow
	seq      int64 // of the last transfer
	total    int64 // transfers in the database
	compared int64 // rows
	broken   bool  // the replay can't go on
	named    map[Defect]bool
	counts   map[string]int
	quiet    bool // the defects were named before
}

// Check makes the ledger again from log and transfers and compares all that is
// stored with the outcome, row by row in both directions: assets, accounts,
// holds, suspense, the index of the transfers, the hash of each batch, and that
// they end where they did. What it can't read it names, and goes on.
//
// A running wallet can be checked. No read transaction is open for long, so the
// write-ahead log is not kept from shrinking: log and transfers, to which is
// only added, are replayed in pages, each in a transaction of its own. Then the
// other tables are compared in pages, and in each page's transaction the replay
// is first brought up to the last batch that it shows. What has come to an end
// is compared by sums over many rows, under a key of this run: closed holds, and
// the index up to its watermark. Where sums differ a second replay names the
// rows. So memory grows with accounts and open holds, less with holds without a
// reservation that have nothing in flight, and hardly with transfers: one is kept
// until the watermark passes it.
//
// SQLite's own look at pages, indexes and constraints is a long read. A large
// file that somebody may write gets it for its small tables only. The ledger's
// large ones are read whole by the pages above, which name what violates their
// constraints, but see neither SQLite's indexes nor unused pages. With Alone,
// and for a small file, SQLite looks at everything. The schema is compared with
// what the migrations make of an empty database.
//
// An error means that the check itself failed, not that it found a defect.
func Check(ctx context.Context, read *sql.DB, options CheckOptions) (Report, error) {
	conn, err := read.Conn(ctx)
	if err != nil {
		return Report{}, fmt.Errorf("check: %w", err)
	}
	defer conn.Close() // it was only read from
	a := newAudit(conn, options)
	if err := a.run(ctx); err != nil {
		return a.report, fmt.Errorf("check: %w", err)
	}
	return a.report, nil
}

func newAudit(conn *sql.Conn, options CheckOptions) *audit {
	a := &audit{
		CheckOptions: options, conn: conn, mirror: newMirror(), at: place{beforeAll, beforeAll, beforeAll, beforeAll},
		batches: batchCursor(), transfers: transferCursor(), entries: entryCursor(), named: map[Defect]bool{}, counts: map[string]int{},
	}
	a.sums = newSums()
	a.mirror.closed = a.holdClosed
	a.mirror.settled = func(r Resolved) {
		for _, o := range a.Observers {
			o.Resolved(r)
		}
	}
	return a
}

func (a *audit) run(ctx context.Context) error {
	steps := []func(context.Context) error{
		a.checkFile, a.replay, a.compareAssets, a.compareAccounts, a.compareHolds, a.compareSuspense,
		a.compareHistory, a.compareIDs, a.compareRest, a.observe, a.nameRest, a.checkEnds,
	}
	for _, step := range steps {
		if err := a.survive(step(ctx)); err != nil {
			return err
		}
	}
	return nil
}

// survive makes a defect of a broken page, and of a table or a column that the
// schema lacks: what else can be read is checked nevertheless.
func (a *audit) survive(err error) error {
	var e sqlite3.Error
	switch {
	case !errors.As(err, &e):
		return err
	case e.Code == sqlite3.ErrCorrupt || e.Code == sqlite3.ErrNotADB:
		a.defect(DefectDatabase, "something can't be read, and what follows it is not checked: %v", err)
		return nil
	case e.Code == sqlite3.ErrError && a.counts[DefectSchema] > 0:
		a.defect(DefectSchema, "something can't be read, and what follows it is not checked: %v", err)
		return nil
	}
	return err
}

// defectsMost is how many defects of one name are told apart.
const defectsMost = 1000

// defect names a defect, once.
func (a *audit) defect(name, format string, args ...any) {
	if a.quiet || a.counts[name] > defectsMost {
		return
	}
	d := defectOf(name, format, args...)
	if a.named[d] {
		return
	}
	a.named[d] = true
	if a.counts[name]++; a.counts[name] > defectsMost {
		d.Detail = "there are more of these"
	}
	a.report.Defects = append(a.report.Defects, d)
}

func defectOf(name, format string, args ...any) Defect {
	return Defect{name, fmt.Sprintf(format, args...)}
}

// progress tells how far it is.
func (a *audit) progress() {
	if a.Progress != nil {
		done := int64(a.report.Transfers)
		a.Progress(Progress{Transfers: done, Total: max(done, a.total), Rows: a.compared})
	}
}

// observe lets the observers compare their tables.
func (a *audit) observe(ctx context.Context) error {
	for _, o := range a.Observers {
		err := a.pages(ctx, func() (done bool, err error) {
			defects, done, err := o.Compare(ctx, a.conn)
			for _, d := range defects {
				a.defect(d.Name, "%s", d.Detail)
			}
			return done, err
		})
		if err := a.survive(err); err != nil {
			return err
		}
	}
	return nil
}
