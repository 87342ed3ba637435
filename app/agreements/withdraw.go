package agreements

import (
	"context"

	"pochi/app/problem"

	"github.com/google/uuid"
)

// Answered returns what a person has approved with a consent, or problem.NotFound.
func (s *Service) Answered(ctx context.Context, userID uuid.UUID, consent [32]byte) (Agreement, error) {
	return s.find(ctx, "consent = ? AND user_id = ?", consent[:], userID[:])
}

// Withdraw ends what a person has approved with a consent, if they have and it
// hasn't ended: they said no after all, or the app can't be told of their yes.
func (s *Service) Withdraw(ctx context.Context, userID uuid.UUID, consent [32]byte) error {
	a, err := s.Answered(ctx, userID, consent)
	if problem.CodeOf(err) == problem.NotFound || err == nil && !a.Live() {
		return nil
	}
	if err != nil {
		return err
	}
	return s.Revoke(ctx, userID, a.ID)
}
