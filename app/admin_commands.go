package main

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"os"

	"pochi/app/admin"
	"pochi/app/config"
	"pochi/app/server"
)

func (c suspenseList) Run(p *program) error {
	return withConfig(func(cfg config.Config) error { return admin.ListSuspense(p.ctx, cfg.DB, c.All, p.out) })
}

func (c suspenseRelease) Run(p *program) error {
	return change(p, func(client admin.Client) (any, error) { return client.Release(p.ctx, c.Item) })
}

func (c suspensePay) Run(p *program) error {
	return change(p, func(client admin.Client) (any, error) { return client.Pay(p.ctx, c.Item) })
}

func (c paymentList) Run(p *program) error {
	return withConfig(func(cfg config.Config) error { return admin.ListPayments(p.ctx, cfg.DB, c.State, p.out) })
}

func (c paymentReturn) Run(p *program) error {
	return change(p, func(client admin.Client) (any, error) { return client.Return(p.ctx, c.ID) })
}

// change has something changed, by the running wallet or right here, and
// prints it as it is then.
func change(p *program, do func(admin.Client) (any, error)) error {
	return withConfig(func(cfg config.Config) error {
		private()
		changed, err := do(newAdminClient(cfg))
		if err != nil {
			return err
		}
		return printJSON(p.out, changed)
	})
}

func newAdminClient(cfg config.Config) admin.Client {
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	return admin.Client{Data: cfg.Data, DB: cfg.DB, Open: func(ctx context.Context) (http.Handler, func() error, error) {
		return server.OpenAdmin(ctx, cfg, log)
	}}
}

// printJSON prints an object on a line of its own.
func printJSON(out io.Writer, v any) error { return json.NewEncoder(out).Encode(v) }
