package admin

import (
	"context"
	"log/slog"
	"time"

	"pochi/app/peers"
	"pochi/app/rates"
	"pochi/db"
)

// Office is what the wallet's own programs, its OAuth clients, see of it and do
// to it while it runs. They do it as admins' commands do.
type Office struct {
	DB    *db.DB
	Rates OfficeRates
	Log   *slog.Logger
}

// OfficeRates is what an Office needs of the exchange rates.
type OfficeRates interface {
	Rates
	InForce() []rates.Rate
}

// ListPeers returns all peers, oldest first.
func (o Office) ListPeers(ctx context.Context) ([]Peer, error) {
	all, err := peers.Standings(ctx, o.DB.Read)
	if err != nil {
		return nil, err
	}
	out := make([]Peer, len(all))
	for i, peer := range all {
		out[i] = newPeer(peer)
	}
	return out, nil
}

// ListRates returns what is in force in each direction, too old or not.
func (o Office) ListRates() []Rate {
	now, all := time.Now(), o.Rates.InForce()
	out := make([]Rate, len(all))
	for i, rate := range all {
		out[i] = newRate(rate, now)
	}
	return out
}

// SetRate puts an exchange rate in force for the client that asks, and logs that
// it did. It returns the direction that was set and the other. Errors: those of
// rates.Book.
func (o Office) SetRate(ctx context.Context, clientID string, change rates.Change) ([]Rate, error) {
	set, done, err := setRate(ctx, o.Rates, change)
	record(o.Log.With("path", pathRate(change.From, change.To), "client", clientID), done, err)
	return set, err
}
