package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"pochi/app/config"
	"pochi/app/payments"
	"pochi/db"
	"pochi/ledger"
)

// check verifies the books, also beside a running wallet: it reads one
// snapshot. It fails when they contradict themselves, after naming every
// defect on a line of its own.
func check(ctx context.Context, cfg config.Config, out io.Writer) (err error) {
	d, err := db.OpenReadOnly(ctx, cfg.DB)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	tx, err := d.Read.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("read %s: %w", cfg.DB, err)
	}
	defer func() { err = errors.Join(err, tx.Rollback()) }()
	report, err := ledger.Check(ctx, tx)
	if err != nil {
		return fmt.Errorf("check the ledger: %w", err)
	}
	defects, err := payments.Check(ctx, tx)
	if err != nil {
		return err
	}
	defects = append(report.Defects, defects...)
	for _, defect := range defects {
		fmt.Fprintf(out, "%s: %s\n", defect.Name, defect.Detail)
	}
	fmt.Fprintf(out, "%d accounts, %d transfers in %d batches: ", report.Accounts, report.Transfers, report.Batches)
	if len(defects) > 0 {
		fmt.Fprintf(out, "%d defects\n", len(defects))
		return errors.New("the ledger is damaged")
	}
	fmt.Fprintln(out, "every ledger sums to zero, every account, hold and payment agrees with its transfers")
	return nil
}
