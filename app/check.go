package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"time"

	"pochi/app/config"
	"pochi/app/payments"
	"pochi/db"
	"pochi/ledger"
)

// check verifies the books, also beside a running wallet. It fails when they
// contradict themselves, after naming every defect on a line of its own. When it
// takes long it says on stderr how far it is.
func check(ctx context.Context, cfg config.Config, out io.Writer) (err error) {
	alone := !isOpen(cfg.DB)
	d, err := db.OpenReadOnly(ctx, cfg.DB)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	report, err := ledger.Check(ctx, d.Read, ledger.CheckOptions{
		Alone:     alone,
		Progress:  newProgress(os.Stderr, interval(os.Stderr), time.Now),
		Observers: []ledger.Observer{payments.NewAudit()},
	})
	if err != nil {
		return err
	}
	for _, defect := range report.Defects {
		fmt.Fprintf(out, "%s: %s\n", defect.Name, defect.Detail)
	}
	fmt.Fprintf(out, "%d accounts, %d transfers in %d batches: ", report.Accounts, report.Transfers, report.Batches)
	if len(report.Defects) > 0 {
		fmt.Fprintf(out, "%d defects\n", len(report.Defects))
		return errors.New("the ledger is damaged")
	}
	fmt.Fprintln(out, "every ledger sums to zero, every account, hold and payment agrees with its transfers")
	return nil
}

// isOpen tells whether somebody has the database open, or left it so in a crash:
// the write-ahead log goes with whoever is the last to close.
func isOpen(dbURL string) bool {
	_, err := os.Stat(strings.TrimPrefix(dbURL, "sqlite:") + "-wal")
	return !errors.Is(err, fs.ErrNotExist)
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
