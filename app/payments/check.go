package payments

import (
	"context"
	"fmt"

	"pochi/db"
	"pochi/ledger"

	"github.com/google/uuid"
)

// DefectPayment is the name of a payment that contradicts the ledger.
const DefectPayment = "payment"

// paymentChecks are queries that find payments at odds with their transfers:
// each returns an id and says what is wrong with it.
var paymentChecks = []string{
	`SELECT o.id, 'sent ' || o.sent_amount || ', its transfers say ' || coalesce(t.total, 0) FROM outgoing_payments o
	LEFT JOIN (SELECT reference, debit, sum(amount) AS total FROM transfers GROUP BY reference, debit) t
	ON t.reference = o.id AND t.debit = o.account_id WHERE o.sent_amount <> coalesce(t.total, 0)`,

	`SELECT i.id, 'received ' || i.received_amount || ', its transfers say ' || coalesce(t.total, 0) FROM incoming_payments i
	LEFT JOIN (SELECT reference, credit, sum(amount) AS total FROM transfers GROUP BY reference, credit) t
	ON t.reference = i.id AND t.credit = i.account_id WHERE i.received_amount <> coalesce(t.total, 0)`,

	`SELECT o.id, 'delivered ' || o.delivered_amount || ', the receiver has ' || i.received_amount
	FROM outgoing_payments o JOIN incoming_payments i ON i.id = o.id WHERE o.delivered_amount <> i.received_amount`,

	`SELECT o.id, 'is ' || o.state || ' with a hold that does not fit' FROM outgoing_payments o
	LEFT JOIN holds h ON h.reference = o.id AND h.debit = o.account_id
	WHERE h.reference IS NULL OR h.closed <> (o.state <> 'sending')
	OR h.reserved + h.in_flight + h.drawn + h.returned <> o.debit_amount`,

	`SELECT id, 'is ' || state || ' with ' || sent_amount || ' of ' || debit_amount || ' sent' FROM outgoing_payments
	WHERE (state = 'completed') <> (sent_amount = debit_amount AND state <> 'sending')`,

	`SELECT w.id, 'account is closed for its owner or for the ledger only' FROM wallet_accounts w
	JOIN accounts a ON a.id = w.id WHERE a.closed <> w.closed`,
}

// Check compares every payment with the ledger. An error means that it could
// not read.
func Check(ctx context.Context, tx db.Tx) ([]ledger.Defect, error) {
	var defects []ledger.Defect
	for _, query := range paymentChecks {
		rows, err := tx.QueryContext(ctx, query)
		if err != nil {
			return defects, fmt.Errorf("check payments: %w", err)
		}
		for rows.Next() {
			var id uuid.UUID
			var what string
			if err := rows.Scan(&id, &what); err != nil {
				rows.Close()
				return defects, fmt.Errorf("check payments: %w", err)
			}
			defects = append(defects, ledger.Defect{Name: DefectPayment, Detail: fmt.Sprintf("%s %s", id, what)})
		}
		if err := rows.Close(); err != nil {
			return defects, fmt.Errorf("check payments: %w", err)
		}
		if err := rows.Err(); err != nil {
			return defects, fmt.Errorf("check payments: %w", err)
		}
	}
	return defects, nil
}
