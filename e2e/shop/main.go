// Command shop is a flower shop that is paid with Pochi, as a program of somebody else's would be: all it knows of the wallet
// is what the wallet offers to everybody, OAuth2, the HTTP API and the Interledger link of an agreement. Nothing of the wallet
// is imported but package ilp, as a library for Interledger packets.
//
// A bouquet is paid once, a subscription is billed as often as its agreement allows, and a song in the shop is tipped with a
// stream of packets, for as long as it plays.
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx); err != nil {
		log.Fatal("shop: ", err)
	}
}

// run serves until ctx ends.
func run(ctx context.Context) error {
	cfg, err := readConfig()
	if err != nil {
		return err
	}
	deals, err := openDeals(cfg.Data)
	if err != nil {
		return err
	}
	bank, err := discover(ctx, cfg)
	if err != nil {
		return err
	}
	tips, err := newBand(ctx, cfg, bank, deals)
	if err != nil {
		return err
	}
	defer tips.wait()
	s := &shop{config: cfg, wallet: bank, deals: deals, band: tips}
	return serve(ctx, cfg.Listen, s.routes())
}

// serve answers requests until ctx ends, and then those that have begun.
func serve(ctx context.Context, address string, handler http.Handler) error {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return fmt.Errorf("SHOP_LISTEN: %w", err)
	}
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 5 * time.Second}
	ended := make(chan error, 1)
	go func() {
		<-ctx.Done()
		rest, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		ended <- server.Shutdown(rest)
	}()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return <-ended
}
