package server

import (
	"log/slog"
	"time"

	"pochi/app/config"
	"pochi/app/fetch"
	"pochi/app/peers"
	"pochi/db"
	"pochi/ilp/address"
	"pochi/ilp/ilphttp"
	"pochi/ledger"
)

// buildPeerClient makes what sends packets to peers, and replies to theirs. The
// server that takes the callbacks for pending is to be where cfg says; without it
// pending is nil.
func buildPeerClient(cfg config.Config, pending *ilphttp.Pending, log *slog.Logger) (*ilphttp.Client, error) {
	own, err := ownAddress(cfg)
	if err != nil {
		return nil, err
	}
	client := ilphttp.ClientConfig{
		Address: own, DialContext: fetch.DialContext(!cfg.Production()), AllowLoopback: !cfg.Production(), Log: log,
	}
	if url := cfg.CallbackURL(); url != "" && pending != nil {
		client.CallbackURL, client.Pending = url, pending
	}
	return ilphttp.NewClient(client)
}

// buildPeers makes what keeps the peers.
func buildPeers(cfg config.Config, d *db.DB, books *ledger.Ledger, link *ilphttp.Client) *peers.Service {
	return peers.New(peers.Config{
		DB: d, Ledger: books, Own: address.Address(cfg.ILPAddress), ExchangeLimit: cfg.ExchangeLimitOf,
		Production: cfg.Production(), HTTP: link, CallbackURL: cfg.CallbackURL(), Now: time.Now,
	})
}
