package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"pochi/app/config"
	"pochi/app/payments"
	"pochi/db"

	"github.com/google/uuid"
)

// backup copies the database into a new file, also while a wallet writes it,
// and says what the copy holds and what it doesn't.
func backup(ctx context.Context, cfg config.Config, file string, out io.Writer) error {
	private()
	if err := db.Backup(ctx, cfg.DB, file); err != nil {
		return err
	}
	info, err := os.Stat(file)
	if err != nil {
		return err
	}
	batch, at, err := lastBatch(ctx, file)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "%s: %d bytes, up to batch %d of %s\n", file, info.Size(), batch, at.Format(time.RFC3339))
	fmt.Fprintf(out, "It holds people, accounts, payments and the ledger. It doesn't hold %s and %s, without which apps have to be "+
		"connected again, nor the wallet's secret (POCHI_SECRET, or %s), without which forms that are open have to be sent again. Keep copies of them.\n",
		filepath.Join(cfg.Data, "hydra.db"), filepath.Join(cfg.Data, "hydra.secret"), filepath.Join(cfg.Data, "pochi.secret"))
	return nil
}

// lastBatch reads from a backup how far it goes. Nobody writes it, so it is
// read as it is, and no file is made beside it.
func lastBatch(ctx context.Context, file string) (batch int64, at time.Time, err error) {
	copied, err := sql.Open("sqlite3", "file:"+(&url.URL{Path: file}).EscapedPath()+"?mode=ro&immutable=1")
	if err != nil {
		return 0, at, err
	}
	defer func() { err = errors.Join(err, copied.Close()) }()
	var micros int64
	if err := copied.QueryRowContext(ctx, "SELECT seq, at FROM head").Scan(&batch, &micros); err != nil {
		return 0, at, fmt.Errorf("read %s: %w", file, err)
	}
	return batch, time.UnixMicro(micros).UTC(), nil
}

// restore makes the database from a backup, sets aside the payments that were
// on their way, and verifies the outcome.
func restore(ctx context.Context, cfg config.Config, file string, out io.Writer) error {
	private()
	var parked []uuid.UUID
	err := db.Restore(ctx, file, cfg.DB, func(ctx context.Context, tx db.Tx) (err error) {
		parked, err = payments.Park(ctx, tx)
		return err
	})
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "restored %s from %s\n", cfg.DB, file)
	for _, id := range parked {
		fmt.Fprintf(out, "payment %s was on its way: it needs review\n", id)
	}
	if len(parked) > 0 {
		fmt.Fprintln(out, "Look at them with: pochi admin payment list --state needs_review. What was sent after the backup is unknown here; "+
			"pochi admin payment return ID gives back what a payment still has reserved.")
	}
	if err := check(ctx, cfg, out); err != nil {
		return fmt.Errorf("the backup is restored and must not be used: %w", err)
	}
	return nil
}
