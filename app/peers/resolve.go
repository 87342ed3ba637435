package peers

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"pochi/app/problem"
	"pochi/db"
	"pochi/ledger"

	"github.com/google/uuid"
)

// Resolution is what this wallet and a peer have agreed on about a Claim.
type Resolution struct {
	Reference uuid.UUID
	Accept    bool    // the peer fulfilled; else nothing arrived
	Amount    *uint64 // only if it is still this, in units of the peer's asset; nil: whatever it is
}

func (r Resolution) state() string {
	if r.Accept {
		return ClaimAccepted
	}
	return ClaimDismissed
}

// Resolve ends a claim. What is accepted the peer is owed from then on, at the
// wallet's own expense: the sender has its money back. repeated says that this
// very thing was done before. Errors: problem.NotFound; problem.Conflict when the
// claim was resolved the other way, or is of another amount.
func (s *Service) Resolve(ctx context.Context, name string, r Resolution) (p Peer, c Claim, repeated bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	all, p, err := s.named(ctx, name)
	if err != nil {
		return Peer{}, Claim{}, false, err
	}
	if c, err = findClaim(ctx, s.DB.Read, p, r.Reference); err != nil {
		return Peer{}, Claim{}, false, err
	}
	if err := differs(p, c, r); err != nil || c.State != ClaimOpen {
		return p, c, err == nil, err
	}
	chain, err := r.chain(p, c)
	if err != nil {
		return Peer{}, Claim{}, false, err
	}
	open := c
	c.State, c.ResolvedAt = r.state(), s.Now().UTC().Truncate(time.Microsecond)
	err = s.commit(ctx, chain, func(tx db.Tx) error { return closeClaim(ctx, tx, open, c) }, all)
	if err != nil {
		return Peer{}, Claim{}, false, unresolved(p, err)
	}
	return p, c, false, nil
}

// differs says in what a claim isn't what was agreed about.
func differs(p Peer, c Claim, r Resolution) error {
	switch {
	case c.State != ClaimOpen && c.State != r.state():
		return problem.New(problem.Conflict, "What %s may claim under %s was %s before. Nothing was changed.", p.Name, c.Reference, c.State)
	case r.Amount != nil && *r.Amount != c.Amount:
		return problem.New(problem.Conflict, "What %s may claim under %s is %d (%s), not %d. Nothing was changed.",
			p.Name, c.Reference, c.Amount, ledger.Amount{Value: c.Amount, Asset: p.Asset}, *r.Amount)
	}
	return nil
}

// chain is what a resolution moves.
func (r Resolution) chain(p Peer, c Claim) (ledger.Chain, error) {
	if !r.Accept {
		return nil, nil
	}
	id, err := uuid.NewV7()
	return ledger.Chain{ledger.Transfer{
		ID: id, Debit: ledger.HouseAccount(p.Asset, ledger.CodeEquity), Credit: p.ID, Amount: c.Amount,
		Code: CodeClaimed, Reference: c.Reference,
	}}, err
}

// errGrown: further packets came to be in doubt.
var errGrown = errors.New("the claim isn't what it was")

// closeClaim closes a claim, if it is still as it was read: no more than what was
// agreed about.
func closeClaim(ctx context.Context, tx db.Tx, open, closed Claim) error {
	res, err := tx.ExecContext(ctx, "UPDATE peer_doubts SET state = ?, resolved_at = ? WHERE n = ? AND state = 0 AND packets = ?",
		slices.Index(claimStates[:], closed.State), closed.ResolvedAt.UnixMicro(), open.n, open.Packets)
	if err != nil {
		return err
	}
	if n, err := res.RowsAffected(); err != nil || n != 1 {
		return errors.Join(errGrown, err)
	}
	return nil
}

func unresolved(p Peer, cause error) error {
	switch {
	case errors.Is(cause, errGrown):
		return problem.New(problem.Conflict, "%s may claim more since a moment ago: look again, and repeat it. Nothing was changed.", p.Name).Because(cause)
	case errors.Is(cause, ledger.ErrOverflow), errors.Is(cause, ledger.ErrInsufficient):
		return problem.New(problem.Conflict, "With this %s would be owed more than an amount can be. Nothing was changed.", p.Name).Because(cause)
	}
	return fmt.Errorf("resolve what %s may claim: %w", p.Name, cause)
}
