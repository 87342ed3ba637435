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

// paymentChecks are queries that find rows at odds with the ledger: each
// returns an id and says what is wrong with it. They look from both sides, so
// that a row that is gone is missed.
var paymentChecks = []string{
	`SELECT o.id, 'sent ' || o.sent_amount || ', its transfers say ' || coalesce(t.total, 0) FROM outgoing_payments o
	LEFT JOIN (SELECT reference, debit, sum(amount) AS total FROM transfers GROUP BY reference, debit) t
	ON t.reference = o.id AND t.debit = o.account_id WHERE o.sent_amount <> coalesce(t.total, 0)`,

	`SELECT o.id, 'delivered ' || o.delivered_amount || ', its transfers say ' || coalesce(t.total, 0) FROM outgoing_payments o
	LEFT JOIN (SELECT t.reference, sum(t.amount) AS total FROM transfers t JOIN wallet_accounts w ON w.id = t.credit GROUP BY t.reference) t
	ON t.reference = o.id WHERE o.delivered_amount <> coalesce(t.total, 0)`,

	`SELECT i.id, 'received ' || i.received_amount || ', its transfers say ' || coalesce(t.total, 0) FROM incoming_payments i
	LEFT JOIN (SELECT reference, credit, sum(amount) AS total FROM transfers GROUP BY reference, credit) t
	ON t.reference = i.id AND t.credit = i.account_id WHERE i.received_amount <> coalesce(t.total, 0)`,

	`SELECT t.reference, 'paid a person, but no incoming payment says so' FROM transfers t JOIN wallet_accounts w ON w.id = t.credit
	LEFT JOIN incoming_payments i ON i.id = t.reference AND i.account_id = t.credit WHERE i.id IS NULL`,

	`SELECT h.reference, 'is a hold without a payment' FROM holds h
	LEFT JOIN outgoing_payments o ON o.id = h.reference AND o.account_id = h.debit WHERE o.id IS NULL`,

	`SELECT o.id, 'is ' || o.state || ' with a hold that does not fit' FROM outgoing_payments o
	LEFT JOIN holds h ON h.reference = o.id AND h.debit = o.account_id
	LEFT JOIN accounts c ON c.id = h.credit
	WHERE h.reference IS NULL OR h.closed <> (o.state <> 'sending') OR c.code IS NOT 4
	OR h.reserved + h.in_flight + h.drawn + h.returned <> o.debit_amount`,

	`SELECT id, 'is ' || state || ' with ' || sent_amount || ' of ' || debit_amount || ' sent, ended ' || coalesce(ended_at, 'never')
	FROM outgoing_payments WHERE (state = 'completed') <> (sent_amount = debit_amount AND state <> 'sending')
	OR (ended_at IS NULL) <> (state = 'sending')`,

	`SELECT w.id, 'account is closed for its owner or for the ledger only' FROM wallet_accounts w
	JOIN accounts a ON a.id = w.id WHERE a.closed <> w.closed`,

	`SELECT w.id, 'account is not in the ledger' FROM wallet_accounts w
	LEFT JOIN accounts a ON a.id = w.id AND a.code = 1 WHERE a.id IS NULL`,

	`SELECT a.id, 'account belongs to nobody' FROM accounts a
	LEFT JOIN wallet_accounts w ON w.id = a.id WHERE a.code = 1 AND w.id IS NULL`,

	`SELECT x.id, x.what || ' belongs to another person than its account' FROM (
	SELECT id, user_id, account_id, 'outgoing payment' AS what FROM outgoing_payments
	UNION ALL SELECT id, user_id, account_id, 'incoming payment' FROM incoming_payments
	UNION ALL SELECT id, user_id, account_id, 'pointer' FROM pointers) x
	LEFT JOIN wallet_accounts w ON w.id = x.account_id WHERE w.user_id IS NOT x.user_id`,
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
