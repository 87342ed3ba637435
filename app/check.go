package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"time"

	"pochi/app/config"
	"pochi/app/payments"
	"pochi/app/peers"
	"pochi/app/rates"
	"pochi/db"
	"pochi/ledger"
)

// check verifies the books, also beside a running wallet. It fails when they
// contradict themselves, after naming every defect on a line of its own. When it
// takes long it says on stderr how far it is.
func check(ctx context.Context, cfg config.Config, out io.Writer) (err error) {
	alone := !db.InUse(cfg.DB)
	d, err := db.OpenReadOnly(ctx, cfg.DB)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	return verify(ctx, d.Read, alone, out)
}

// verify is check on an open database; alone says that nobody writes it.
func verify(ctx context.Context, read *sql.DB, alone bool, out io.Writer) error {
	report, err := ledger.Check(ctx, read, ledger.CheckOptions{
		Alone:     alone,
		Progress:  newProgress(os.Stderr, interval(os.Stderr), time.Now),
		Observers: []ledger.Observer{payments.NewAudit(), &peers.Audit{}},
	})
	if err != nil {
		return err
	}
	var left payments.Unsettled
	var old []rates.Rate
	if len(report.Defects) == 0 {
		if left, err = payments.CountUnsettled(ctx, read); err != nil {
			return err
		}
		if old, err = rates.TooOld(ctx, read, time.Now()); err != nil {
			return err
		}
	}
	_, err = io.WriteString(out, summary(report, left)+renewals(old))
	if len(report.Defects) > 0 {
		err = errors.Join(errors.New("the ledger is damaged"), err)
	}
	return err
}

// summary is what check prints.
func summary(report ledger.Report, left payments.Unsettled) string {
	var b strings.Builder
	for _, defect := range report.Defects {
		fmt.Fprintf(&b, "%s: %s\n", defect.Name, defect.Detail)
	}
	if len(report.Unseen) > 0 {
		fmt.Fprintf(&b, "While a wallet runs SQLite's own look at a large file leaves out: %s. Check again when it is stopped to have all looked at.\n",
			strings.Join(report.Unseen, ", "))
	}
	fmt.Fprintf(&b, "%s, %s in %s: ", count(report.Accounts, "account"), count(report.Transfers, "transfer"), countBatches(report.Batches))
	if len(report.Defects) > 0 {
		fmt.Fprintf(&b, "%s\n", count(len(report.Defects), "defect"))
		return b.String()
	}
	b.WriteString("every ledger sums to zero, every account, hold and payment agrees with its transfers")
	if left.Items > 0 {
		fmt.Fprintf(&b, "; %s in suspense to settle", count(left.Items, "item"))
	}
	if left.Reviews > 0 {
		fmt.Fprintf(&b, "; %s to review", count(left.Reviews, "payment"))
	}
	if left.Doubts > 0 {
		fmt.Fprintf(&b, "; %s to settle with peers", count(left.Doubts, "doubt"))
	}
	b.WriteByte('\n')
	return b.String()
}

// renewals is a line for each exchange rate that is too old.
func renewals(old []rates.Rate) string {
	var b strings.Builder
	for _, r := range old {
		fmt.Fprintf(&b, "rates: stale: nothing is exchanged between %s and %s, nor at what follows from their rate, until it is set again: pochi admin rate set %s RATE\n",
			r.From, r.To, r.Renew)
	}
	return b.String()
}

// count is a number of things, in words.
func count(n int, thing string) string {
	if n != 1 {
		thing += "s"
	}
	return fmt.Sprintf("%d %s", n, thing)
}

func countBatches(n int) string {
	if n == 1 {
		return "1 batch"
	}
	return fmt.Sprintf("%d batches", n)
}

// interval is how long to wait between lines about progress: somebody watches a
// terminal, a log is read later.
func interval(f *os.File) time.Duration {
	if info, err := f.Stat(); err == nil && info.Mode()&fs.ModeCharDevice != 0 {
		return time.Second
	}
	return 10 * time.Second
}

// newProgress returns a function that says how far a check is, every so often.
func newProgress(w io.Writer, every time.Duration, now func() time.Time) func(ledger.Progress) {
	last := now()
	return func(p ledger.Progress) {
		if now().Sub(last) < every {
			return
		}
		last = now()
		fmt.Fprintf(w, "check: %d of %d transfers replayed, %d rows compared\n", p.Transfers, p.Total, p.Rows)
	}
}
