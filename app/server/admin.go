package server

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"pochi/app/admin"
	"pochi/app/config"
	"pochi/app/payments"
	"pochi/db"
	"pochi/ledger"
)

// buildAdmin joins what does the admins' commands to the books.
func buildAdmin(cfg config.Config, d *db.DB, books *ledger.Ledger, log *slog.Logger) http.Handler {
	return admin.Handler(admin.Services{
		Payments: payments.Review{DB: d, Ledger: books, Now: time.Now},
		Database: admin.DatabaseKey(cfg.DB), Log: log,
	})
}

// OpenAdmin opens the database for admins' commands while no wallet runs. It
// returns what does them, and how to close it. Errors: those of db.Open.
func OpenAdmin(ctx context.Context, cfg config.Config, log *slog.Logger) (http.Handler, func() error, error) {
	d, err := db.Open(ctx, db.Options{URL: cfg.DB, Log: log})
	if err != nil {
		return nil, nil, err
	}
	books, err := ledger.Open(ctx, d)
	if err != nil {
		return nil, nil, errors.Join(err, d.Close())
	}
	return buildAdmin(cfg, d, books, log), d.Close, nil
}
