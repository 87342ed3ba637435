package peers

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"pochi/app/problem"
	"pochi/db"
	"pochi/ilp/ilphttp"
	"pochi/ledger"
)

// Update changes a peer. Packets that come and go from then on are under its
// new terms. Errors: problem.NotFound; problem.Errors as Add's.
func (s *Service) Update(ctx context.Context, name string, c Change) (Changed, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	all, p, err := s.named(ctx, name)
	if err != nil {
		return Changed{}, err
	}
	before, err := s.find(ctx, p.ID)
	if err != nil {
		return Changed{}, err
	}
	rest := others(all, p.ID)
	d := &draft{Peer: p}
	s.change(d, c)
	if c.MaxInFlightValue != nil { // one that was added without stays as it is
		s.wantBound(d)
	}
	d.compare(rest)
	if err := d.err(); err != nil {
		return Changed{}, err
	}
	asked := Standing{Peer: d.Peer, CreditLimit: before.CreditLimit}
	if set(&asked.CreditLimit, c.CreditLimit); len(differences(before, asked)) == 0 {
		return Changed{Standing: before}, nil
	}
	var chain ledger.Chain
	if c.CreditLimit != nil {
		chain = ledger.Chain{ledger.SetLimit{ID: d.ID, Limit: *c.CreditLimit}}
	}
	rows := func(tx db.Tx) error { return s.updateRows(ctx, tx, p, d.Peer) }
	if err := s.commit(ctx, chain, rows, sorted(append(rest, d.Peer))); err != nil {
		return Changed{}, fmt.Errorf("update peer %s: %w", name, err)
	}
	return s.changed(ctx, before, p.ID)
}

// named returns all peers, and the one of that name.
func (s *Service) named(ctx context.Context, name string) ([]Peer, Peer, error) {
	all, err := Load(ctx, s.DB.Read)
	if err != nil {
		return nil, Peer{}, err
	}
	i := slices.IndexFunc(all, func(p Peer) bool { return p.Name == name })
	if i < 0 {
		return nil, Peer{}, errUnknown(name)
	}
	return all, all[i], nil
}

func errUnknown(name string) error {
	return problem.New(problem.NotFound, "There is no peer %q: pochi admin peer list shows those there are.", name)
}

func (s *Service) updateRows(ctx context.Context, tx db.Tx, before, p Peer) error {
	_, err := tx.ExecContext(ctx, `UPDATE peers SET ilp_address = ?, outgoing_url = ?, outgoing_token = ?, async = ?, callback_url = ?,
		max_packet = ?, rate_limit = ?, throughput = ?, max_in_flight_value = ?, max_in_flight_count = ?, default_route = ? WHERE id = ?`,
		string(p.Address), p.OutgoingURL, string(p.OutgoingToken), p.Async, p.CallbackURL,
		p.MaxPacket, p.RateLimit, p.Throughput, p.MaxInFlightValue, p.MaxInFlightCount, p.Default, p.ID[:])
	if err != nil {
		return err
	}
	return errors.Join(s.replaceTokens(ctx, tx, before, p), replaceRoutes(ctx, tx, p))
}

// replaceTokens leaves those that stay as they are: they keep their time.
func (s *Service) replaceTokens(ctx context.Context, tx db.Tx, before, p Peer) error {
	without := func(all, some []ilphttp.TokenHash) []ilphttp.TokenHash {
		return slices.DeleteFunc(slices.Clone(all), func(hash ilphttp.TokenHash) bool {
			return slices.Contains(some, hash)
		})
	}
	for _, hash := range without(before.Tokens, p.Tokens) {
		if _, err := tx.ExecContext(ctx, "DELETE FROM peer_tokens WHERE hash = ?", hash[:]); err != nil {
			return err
		}
	}
	return insertTokens(ctx, tx, p.ID, without(p.Tokens, before.Tokens), s.Now())
}

func replaceRoutes(ctx context.Context, tx db.Tx, p Peer) error {
	if err := execAll(ctx, tx, p.ID, "DELETE FROM peer_routes WHERE peer = ?"); err != nil {
		return err
	}
	return insertRoutes(ctx, tx, p)
}
