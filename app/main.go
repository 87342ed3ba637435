// Command pochi is the wallet: `pochi serve` runs it, `pochi check` verifies
// its books.
package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"pochi/app/config"
	"pochi/app/server"
)

const usage = `Pochi, a wallet on the Interledger.

  pochi serve      serve the wallet until a signal
  pochi preflight  start as serve does, then end; exit 1 when it can't start
  pochi check      verify every account, transfer, hold and payment; exit 1 when something is wrong
  pochi help       this text, and the environment variables that configure it

`

const hydraUsage = `
POCHI_HYDRA_SECRET is for Ory Hydra only: at least 16 characters; in dev one is made in DATA at the first start.
`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "pochi:", err)
		stop()
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out io.Writer) error {
	name := "help"
	if len(args) > 0 {
		name = args[0]
	}
	if len(args) > 1 {
		return fmt.Errorf("%s takes no arguments; pochi help lists the commands", name)
	}
	switch name {
	case "serve":
		return withConfig(func(cfg config.Config) error { return serve(ctx, cfg, out) })
	case "preflight":
		return withConfig(func(cfg config.Config) error { return preflight(ctx, cfg) })
	case "check":
		return withConfig(func(cfg config.Config) error { return check(ctx, cfg, out) })
	case "help", "-h", "--help":
		_, err := fmt.Fprint(out, usage, config.Table(), hydraUsage)
		return err
	}
	return fmt.Errorf("unknown command %q; pochi help lists them", name)
}

func withConfig(do func(config.Config) error) error {
	if err := config.CheckNames(os.Environ()); err != nil {
		return err
	}
	cfg, err := config.Load(os.Getenv)
	if err != nil {
		return err
	}
	return do(cfg)
}

func serve(ctx context.Context, cfg config.Config, out io.Writer) error {
	private()
	log := slog.New(slog.NewTextHandler(os.Stderr, nil))
	return server.Run(ctx, cfg, log, func() { go announce(ctx, cfg, out, hydraStep) })
}

// preflight serves for a moment, so that whatever keeps the wallet from
// starting is said before anything else runs.
func preflight(ctx context.Context, cfg config.Config) error {
	private()
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	return server.Run(ctx, cfg, slog.New(slog.DiscardHandler), stop)
}

// private makes what the program writes its owner's only.
func private() { syscall.Umask(0o077) }
