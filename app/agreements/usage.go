package agreements

import (
	"context"
	"errors"
	"fmt"
	"time"

	"pochi/ledger"

	"github.com/google/uuid"
)

// Usage returns how much of an agreement is used in the interval that is now, as it
// is committed. Error: problem.NotFound.
func (s *Service) Usage(ctx context.Context, id uuid.UUID) (Usage, error) {
	a, err := s.Find(ctx, id)
	if err != nil {
		return Usage{}, err
	}
	return s.usage(ctx, a, s.now())
}

func (s *Service) usage(ctx context.Context, a Agreement, now time.Time) (Usage, error) {
	moment := now
	if begins := a.Begins(); moment.Before(begins) {
		moment = begins
	}
	if ended := a.EndedAt; !ended.IsZero() && !moment.Before(ended) {
		moment = ended
	}
	if ends := a.Ends(); !ends.IsZero() && !moment.Before(ends) {
		moment = ends.Add(-1)
	}
	span, ok := a.Span(moment)
	if !ok { // it was ended before it began
		span, _ = a.Span(a.Begins())
	}
	u := Usage{Span: span, Limit: a.Amount.Value}
	account, err := ledger.Find(ctx, s.DB.Read, AuthorityAccount(a.ID, span.N))
	if err != nil && !errors.Is(err, ledger.ErrAccountUnknown) {
		return Usage{}, fmt.Errorf("look up what is used: %w", err)
	}
	u.Used = usedOf(account)
	if a.Live() && u.Used < u.Limit {
		u.Left = u.Limit - u.Used
	}
	return u, nil
}

// usedOf is what an allowance's account says is used: what came back is credited to
// it.
func usedOf(a ledger.Account) uint64 {
	debits := a.DebitsPosted + a.DebitsPending
	if debits <= a.CreditsPosted {
		return 0
	}
	return debits - a.CreditsPosted
}
