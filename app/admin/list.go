package admin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"pochi/app/payments"
	"pochi/app/peers"
	"pochi/db"
)

// Lists print what is in a database, a JSON object a line. They only read, beside
// whoever writes.
type Lists struct {
	DB   string    // URL of the database
	Out  io.Writer // gets the lists
	Warn io.Writer // is told what they lack
}

// Suspense prints the items in suspense: the open ones, or all.
func (l Lists) Suspense(ctx context.Context, all bool) error {
	return l.reading(ctx, func(tx db.Tx, encoder *json.Encoder) error {
		items, err := payments.ListSuspense(ctx, tx, !all)
		if err != nil {
			return err
		}
		for _, item := range items {
			if err := encoder.Encode(newSuspenseItem(item)); err != nil {
				return err
			}
		}
		return l.warnOfDoubts(ctx, tx)
	})
}

// warnOfDoubts says that there is more to settle with peers than what is in
// suspense.
func (l Lists) warnOfDoubts(ctx context.Context, tx db.Tx) error {
	names, err := peers.WithDoubts(ctx, tx)
	if err != nil || len(names) == 0 {
		return err
	}
	_, err = fmt.Fprintf(l.Warn, "pochi: answers of peers were lost, too, which is listed elsewhere: pochi admin peer doubts %s\n",
		strings.Join(names, "; pochi admin peer doubts "))
	return err
}

// Payments prints the outgoing payments in one of the states, all when none is
// named, oldest first.
func (l Lists) Payments(ctx context.Context, states []payments.State) error {
	return l.reading(ctx, func(tx db.Tx, encoder *json.Encoder) error {
		return payments.Each(ctx, tx, states, func(p payments.Payer) error { return encoder.Encode(newPayment(p)) })
	})
}

// Peers prints all peers, oldest first.
func (l Lists) Peers(ctx context.Context) error {
	return l.reading(ctx, func(tx db.Tx, encoder *json.Encoder) error {
		all, err := peers.Standings(ctx, tx)
		if err != nil {
			return err
		}
		for _, peer := range all {
			if err := encoder.Encode(newPeer(peer)); err != nil {
				return err
			}
		}
		return nil
	})
}

func (l Lists) reading(ctx context.Context, list func(db.Tx, *json.Encoder) error) (err error) {
	d, err := db.OpenReadOnly(ctx, l.DB)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	if err := l.warnOfACrash(ctx, d.Read); err != nil {
		return err
	}
	return list(d.Read, json.NewEncoder(l.Out))
}

// warnOfACrash says what a crash left that no wallet has recovered yet. Beside a
// wallet that runs, value in flight is in order.
func (l Lists) warnOfACrash(ctx context.Context, tx db.Tx) error {
	if db.InUse(l.DB) {
		return nil
	}
	n, err := payments.CountInFlight(ctx, tx)
	if err != nil || n == 0 {
		return err
	}
	holds := "1 hold has"
	if n > 1 {
		holds = fmt.Sprintf("%d holds have", n)
	}
	_, err = fmt.Fprintf(l.Warn, "pochi: a crash left value in flight: %s some. It is recovered at the next start; what then has to be settled with other wallets is not listed yet.\n", holds)
	return err
}
