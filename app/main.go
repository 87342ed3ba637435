// Command pochi is the wallet: `pochi serve` runs it, `pochi check` verifies
// its books, `pochi help` lists the rest.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"pochi/app/config"
	"pochi/app/problem"
	"pochi/app/server"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "pochi:", sentence(err))
		stop()
		os.Exit(1)
	}
}

// sentence is an error for whoever runs the program: a problem has one for
// people, several are told a line each, with the flag that it is about, and all
// others are told as they are.
func sentence(err error) string {
	var many problem.Errors
	if errors.As(err, &many) {
		texts := make([]string, len(many))
		for i, each := range many {
			texts[i] = each.Field + ": " + each.Message
		}
		return strings.Join(texts, "\n")
	}
	if problem.CodeOf(err) == problem.Internal {
		return err.Error()
	}
	return problem.MessageOf(err)
}

func withConfig(do func(config.Config) error) error { return configured(config.Load, do) }

// withFiles is for commands that need nothing but the wallet's files, and none
// of its secrets.
func withFiles(do func(config.Config) error) error { return configured(config.LoadFiles, do) }

// withAdmin is withFiles for commands that add people and peers.
func withAdmin(do func(config.Config) error) error { return configured(config.LoadAdmin, do) }

// withRates is withFiles for commands that look after exchange rates.
func withRates(do func(config.Config) error) error { return configured(config.LoadRates, do) }

func configured(load func(getenv func(string) string) (config.Config, error), do func(config.Config) error) error {
	if err := config.CheckNames(os.Environ()); err != nil {
		return err
	}
	cfg, err := load(os.Getenv)
	if err != nil {
		return err
	}
	return do(cfg)
}

func serve(ctx context.Context, cfg config.Config, out io.Writer) error {
	private()
	return server.Run(ctx, cfg, newLog(), func() { go announce(ctx, cfg, out, hydraStep) })
}

func preflight(ctx context.Context, cfg config.Config) error {
	private()
	return server.Preflight(ctx, cfg, newLog())
}

func newLog() *slog.Logger { return slog.New(slog.NewTextHandler(os.Stderr, nil)) }

// private makes what the program writes its owner's only.
func private() { syscall.Umask(0o077) }
