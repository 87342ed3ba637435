package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"os"

	"pochi/app/admin"
	"pochi/app/config"
	"pochi/app/server"
)

func (c suspenseList) Run(p *program) error {
	return withFiles(func(cfg config.Config) error { return newLists(cfg, p).Suspense(p.ctx, c.All) })
}

func (c suspenseRelease) Run(p *program) error {
	return change(p, func(client admin.Client) ([]admin.SuspenseItem, error) { return client.Release(p.ctx, c.Item) })
}

func (c suspensePay) Run(p *program) error {
	return change(p, func(client admin.Client) ([]admin.SuspenseItem, error) { return client.Pay(p.ctx, c.Item) })
}

func (c paymentList) Run(p *program) error {
	return withFiles(func(cfg config.Config) error { return newLists(cfg, p).Payments(p.ctx, c.State) })
}

func (c paymentReturn) Run(p *program) error {
	return change(p, func(client admin.Client) ([]admin.Payment, error) {
		returned, err := client.Return(p.ctx, c.ID)
		return []admin.Payment{returned}, err
	})
}

// change has things changed, by the running wallet or right here, and prints
// them as they are then.
func change[Thing any](p *program, do func(admin.Client) ([]Thing, error)) error {
	return changeWith(withFiles, p, do)
}

// changeOne is change for the commands that add people and peers.
func changeOne[Thing any](p *program, do func(admin.Client) (Thing, error)) error {
	return changeWith(withAdmin, p, func(client admin.Client) ([]Thing, error) {
		changed, err := do(client)
		return []Thing{changed}, err
	})
}

func changeWith[Thing any](configured func(func(config.Config) error) error, p *program, do func(admin.Client) ([]Thing, error)) error {
	return configured(func(cfg config.Config) error {
		private()
		changed, err := do(newAdminClient(cfg))
		if err != nil {
			return err
		}
		encoder := json.NewEncoder(p.out)
		for _, thing := range changed {
			if err := encoder.Encode(thing); err != nil {
				return unsaid("it was done", err)
			}
		}
		return nil
	})
}

// unsaid tells that something was done, though what became of it can't be
// printed.
func unsaid(done string, err error) error {
	return fmt.Errorf("%s, but the answer can't be printed: %w", done, err)
}

func newLists(cfg config.Config, p *program) admin.Lists {
	return admin.Lists{DB: cfg.DB, Out: p.out, Warn: os.Stderr}
}

func newAdminClient(cfg config.Config) admin.Client {
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	return admin.Client{Data: cfg.Data, DB: cfg.DB, Open: func(ctx context.Context) (http.Handler, func() error, error) {
		return server.OpenAdmin(ctx, cfg, log)
	}}
}
