package admin

import (
	"context"
	"encoding/json"
	"errors"
	"io"

	"pochi/app/payments"
	"pochi/db"
)

// ListSuspense writes the suspense items to out, a JSON object a line: the open
// ones, or all.
func ListSuspense(ctx context.Context, dbURL string, all bool, out io.Writer) error {
	return reading(ctx, dbURL, func(tx db.Tx) error {
		items, err := payments.ListSuspense(ctx, tx, !all)
		if err != nil {
			return err
		}
		encoder := json.NewEncoder(out)
		for _, item := range items {
			if err := encoder.Encode(newSuspenseItem(item)); err != nil {
				return err
			}
		}
		return nil
	})
}

// ListPayments writes the outgoing payments in one of the states, all when none
// is named, to out, a JSON object a line, oldest first.
func ListPayments(ctx context.Context, dbURL string, states []payments.State, out io.Writer) error {
	return reading(ctx, dbURL, func(tx db.Tx) error {
		encoder := json.NewEncoder(out)
		return payments.Each(ctx, tx, states, func(p payments.Payer) error {
			return encoder.Encode(newPayment(p.Outgoing, p.Email))
		})
	})
}

// reading lets do read the database, beside whoever writes it.
func reading(ctx context.Context, dbURL string, do func(db.Tx) error) (err error) {
	d, err := db.OpenReadOnly(ctx, dbURL)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	return do(d.Read)
}
