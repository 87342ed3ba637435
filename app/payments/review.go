package payments

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"pochi/app/problem"
	"pochi/db"
	"pochi/ledger"

	"github.com/google/uuid"
)

// Review is what admins do about money that the wallet can't decide about by
// itself. Each of its methods is safe to repeat: what was done before is told,
// and not done again.
type Review struct {
	DB     *db.DB
	Ledger Ledger
	Now    func() time.Time
}

// Suspense is an item of the ledger's suspense account, and whose payment it is
// about. The zero payment is no payment of a person of this wallet's.
type Suspense struct {
	ledger.SuspenseItem
	Payment Outgoing
	App     string // that made the payment, or sent this over its own link; "" for none
	Email   string // of the payer
}

// The states of a ledger.SuspenseItem.
const (
	SuspenseOpen     = "open"
	SuspenseReleased = "released" // it didn't arrive: the bearer has it back
	SuspensePaid     = "paid"     // it arrived: the counterparty has it
)

// ListSuspense returns the items in the order in which they came about.
func ListSuspense(ctx context.Context, tx db.Tx, onlyOpen bool) ([]Suspense, error) {
	items, err := ledger.Suspense(ctx, tx, onlyOpen)
	if err != nil {
		return nil, fmt.Errorf("list suspense: %w", err)
	}
	out := make([]Suspense, len(items))
	for i, item := range items {
		if out[i], err = describe(ctx, tx, item); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// findGroup returns the items that are resolved together with one, it included.
func findGroup(ctx context.Context, tx db.Tx, n int64) ([]Suspense, error) {
	item, err := findSuspense(ctx, tx, n)
	if err != nil {
		return nil, err
	}
	numbers, err := numbersOf(ctx, tx, item.Group)
	if err != nil {
		return nil, fmt.Errorf("find the group of suspense item %d: %w", n, err)
	}
	out := make([]Suspense, len(numbers))
	for i, n := range numbers {
		if out[i], err = findSuspense(ctx, tx, n); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func numbersOf(ctx context.Context, tx db.Tx, group int64) (out []int64, err error) {
	rows, err := tx.QueryContext(ctx, "SELECT n FROM suspense WHERE together = ? ORDER BY n", group)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var n int64
		if err := rows.Scan(&n); err != nil {
			return nil, err
		}
		out = append(out, n)
	}
	return out, rows.Err()
}

func findSuspense(ctx context.Context, tx db.Tx, n int64) (Suspense, error) {
	item, err := ledger.FindSuspense(ctx, tx, n)
	if errors.Is(err, ledger.ErrSuspenseUnknown) {
		return Suspense{}, problem.New(problem.NotFound, "There is no suspense item %d.", n).Because(err)
	}
	if err != nil {
		return Suspense{}, fmt.Errorf("find suspense item %d: %w", n, err)
	}
	return describe(ctx, tx, item)
}

// describe adds the payment that an item is about.
func describe(ctx context.Context, tx db.Tx, item ledger.SuspenseItem) (Suspense, error) {
	s := Suspense{SuspenseItem: item}
	p, err := findOutgoing(ctx, tx, item.Reference)
	if problem.CodeOf(err) == problem.NotFound {
		return s, describeStream(ctx, tx, &s)
	}
	if err != nil {
		return s, fmt.Errorf("payment of suspense item %d: %w", item.Item, err)
	}
	s.Payment, s.App = p, p.App
	s.Email, err = emailOf(ctx, tx, p.UserID)
	return s, err
}

// describeStream adds the app whose packets an item is about, if it is.
func describeStream(ctx context.Context, tx db.Tx, s *Suspense) error {
	err := tx.QueryRowContext(ctx, "SELECT g.app, u.email FROM agreements g JOIN users u ON u.id = g.user_id WHERE g.id = ?", s.Reference[:]).
		Scan(&s.App, &s.Email)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return fmt.Errorf("agreement of suspense item %d: %w", s.Item, err)
	}
	return nil
}

func emailOf(ctx context.Context, tx db.Tx, userID uuid.UUID) (email string, err error) {
	err = tx.QueryRowContext(ctx, "SELECT email FROM users WHERE id = ?", userID[:]).Scan(&email)
	return email, err
}

// Resolve ends a suspense item, and those of its group, after the two wallets
// have agreed on what became of them: paid, they go to the counterparties, and
// count as sent for the payment they are about; else the bearers have them back.
// It returns the whole group. repeated says that this very thing was done
// before. Errors: problem.NotFound; problem.Conflict when the items were resolved
// the other way, or when an account they would go to is closed.
func (r Review) Resolve(ctx context.Context, n int64, pay bool) (group []Suspense, repeated bool, err error) {
	if group, err = findGroup(ctx, r.DB.Read, n); err != nil {
		return nil, false, err
	}
	if group[0].State != SuspenseOpen {
		return resolvedBefore(group, n, pay)
	}
	err = r.resolve(ctx, group[0], pay)
	for errors.Is(err, errMoved) {
		err = r.resolve(ctx, group[0], pay)
	}
	refused := errors.Is(err, ledger.ErrSuspenseResolved) // somebody was faster
	switch {
	case errors.Is(err, ledger.ErrAccountClosed):
		return nil, false, problem.New(problem.Conflict, "An account that item %d or its group would go to is closed. Nothing was moved.", n).Because(err)
	case err != nil && !refused:
		return nil, false, fmt.Errorf("resolve suspense item %d: %w", n, err)
	}
	if group, err = findGroup(ctx, r.DB.Read, n); err != nil {
		return nil, false, err
	}
	if refused {
		return resolvedBefore(group, n, pay)
	}
	return group, false, nil
}

// resolve returns errMoved if something else happened to the item's payment meanwhile.
func (r Review) resolve(ctx context.Context, s Suspense, pay bool) error {
	chain, rows, err := settlementOf(ctx, r.DB.Read, s.SuspenseItem, pay)
	if err != nil {
		return err
	}
	return r.Ledger.Submit(ctx, append(ledger.Chain{ledger.ResolveSuspense{Item: s.Item, Pay: pay}}, chain...), func(tx db.Tx) error {
		if err := rows(tx); err != nil || !pay {
			return err
		}
		if err := addPaid(ctx, tx, s.SuspenseItem); err != nil {
			return err
		}
		return addStreamed(ctx, tx, s.SuspenseItem, r.Now())
	})
}

// resolvedBefore answers who asks for item n again: its group has one state.
func resolvedBefore(group []Suspense, n int64, pay bool) ([]Suspense, bool, error) {
	state := group[0].State
	if paid := state == SuspensePaid; paid != pay {
		return nil, false, problem.New(problem.Conflict, "Item %d was %s before. Nothing was moved.", n, state)
	}
	return group, true, nil
}

// addPaid adds to what a payment has sent all that was taken from its account
// and is resolved with an item. A payment that had ended without it may be
// complete now.
func addPaid(ctx context.Context, tx db.Tx, item ledger.SuspenseItem) error {
	const paid = `(SELECT coalesce(sum(x.amount), 0) FROM suspense x JOIN accounts b ON b.n = x.bearer
		WHERE x.reference = ?1 AND x.together = ?2 AND b.id = account_id)`
	_, err := tx.ExecContext(ctx, `UPDATE outgoing_payments SET sent_amount = sent_amount + `+paid+`,
		state = CASE WHEN state = 'failed' AND sent_amount + `+paid+` = debit_amount THEN 'completed' ELSE state END,
		reason = CASE WHEN state = 'failed' AND sent_amount + `+paid+` = debit_amount THEN '' ELSE reason END
		WHERE id = ?1`, item.Reference[:], item.Group)
	if err != nil {
		return fmt.Errorf("write the payment of suspense item %d: %w", item.Item, err)
	}
	return nil
}

// Return ends a payment that needs review: what it still has reserved is the
// person's again. repeated says that this was done before. Errors:
// problem.NotFound; problem.Conflict for a payment in another state.
func (r Review) Return(ctx context.Context, id uuid.UUID) (p Payer, repeated bool, err error) {
	if p, err = findPayer(ctx, r.DB.Read, id); err != nil {
		return p, false, err
	}
	if p.State != NeedsReview {
		return returnedBefore(p)
	}
	err = r.end(ctx, p.Outgoing)
	for errors.Is(err, errMoved) {
		err = r.end(ctx, p.Outgoing)
	}
	refused := errors.Is(err, ledger.ErrHoldUnknown) // somebody was faster: nothing else closes such a hold
	if err != nil && !refused {
		return p, false, fmt.Errorf("return payment %s: %w", id, err)
	}
	if p, err = findPayer(ctx, r.DB.Read, id); err != nil {
		return p, false, err
	}
	if refused {
		return returnedBefore(p)
	}
	return p, false, nil
}

// end ends a payment that needs review. It returns errMoved if something else happened
// to it meanwhile.
func (r Review) end(ctx context.Context, p Outgoing) error {
	chain, rows, err := endsOf(ctx, r.DB.Read, p, func(tx db.Tx) error {
		_, err := endRow(ctx, tx, p.ID, NeedsReview, ending{why: returnedReason}, r.Now())
		return err
	})
	if err != nil {
		return err
	}
	return r.Ledger.Submit(ctx, chain, rows)
}

func returnedBefore(p Payer) (Payer, bool, error) {
	if !p.Returned {
		return p, false, problem.New(problem.Conflict, "Payment %s is %s, not %s. Nothing was moved.", p.ID, p.State, NeedsReview)
	}
	return p, true, nil
}

func findPayer(ctx context.Context, tx db.Tx, id uuid.UUID) (Payer, error) {
	p, err := findOutgoing(ctx, tx, id)
	if problem.CodeOf(err) == problem.NotFound {
		return Payer{}, problem.New(problem.NotFound, "There is no payment %s.", id).Because(err)
	}
	if err != nil {
		return Payer{}, fmt.Errorf("find payment %s: %w", id, err)
	}
	email, err := emailOf(ctx, tx, p.UserID)
	return Payer{p, email}, err
}

// PayerOf returns an outgoing payment and who pays it; found is false when the id
// is none's.
func PayerOf(ctx context.Context, tx db.Tx, id uuid.UUID) (p Payer, found bool, err error) {
	p, err = findPayer(ctx, tx, id)
	if problem.CodeOf(err) == problem.NotFound {
		return Payer{}, false, nil
	}
	return p, err == nil, err
}

// PayerOf is the function of this name, of the committed rows.
func (r Review) PayerOf(ctx context.Context, id uuid.UUID) (p Payer, found bool, err error) {
	return PayerOf(ctx, r.DB.Read, id)
}

// Park sets every payment that isn't done aside for review. It belongs into
// the transaction that restores a database: what was sent after the backup was
// made, this wallet can't know. Of a payment that is done nothing is left to
// send: its worker only ends it. It returns the payments' ids.
func Park(ctx context.Context, tx db.Tx) ([]uuid.UUID, error) {
	rows, err := tx.QueryContext(ctx, `UPDATE outgoing_payments SET state = 'needs_review', reason = ?
		WHERE state = 'sending' AND NOT `+reached("delivered_amount")+` RETURNING id`, parkedReason)
	if err != nil {
		return nil, fmt.Errorf("park payments: %w", err)
	}
	defer rows.Close()
	var out []uuid.UUID
	for rows.Next() {
		var id uuid.UUID
		if err := rows.Scan(&id); err != nil {
			return nil, fmt.Errorf("park payments: %w", err)
		}
		out = append(out, id)
	}
	return out, rows.Err()
}

// DropQuotes deletes the quotes that were not confirmed, in the transaction that
// restores a database: one that was confirmed after the backup was made would be
// sent again.
func DropQuotes(ctx context.Context, tx db.Tx) error {
	_, err := tx.ExecContext(ctx, "DELETE FROM quotes WHERE NOT EXISTS (SELECT 1 FROM outgoing_payments o WHERE o.id = quotes.id)")
	if err != nil {
		return fmt.Errorf("drop quotes: %w", err)
	}
	return nil
}

// Unsettled is how much waits for somebody's decision.
type Unsettled struct {
	Items   int // open in suspense
	Reviews int // payments that need one
	Doubts  int // what peers may claim because answers were lost
}

// CountUnsettled counts it.
func CountUnsettled(ctx context.Context, tx db.Tx) (u Unsettled, err error) {
	err = tx.QueryRowContext(ctx, `SELECT (SELECT count(*) FROM suspense WHERE state = 0),
		(SELECT count(*) FROM outgoing_payments WHERE state = 'needs_review'),
		(SELECT count(*) FROM peer_doubts WHERE state = 0)`).Scan(&u.Items, &u.Reviews, &u.Doubts)
	if err != nil {
		err = fmt.Errorf("count what is unsettled: %w", err)
	}
	return u, err
}

// CountInFlight counts the holds that have value in flight to another account.
// Without a wallet that runs, a crash left them so.
func CountInFlight(ctx context.Context, tx db.Tx) (n int, err error) {
	if err = tx.QueryRowContext(ctx, "SELECT count(*) FROM holds WHERE in_flight > 0").Scan(&n); err != nil {
		err = fmt.Errorf("count what is in flight: %w", err)
	}
	return n, err
}

// listPage is how many payments are read at once: a long read would keep the
// write-ahead log from shrinking.
const listPage = 500

// Payer is a payment and who pays it.
type Payer struct {
	Outgoing
	Email string
}

// Each calls visit for every outgoing payment in one of the states, of all when
// none is named, in the order in which they were quoted, until it fails.
func Each(ctx context.Context, tx db.Tx, states []State, visit func(Payer) error) error {
	for after := uuid.Nil; ; {
		page, err := listOutgoing(ctx, tx, states, after)
		if err != nil {
			return fmt.Errorf("list payments: %w", err)
		}
		for _, p := range page {
			email, err := emailOf(ctx, tx, p.UserID)
			if err != nil {
				return fmt.Errorf("list payments: %w", err)
			}
			if err := visit(Payer{p, email}); err != nil {
				return err
			}
			after = p.ID
		}
		if len(page) < listPage {
			return nil
		}
	}
}

func listOutgoing(ctx context.Context, tx db.Tx, states []State, after uuid.UUID) ([]Outgoing, error) {
	where, args := "WHERE o.id > ?", []any{after[:]}
	if len(states) > 0 {
		where += " AND o.state IN (?" + strings.Repeat(", ?", len(states)-1) + ")"
	}
	for _, state := range states {
		args = append(args, state)
	}
	rows, err := tx.QueryContext(ctx, outgoingQuery+where+fmt.Sprintf(" ORDER BY o.id LIMIT %d", listPage), args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []Outgoing
	for rows.Next() {
		p, err := scanOutgoing(rows)
		if err != nil {
			return nil, err
		}
		out = append(out, p)
	}
	return out, rows.Err()
}
