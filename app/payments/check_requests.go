package payments

import (
	"context"
	"database/sql"
	"fmt"

	"pochi/db"

	"github.com/google/uuid"
)

// requestRow is a payment request beside its cap, and what its lines received.
type requestRow struct {
	id              uuid.UUID
	amount          uint64
	cancelled       bool
	owned, named    bool // account and pointer are its person's
	limit, received sql.NullInt64
	fits            bool // the cap is one, on the ledger of authority of the account's asset
	lines           uint64
}

// requests compares payment requests with their caps, and with the lines of those who
// paid them. What a line received, incoming compares with the ledger.
func (a *Audit) requests() func(context.Context, db.Tx) (bool, error) {
	const query = `SELECT r.id, coalesce(r.amount, 0), r.cancelled_at IS NOT NULL, w.user_id IS r.user_id, p.user_id IS r.user_id,
		k.debit_limit, k.debits_posted, coalesce(k.code = 8 AND k.credits_posted = 0 AND u.code = s.code || ' authority' AND u.scale = s.scale, 0),
		(SELECT coalesce(sum(i.received_amount), 0) FROM incoming_payments i WHERE i.request_id = r.id AND i.account_id = r.account_id)
		FROM payment_requests r
		LEFT JOIN wallet_accounts w ON w.id = r.account_id LEFT JOIN pointers p ON p.id = r.pointer_id
		LEFT JOIN accounts m ON m.id = r.account_id LEFT JOIN assets s ON s.ledger = m.ledger
		LEFT JOIN accounts k ON k.id = r.id LEFT JOIN assets u ON u.ledger = k.ledger
		WHERE r.id > coalesce(?, x'') ORDER BY r.id LIMIT ?`
	return byID(query, func(rows *sql.Rows) (uuid.UUID, error) {
		var r requestRow
		err := rows.Scan(&r.id, &r.amount, &r.cancelled, &r.owned, &r.named, &r.limit, &r.received, &r.fits, &r.lines)
		if err == nil {
			a.compareRequest(r)
		}
		return r.id, err
	})
}

func (a *Audit) compareRequest(r requestRow) {
	if !r.owned || !r.named {
		a.defect(r.id, "payment request belongs to another person than its account or its pointer")
	}
	if !r.fits {
		a.defect(r.id, "is a payment request without a cap in its currency")
		return
	}
	limit := capOf(r.amount)
	if r.cancelled {
		limit = 0
	}
	if uint64(r.limit.Int64) != limit {
		a.defect(r.id, "is a payment request that takes %d at the most, its cap says %d", limit, r.limit.Int64)
	}
	if uint64(r.received.Int64) != r.lines {
		a.defect(r.id, "is a payment request that was paid %d, its cap says %d", r.lines, r.received.Int64)
	}
}

// caps looks for caps that no request has.
func (a *Audit) caps() func(context.Context, db.Tx) (bool, error) {
	return a.byNumber(DefectPayment, "SELECT max(n) FROM accounts", `SELECT k.id FROM accounts k LEFT JOIN payment_requests r ON r.id = k.id
		WHERE k.n BETWEEN ? AND ? AND k.code = 8 AND r.id IS NULL`, "is a cap without a payment request")
}

// requestLines looks for lines of requests that pay another account than those do.
func (a *Audit) requestLines() func(context.Context, db.Tx) (bool, error) {
	const query = `SELECT i.id, r.account_id IS i.account_id AND r.pointer_id IS i.pointer_id FROM incoming_payments i
		LEFT JOIN payment_requests r ON r.id = i.request_id
		WHERE i.request_id IS NOT NULL AND i.id > coalesce(?, x'') ORDER BY i.id LIMIT ?`
	return byID(query, func(rows *sql.Rows) (id uuid.UUID, err error) {
		var right bool
		if err = rows.Scan(&id, &right); err == nil && !right {
			a.defect(id, "incoming payment paid another account or pointer than its request")
		}
		if err != nil {
			return id, fmt.Errorf("look at a request's line: %w", err)
		}
		return id, nil
	})
}
