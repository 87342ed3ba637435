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
	"strings"
	"time"

	"pochi/app/agreements"
	"pochi/app/apps"
	"pochi/app/config"
	"pochi/app/payments"
	"pochi/app/peers"
	"pochi/app/sessions"
	"pochi/db"

	"github.com/google/uuid"
)

// backup copies the database into a new file, also while a wallet writes it,
// and says what the copy holds and what it doesn't.
func backup(ctx context.Context, cfg config.Config, file string, out io.Writer) error {
	private()
	if file == "" {
		return errors.New("the backup's file has no name")
	}
	if err := db.Backup(ctx, cfg.DB, file); err != nil {
		return err
	}
	text, err := describe(ctx, cfg, file)
	if err == nil {
		_, err = io.WriteString(out, text)
	}
	if err != nil {
		return unsaid("the backup is made", err)
	}
	return nil
}

func describe(ctx context.Context, cfg config.Config, file string) (string, error) {
	info, err := os.Stat(file)
	if err != nil {
		return "", err
	}
	last, err := lastBatchOf(ctx, file)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%s: %d bytes, %s\n", file, info.Size(), last) +
		fmt.Sprintf("It holds people, accounts, payments and the ledger. It doesn't hold %s and %s, without which apps have to be "+
			"connected again, nor the wallet's secret (POCHI_SECRET, or %s), without which forms that are open have to be sent again "+
			"and payments that are on their way to this wallet end early. Keep copies of them.\n",
			filepath.Join(cfg.Data, "hydra.db"), filepath.Join(cfg.Data, "hydra.secret"), filepath.Join(cfg.Data, "pochi.secret")), nil
}

// lastBatchOf reads from a backup how far it goes. Nobody writes it, so it is
// read as it is, and no file is made beside it.
func lastBatchOf(ctx context.Context, file string) (last string, err error) {
	copied, err := sql.Open("sqlite3", "file:"+(&url.URL{Path: file}).EscapedPath()+"?mode=ro&immutable=1")
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, copied.Close()) }()
	if last, err = lastBatch(ctx, copied); err != nil {
		return "", fmt.Errorf("read %s: %w", file, err)
	}
	return last, nil
}

// lastBatch says how far a database goes.
func lastBatch(ctx context.Context, read *sql.DB) (string, error) {
	var batch, micros int64
	if err := read.QueryRowContext(ctx, "SELECT seq, at FROM head").Scan(&batch, &micros); err != nil {
		return "", err
	}
	return fmt.Sprintf("up to batch %d of %s", batch, time.UnixMicro(micros).UTC().Format(time.RFC3339)), nil
}

// restore makes the database from a backup, if what it holds is in order, and
// changes what must not go on as if nothing had happened.
func restore(ctx context.Context, cfg config.Config, file string, out io.Writer) error {
	private()
	var stopped interrupted
	var nodes []peers.Peer
	var last string
	err := db.Restore(ctx, file, cfg.DB, db.Restoring{
		Change: func(ctx context.Context, tx db.Tx) (err error) {
			stopped, err = interrupt(ctx, tx)
			return err
		},
		Verify: func(ctx context.Context, read *sql.DB) (err error) {
			if last, err = lastBatch(ctx, read); err != nil {
				return err
			}
			if nodes, err = peers.Load(ctx, read); err != nil {
				return err
			}
			if err = verify(ctx, read, true, out); err != nil {
				err = fmt.Errorf("nothing was restored: %w", err)
			}
			return err
		},
	})
	if err != nil {
		return err
	}
	text := fmt.Sprintf("restored %s from %s, %s\n", cfg.DB, file, last) + aboutParked(stopped.payments) + aboutPaused(stopped.agreements) + aboutPeers(nodes)
	if _, err := io.WriteString(out, text); err != nil {
		return unsaid("the backup is restored", err)
	}
	return nil
}

// interrupted is what a restore has stopped.
type interrupted struct {
	payments   []uuid.UUID // wait for review
	agreements int64       // paused
}

// interrupt changes what may have gone on elsewhere after the backup was made:
// payments on their way wait for review, agreements with apps for their owners,
// nobody is logged in, quotes have to be asked for again, and Hydra is told of all apps
// anew.
func interrupt(ctx context.Context, tx db.Tx) (stopped interrupted, err error) {
	if stopped.payments, err = payments.Park(ctx, tx); err != nil {
		return stopped, err
	}
	if stopped.agreements, err = agreements.PauseAll(ctx, tx, time.Now()); err != nil {
		return stopped, err
	}
	return stopped, errors.Join(payments.DropQuotes(ctx, tx), sessions.EndAll(ctx, tx), apps.Unsettle(ctx, tx))
}

// aboutPaused says what of agreements only their owners can make good.
func aboutPaused(count int64) string {
	if count == 0 {
		return ""
	}
	return fmt.Sprintf("Agreements with apps are paused (%d): what was revoked, lowered or used after the backup is unknown here. "+
		"Their owners can resume them.\n", count)
}

func aboutParked(parked []uuid.UUID) string {
	var b strings.Builder
	for _, id := range parked {
		fmt.Fprintf(&b, "payment %s was on its way: it needs review\n", id)
	}
	if len(parked) > 0 {
		fmt.Fprintln(&b, "Look at them with: pochi admin payment list --state needs_review. What was sent after the backup is unknown here; "+
			"pochi admin payment return ID gives back what a payment still has reserved.")
	}
	fmt.Fprintln(&b, "Everybody has to log in again, and quotes that were not confirmed have to be asked for again.")
	return b.String()
}

// aboutPeers says what of peers has to be made good by hand.
func aboutPeers(nodes []peers.Peer) string {
	if len(nodes) == 0 {
		return ""
	}
	names := make([]string, len(nodes))
	for i, node := range nodes {
		names[i] = node.Name
	}
	return fmt.Sprintf("What was sent to and from peers (%s) after the backup is unknown here: compare with each what you owe each other "+
		"(pochi admin peer list), and change again the tokens and limits that you changed since.\n", strings.Join(names, ", "))
}
