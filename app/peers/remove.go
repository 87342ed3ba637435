package peers

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"pochi/app/problem"
	"pochi/db"
	"pochi/ledger"
)

// Remove ends a peer with which nothing is open; its name, address, tokens and
// routes may be used again. A peer that was removed before is returned, as
// repeated. Errors: problem.NotFound; problem.Conflict, which says how to
// settle what is open.
func (s *Service) Remove(ctx context.Context, name string) (gone Standing, repeated bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	all, p, err := s.named(ctx, name)
	if problem.CodeOf(err) == problem.NotFound {
		gone, err := s.findRemoved(ctx, name)
		return gone, err == nil, err
	}
	if err != nil {
		return Standing{}, false, err
	}
	err = s.commit(ctx, ledger.Chain{ledger.CloseAccount{ID: p.ID}}, func(tx db.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE peers SET removed_at = ?, outgoing_url = '', outgoing_token = '', async = 0, callback_url = '',
			default_route = 0 WHERE id = ?`, s.Now().UnixMicro(), p.ID[:])
		if err != nil {
			return err
		}
		if packets, _, err := InDoubt(ctx, tx, p.ID); err != nil || packets > 0 {
			return errors.Join(err, errInDoubt)
		}
		return execAll(ctx, tx, p.ID, "DELETE FROM peer_tokens WHERE peer = ?", "DELETE FROM peer_routes WHERE peer = ?")
	}, others(all, p.ID))
	switch {
	case errors.Is(err, ledger.ErrNotEmpty), errors.Is(err, errInDoubt):
		return Standing{}, false, s.open(ctx, p, err)
	case err != nil:
		return Standing{}, false, fmt.Errorf("remove peer %s: %w", name, err)
	}
	gone, err = s.find(ctx, p.ID)
	return gone, false, err
}

// errInDoubt: the peer may claim something.
var errInDoubt = errors.New("answers of the peer were lost")

// open says all that keeps a peer, and how to settle it.
func (s *Service) open(ctx context.Context, p Peer, cause error) error {
	now, err := s.find(ctx, p.ID)
	if err != nil {
		return err
	}
	amount := func(units uint64) ledger.Amount { return ledger.Amount{Value: units, Asset: p.Asset} }
	var left []string
	if now.OwedToPeer > 0 {
		left = append(left, fmt.Sprintf("it is owed %s (pay them, then: pochi admin peer settle %s --paid %d)", amount(now.OwedToPeer), p.Name, now.OwedToPeer))
	}
	if now.OwedByPeer > 0 {
		left = append(left, fmt.Sprintf("it owes %s (once you have it: pochi admin peer settle %s --received %d)", amount(now.OwedByPeer), p.Name, now.OwedByPeer))
	}
	if now.FromInFlight > 0 || now.ToInFlight > 0 {
		left = append(left, "packets are on their way (wait until they have ended)")
	}
	if now.Suspense > 0 {
		left = append(left, "something is in suspense (pochi admin suspense list)")
	}
	if now.Doubts > 0 {
		left = append(left, fmt.Sprintf("it may claim %s, since answers were lost (pochi admin peer doubts %s)", amount(now.DoubtAmount), p.Name))
	}
	if left == nil {
		return problem.New(problem.Conflict, "Peer %s was in use until just now. Try again.", p.Name).Because(cause)
	}
	return problem.New(problem.Conflict, "Peer %s can't be removed yet: %s.", p.Name, strings.Join(left, "; ")).Because(cause)
}
