// Command pochi is the wallet: `pochi serve` runs it, `pochi check` verifies
// its books.
package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"pochi/app/config"
	"pochi/app/server"
)

const usage = `Pochi, a wallet on the Interledger.

  pochi serve   serve the wallet until a signal
  pochi check   verify every account, transfer, hold and payment; exit 1 when something is wrong
  pochi help    this text, and the environment variables that configure it

`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "pochi:", err)
		stop()
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	name := "help"
	if len(args) == 1 {
		name = args[0]
	}
	switch name {
	case "serve":
		return withConfig(func(cfg config.Config) error { return serve(ctx, cfg) })
	case "check":
		return withConfig(func(cfg config.Config) error { return check(ctx, cfg, os.Stdout) })
	case "help", "-h", "--help":
		fmt.Print(usage, config.Table())
		return nil
	}
	return fmt.Errorf("unknown command %q; pochi help lists them", name)
}

func withConfig(do func(config.Config) error) error {
	cfg, err := config.Load(os.Getenv)
	if err != nil {
		return err
	}
	return do(cfg)
}

func serve(ctx context.Context, cfg config.Config) error {
	syscall.Umask(0o077) // what it writes is for its owner only
	log := slog.New(slog.NewTextHandler(os.Stderr, nil))
	return server.Run(ctx, cfg, log, func() {
		fmt.Printf("Pochi serves %s (Ctrl-C stops it)\n", cfg.PublicURL)
	})
}
