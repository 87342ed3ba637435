package agreements

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"pochi/app/problem"
	"pochi/ilp/connector"
	"pochi/ledger"

	"github.com/google/uuid"
)

// Use is what an app wants to do under an agreement with one payment.
type Use struct {
	Amount   uint64 // units of the agreement's asset
	Receiver string // payment pointer, as pointer.Pointer writes it: "$shop.example/pay"
}

// Allowance is what a payment needs to happen under an agreement: Authority's
// account, limit and guard; how much of it, the payment knows.
type Allowance struct {
	Agreement Agreement
	Authority connector.Authority
}

// Allow says whether a payment may be made under an agreement now, but for what is
// left of it in this interval: that, the ledger knows, when the money moves.
// Errors: problem.NotFound; problem.Forbidden when the agreement is paused, has
// ended or hasn't begun, and with the field receiver for somebody whom it doesn't
// name; problem.LimitExceeded with the field amount.
func (s *Service) Allow(ctx context.Context, id uuid.UUID, use Use) (Allowance, error) {
	st, err := s.standing(ctx, id)
	if err != nil {
		return Allowance{}, err
	}
	w, err := s.usable(st)
	if err != nil {
		return Allowance{}, err
	}
	if err := st.within(use); err != nil {
		return Allowance{}, err
	}
	return Allowance{Agreement: st.Agreement.copy(), Authority: w.terms.Authority}, nil
}

// copy is an agreement that its receiver may change.
func (a Agreement) copy() Agreement {
	a.Receivers = slices.Clone(a.Receivers)
	return a
}

// within checks one payment by itself.
func (st *standing) within(use Use) error {
	limit, what := st.Amount, st.Interval.Per()
	if st.PaymentMax > 0 {
		limit.Value, what = st.PaymentMax, "in one payment"
	}
	switch {
	case use.Amount == 0:
		return problem.Field("amount", "%s", ledger.ErrAmountNegative.Error())
	case use.Amount > limit.Value:
		exceeded := problem.New(problem.LimitExceeded, "This agreement allows at most %s %s.", limit, what)
		exceeded.Field = "amount"
		return exceeded
	case len(st.Receivers) > 0 && !slices.Contains(st.Receivers, use.Receiver):
		other := problem.New(problem.Forbidden, "This agreement pays only %s.", strings.Join(st.Receivers, ", "))
		other.Field = "receiver"
		return other
	}
	return nil
}

// usable returns the window of an agreement that can be used now, or tells why it
// can't be.
func (s *Service) usable(st *standing) (*window, error) {
	now := s.now()
	if err := st.live(now); err != nil {
		return nil, err
	}
	if st.State == Paused {
		return nil, problem.New(problem.Forbidden, "This agreement is paused by its owner.")
	}
	w, ok := s.at(st, now)
	if !ok {
		return nil, errTime(st, now)
	}
	return w, nil
}

// live tells why an agreement has ended, nil if it hasn't.
func (st *standing) live(now time.Time) error {
	switch {
	case st.State == Revoked:
		return problem.New(problem.Forbidden, "This agreement was revoked.")
	case st.over(now):
		return errTime(st, now)
	}
	return nil
}

// errTime says that it is too late, or too early.
func errTime(st *standing, now time.Time) error {
	if st.over(now) {
		return problem.New(problem.Forbidden, "This agreement has expired.")
	}
	early := problem.New(problem.Forbidden, "This agreement can't be used before %s.", st.begins.Format("2 January 2006, 15:04 UTC"))
	early.RetryAfter = st.begins.Sub(now)
	return early
}

// Agreement implements connector.Agreements, for packets. Whoever spends them can't
// say whom they pay: where that matters, they are refused.
func (s *Service) Agreement(ctx context.Context, id [16]byte, amount uint64) (connector.Terms, error) {
	st, err := s.standing(ctx, id)
	switch {
	case problem.CodeOf(err) == problem.NotFound:
		return connector.Terms{}, fmt.Errorf("%w: %w", connector.ErrRefused, err)
	case err != nil:
		return connector.Terms{}, err
	}
	w, err := s.usable(st)
	switch {
	case err != nil:
		return connector.Terms{}, fmt.Errorf("%w: %w", connector.ErrRefused, err)
	case !st.Packets():
		return connector.Terms{}, fmt.Errorf("%w: the agreement has receivers or a cap on payments", connector.ErrRefused)
	case amount > st.Amount.Value:
		return connector.Terms{}, fmt.Errorf("%w: the packet is more than the agreement allows in an interval", connector.ErrInsufficient)
	}
	return w.terms, nil
}

// Live returns nil while an agreement is active or paused: tokens for it are good
// so long. Errors: problem.NotFound; problem.Forbidden when it has ended.
func (s *Service) Live(ctx context.Context, id uuid.UUID) error {
	st, err := s.standing(ctx, id)
	if err != nil {
		return err
	}
	return st.live(s.now())
}
