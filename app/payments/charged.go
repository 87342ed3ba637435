package payments

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"pochi/app/problem"
	"pochi/ledger"

	"github.com/google/uuid"
)

// Charge is a payment that an app had the wallet make.
type Charge struct {
	ID          uuid.UUID // of the outgoing payment too
	AgreementID uuid.UUID
	Key         string // the app's Idempotency-Key
	Receiver    string // payment pointer
	Description string // what it is for, in the app's words
	Fixed       Fixed
	Debit       ledger.Amount // what was reserved on the account
	// In the agreement's asset: what was reserved of it, what of that is used by now, or for good, and what came back.
	Reserved, Spent, Returned ledger.Amount
	Receive, Delivered        ledger.Amount // what was quoted, and what is known to have arrived
	State                     State
	Partial                   bool   // it failed after a part was delivered
	Reason                    string // why it failed or needs review, a sentence
	CreatedAt                 time.Time
	EndedAt                   time.Time // zero until it has ended
}

// charged is the charge that an opening has made, as its commit wrote it: all of it is
// used, or none of it yet.
func (o *opening) charged() Charge {
	c := Charge{
		ID: o.ID, AgreementID: o.charge.request.AgreementID, Key: o.charge.request.Key, Receiver: o.Receiver,
		Description: o.charge.request.Description, Fixed: o.Fixed, Debit: o.DebitAmount, Reserved: o.charge.amount,
		Receive: o.ReceiveAmount, Delivered: o.DeliveredAmount, State: o.State, CreatedAt: o.CreatedAt, EndedAt: o.EndedAt,
	}
	c.Spent.Asset, c.Returned.Asset = c.Reserved.Asset, c.Reserved.Asset
	if c.State.Ended() {
		c.Spent = c.Reserved
	}
	return c
}

const chargeQuery = `SELECT c.id, c.agreement_id, c.idempotency_key, c.body, c.description, o.receiver, o.fixed, o.debit_amount, s.code, s.scale,
	c.reserved_amount, c.asset_code, c.asset_scale, c.spent_amount, c.settled_amount, o.sent_amount,
	(SELECT coalesce(sum(x.amount), 0) FROM suspense x WHERE x.reference = o.id AND x.bearer = a.n),
	o.receive_amount, o.receive_code, o.receive_scale, o.delivered_amount, o.state, o.reason, o.created_at, o.ended_at
	FROM charges c JOIN outgoing_payments o ON o.id = c.id JOIN accounts a ON a.id = o.account_id JOIN assets s ON s.ledger = a.ledger `

// FindCharge returns a charge of an agreement, or problem.NotFound.
func (s *Service) FindCharge(ctx context.Context, agreementID, id uuid.UUID) (Charge, error) {
	c, _, err := scanCharge(s.DB.Read.QueryRowContext(ctx, chargeQuery+"WHERE c.id = ? AND c.agreement_id = ?", id[:], agreementID[:]))
	if errors.Is(err, sql.ErrNoRows) {
		return Charge{}, problem.New(problem.NotFound, "There is no such charge.")
	}
	return c, err
}

// Charges returns a page of an agreement's charges, newest first, and the cursor of
// the next older page, "" at the end. before is "" for the newest.
func (s *Service) Charges(ctx context.Context, agreementID uuid.UUID, before string, limit int) ([]Charge, string, error) {
	at, id := parseCursor(before)
	rows, err := s.DB.Read.QueryContext(ctx, chargeQuery+`WHERE c.agreement_id = ? AND (c.created_at, c.id) < (?, ?)
		ORDER BY c.created_at DESC, c.id DESC LIMIT ?`, agreementID[:], at, id[:], limit+1)
	if err != nil {
		return nil, "", fmt.Errorf("list charges: %w", err)
	}
	defer rows.Close()
	var out []Charge
	for rows.Next() {
		c, _, err := scanCharge(rows)
		if err != nil {
			return nil, "", fmt.Errorf("list charges: %w", err)
		}
		out = append(out, c)
	}
	if err := rows.Err(); err != nil || len(out) <= limit {
		return out, "", err
	}
	out = out[:limit]
	last := out[limit-1]
	return out, cursor(last.CreatedAt, last.ID), nil
}

// chargedBefore looks for what was charged with a request's key. found is true if
// something was; err is problem.KeyReused if that was another request.
func (s *Service) chargedBefore(ctx context.Context, req ChargeRequest) (c Charge, found bool, err error) {
	c, body, err := scanCharge(s.DB.Read.QueryRowContext(ctx, chargeQuery+"WHERE c.agreement_id = ? AND c.idempotency_key = ?",
		req.AgreementID[:], req.Key))
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return Charge{}, false, nil
	case err != nil:
		return Charge{}, false, fmt.Errorf("look for an earlier charge: %w", err)
	case !slices.Equal(body, req.Body[:]):
		return Charge{}, true, problem.New(problem.KeyReused, "This Idempotency-Key was used for another charge. Nothing was taken.")
	}
	return c, true, nil
}

func scanCharge(row interface{ Scan(...any) error }) (c Charge, body []byte, err error) {
	var r reserve
	var suspended, sent uint64
	var created int64
	var ended sql.NullInt64
	err = row.Scan(&c.ID, &c.AgreementID, &c.Key, &body, &c.Description, &c.Receiver, &c.Fixed, &c.Debit.Value, &c.Debit.Asset.Code, &c.Debit.Asset.Scale,
		&c.Reserved.Value, &c.Reserved.Asset.Code, &c.Reserved.Asset.Scale, &r.spent, &r.settled, &sent, &suspended,
		&c.Receive.Value, &c.Receive.Asset.Code, &c.Receive.Asset.Scale, &c.Delivered.Value, &c.State, &c.Reason, &created, &ended)
	if err != nil {
		return Charge{}, nil, err
	}
	r.amount, r.debit, r.sent, r.suspended = c.Reserved, c.Debit.Value, sent, suspended
	c.Spent = ledger.Amount{Value: r.used(), Asset: c.Reserved.Asset}
	c.Returned.Asset, c.Delivered.Asset = c.Reserved.Asset, c.Receive.Asset
	if r.spent.Valid {
		c.Spent.Value = uint64(r.spent.Int64)
		c.Returned.Value = c.Reserved.Value - c.Spent.Value
	}
	c.Partial = c.State == Failed && sent > 0
	c.CreatedAt = time.UnixMicro(created).UTC()
	if ended.Valid {
		c.EndedAt = time.UnixMicro(ended.Int64).UTC()
	}
	return c, body, nil
}
