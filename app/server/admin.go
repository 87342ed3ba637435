package server

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"pochi/app/accounts"
	"pochi/app/admin"
	"pochi/app/apps"
	"pochi/app/config"
	"pochi/app/payments"
	"pochi/app/peers"
	"pochi/app/rates"
	"pochi/app/users"
	"pochi/db"
	"pochi/ledger"
)

// buildAdmin joins what does the admins' commands to the books.
func buildAdmin(cfg config.Config, d *db.DB, books *ledger.Ledger, exchange *rates.Book, nodes *peers.Service, newcomers people,
	clients admin.Clients, registered *apps.Service, log *slog.Logger) http.Handler {
	return admin.Handler(admin.Services{
		Payments: payments.Review{DB: d, Ledger: books, Now: time.Now}, Rates: exchange,
		Peers: nodes, People: newcomers, Clients: clients, Apps: registrations{newcomers.users, registered},
		Database: admin.DatabaseKey(cfg.DB), Log: log,
	})
}

// OpenAdmin opens the database for admins' commands while no wallet runs. It
// returns what does them, and how to close it. Errors: db.ErrOwner, and those
// of db.Open.
func OpenAdmin(ctx context.Context, cfg config.Config, log *slog.Logger) (http.Handler, func() error, error) {
	if err := db.CheckOwner(cfg.DB); err != nil {
		return nil, nil, err
	}
	d, err := db.Open(ctx, db.Options{URL: cfg.DB, Log: log})
	if err != nil {
		return nil, nil, err
	}
	handler, err := openAdmin(ctx, cfg, d, log)
	if err != nil {
		return nil, nil, errors.Join(err, d.Close())
	}
	return handler, d.Close, nil
}

func openAdmin(ctx context.Context, cfg config.Config, d *db.DB, log *slog.Logger) (http.Handler, error) {
	books, err := ledger.Open(ctx, d)
	if err != nil {
		return nil, err
	}
	link, err := buildPeerClient(cfg, nil, log)
	if err != nil {
		return nil, err
	}
	currencies, err := cfg.Assets()
	if err != nil {
		return nil, err
	}
	exchange, err := openRates(ctx, cfg, d)
	if err != nil {
		return nil, err
	}
	clients, err := buildProvider(cfg)
	if err != nil {
		return nil, err
	}
	registered := apps.New(d, clients, buildAgreements(cfg, d, books, currencies, log), time.Now)
	persons := accounts.New(d, books, currencies, time.Now)
	newcomers := people{db: d, users: users.New(d, books, persons, users.Options{}), accounts: persons, host: cfg.Host()}
	return buildAdmin(cfg, d, books, exchange, buildPeers(cfg, d, books, link), newcomers, clients, registered, log), nil
}

// warnOfUnsettled says at the start what waits for somebody's decision.
func warnOfUnsettled(ctx context.Context, d *db.DB, log *slog.Logger) error {
	left, err := payments.CountUnsettled(ctx, d.Read)
	if err == nil && left != (payments.Unsettled{}) {
		log.Warn("money waits for your decision: pochi admin suspense list, pochi admin payment list --state needs_review, pochi admin peer doubts NAME",
			"suspense_items", left.Items, "payments_to_review", left.Reviews, "doubts", left.Doubts)
	}
	return err
}
