package payments

import (
	"context"
	"database/sql"
	"fmt"
	"math"

	"pochi/db"
	"pochi/ledger"

	"github.com/google/uuid"
)

// DefectPayment is the name of a payment that contradicts the ledger.
const DefectPayment = "payment"

// auditRows is how many rows of a table are compared in one read transaction.
const auditRows = 1000

// Audit compares every payment, what apps did, and who owns what, with the ledger, while
// ledger.Check replays it: it is a ledger.Observer. It keeps two sums for each
// payment and account. Money on its way to and from suspense is neither sent
// nor received; what suspense paid out at last is sent. What arrived at another
// wallet only that wallet knows.
type Audit struct {
	sent     map[party]moved // debited from people
	received map[party]moved // credited to people; isSeen marks those with a row
	abroad   map[uuid.UUID]bool
	uses     *uses
	pages    []func(ctx context.Context, tx db.Tx) (done bool, err error)
	found    []ledger.Defect
}

// party is a person's account in a payment: its number in the ledger.
type party struct {
	payment uuid.UUID
	account int64
}

// moved is what packets moved.
type moved struct{ amount, packets uint64 }

// add adds a transfer: one with an id is a packet, unless it is the house's money.
func (m moved) add(t *ledger.Posted) moved {
	m.amount += t.Amount
	if m.packets += uint64(t.Packets); t.Packets == 0 && t.Debit.Code != ledger.CodeEquity {
		m.packets++
	}
	return m
}

// isSeen marks a sum whose row was compared. Amounts do not reach so far.
const isSeen = 1 << 63

// NewAudit returns an audit for one run of ledger.Check.
func NewAudit() *Audit {
	a := &Audit{sent: map[party]moved{}, received: map[party]moved{}, abroad: map[uuid.UUID]bool{}, uses: newUses()}
	a.pages = []func(context.Context, db.Tx) (bool, error){
		a.outgoing(), a.incoming(), a.unrecorded(),
		a.holds(), a.walletAccounts(), a.ledgerAccounts(), a.pointers(),
		a.requests(), a.caps(), a.requestLines(),
	}
	a.pages = append(a.pages, a.agreementPages()...)
	return a
}

// Posted implements ledger.Observer.
func (a *Audit) Posted(t *ledger.Posted) {
	if t.Debit.Code == ledger.CodeSuspense || t.Credit.Code == ledger.CodeSuspense {
		return
	}
	a.uses.posted(t)
	if t.Debit.Code == ledger.CodePerson {
		p := party{t.Reference, t.DebitN}
		a.sent[p] = a.sent[p].add(t)
	}
	switch t.Credit.Code {
	case ledger.CodePerson:
		p := party{t.Reference, t.CreditN}
		a.received[p] = a.received[p].add(t)
	case ledger.CodePeer:
		a.abroad[t.Reference] = true
	}
}

// Resolved implements ledger.Observer.
func (a *Audit) Resolved(r ledger.Resolved) {
	if r.Paid && r.BearerCode == ledger.CodePerson {
		p := party{r.Reference, r.Bearer}
		sent := a.sent[p]
		sent.amount += r.Amount
		a.sent[p] = sent
	}
}

// Compare implements ledger.Observer.
func (a *Audit) Compare(ctx context.Context, tx db.Tx) (defects []ledger.Defect, done bool, err error) {
	if done, err = a.pages[0](ctx, tx); err != nil {
		return nil, false, fmt.Errorf("check payments: %w", err)
	}
	if done {
		a.pages = a.pages[1:]
	}
	defects, a.found = a.found, nil
	return defects, len(a.pages) == 0, nil
}

func (a *Audit) defect(id uuid.UUID, format string, args ...any) {
	a.name(DefectPayment, id, format, args...)
}

func (a *Audit) misuse(id uuid.UUID, format string, args ...any) {
	a.name(DefectAgreement, id, format, args...)
}

func (a *Audit) name(defect string, id uuid.UUID, format string, args ...any) {
	a.found = append(a.found, ledger.Defect{Name: defect, Detail: id.String() + " " + fmt.Sprintf(format, args...)})
}

// byID walks a table in the order of its ids. query takes the last id, and how
// many rows at most; scan reads a row and returns its id.
func byID(query string, scan func(rows *sql.Rows) (uuid.UUID, error)) func(context.Context, db.Tx) (bool, error) {
	var last []byte
	return func(ctx context.Context, tx db.Tx) (done bool, err error) {
		rows, err := tx.QueryContext(ctx, query, last, auditRows)
		if err != nil {
			return false, err
		}
		defer rows.Close()
		n := 0
		for ; rows.Next(); n++ {
			id, err := scan(rows)
			if err != nil {
				return false, err
			}
			last = id[:]
		}
		return n < auditRows, rows.Err()
	}
}

// byNumber walks a table of the ledger by its numbers, in pages without gaps.
// query takes the first and the last number of a page and returns ids that are
// wrong; highest is how many there are. Each is a defect of the name.
func (a *Audit) byNumber(name, highest, query, what string) func(context.Context, db.Tx) (bool, error) {
	from := int64(math.MinInt64)
	return func(ctx context.Context, tx db.Tx) (done bool, err error) {
		var last sql.NullInt64
		if err := tx.QueryRowContext(ctx, highest).Scan(&last); err != nil {
			return false, err
		}
		to := max(from, 0) + auditRows
		rows, err := tx.QueryContext(ctx, query, from, to)
		if err != nil {
			return false, err
		}
		defer rows.Close()
		for rows.Next() {
			var id uuid.UUID
			if err := rows.Scan(&id); err != nil {
				return false, err
			}
			a.name(name, id, "%s", what)
		}
		from = to + 1
		return to >= last.Int64, rows.Err()
	}
}

// outgoingRow is an outgoing payment beside its hold, what is in doubt of it, and what
// its account and its receiver's are in the ledger.
type outgoingRow struct {
	id                     uuid.UUID
	debit, sent, delivered uint64
	packets, doubted       uint64
	fixed                  Fixed
	receive                uint64
	state                  string
	ended                  sql.NullInt64
	account, receiver      sql.NullInt64
	owned                  bool
	holdCode, holdTotal    sql.NullInt64
	holdClosed             sql.NullBool
	doubts                 uint64       // in its currency
	doubtsElsewhere        sql.NullBool // in doubt is something in another one, too; NULL when nothing is
}

func (a *Audit) outgoing() func(context.Context, db.Tx) (bool, error) {
	const query = `WITH doubts AS (SELECT o.id, sum(iif(p.ledger = a.ledger, d.amount, 0)) AS here, max(p.ledger <> a.ledger) AS elsewhere
		FROM peer_doubts d JOIN outgoing_payments o ON o.id = d.reference JOIN accounts a ON a.id = o.account_id JOIN accounts p ON p.id = d.peer
		GROUP BY o.id)
		SELECT o.id, o.debit_amount, o.sent_amount, o.delivered_amount, o.packets, o.doubted_amount, o.fixed, o.receive_amount, o.state, o.ended_at, a.n, r.n,
		w.user_id IS o.user_id, k.code, h.reserved + h.in_flight + h.drawn + h.returned, h.closed, coalesce(x.here, 0), x.elsewhere
		FROM outgoing_payments o
		LEFT JOIN doubts x ON x.id = o.id
		LEFT JOIN wallet_accounts w ON w.id = o.account_id
		LEFT JOIN accounts a ON a.id = o.account_id
		LEFT JOIN incoming_payments i ON i.id = o.id
		LEFT JOIN accounts r ON r.id = i.account_id
		LEFT JOIN holds h ON h.n = (SELECT h.n FROM holds h JOIN accounts k ON k.n = h.credit
			WHERE h.reference = o.id AND h.debit = a.n ORDER BY k.code <> 4 LIMIT 1)
		LEFT JOIN accounts k ON k.n = h.credit
		WHERE o.id > coalesce(?, x'') ORDER BY o.id LIMIT ?`
	return byID(query, func(rows *sql.Rows) (uuid.UUID, error) {
		var o outgoingRow
		err := rows.Scan(&o.id, &o.debit, &o.sent, &o.delivered, &o.packets, &o.doubted, &o.fixed, &o.receive, &o.state, &o.ended, &o.account, &o.receiver,
			&o.owned, &o.holdCode, &o.holdTotal, &o.holdClosed, &o.doubts, &o.doubtsElsewhere)
		if err == nil {
			a.compareOutgoing(o)
		}
		return o.id, err
	})
}

func (a *Audit) compareOutgoing(o outgoingRow) {
	sent := a.sent[party{o.id, o.account.Int64}]
	if o.sent != sent.amount {
		a.defect(o.id, "sent %d, its transfers say %d", o.sent, sent.amount)
	}
	if o.packets != sent.packets {
		a.defect(o.id, "sent %d packets, its transfers say %d", o.packets, sent.packets)
	}
	if o.doubted < o.doubts || (o.doubted > o.doubts) != o.doubtsElsewhere.Bool {
		a.defect(o.id, "has %d in doubt, and its peers may claim %d and in another currency something: %t", o.doubted, o.doubts, o.doubtsElsewhere.Bool)
	}
	if delivered := a.received[party{o.id, o.receiver.Int64}].amount &^ isSeen; o.delivered != delivered && !a.abroad[o.id] {
		a.defect(o.id, "delivered %d, its transfers say %d", o.delivered, delivered)
	}
	open := o.state == "sending" || o.state == "needs_review"
	total := o.holdTotal.Int64
	if o.holdCode.Int64 != int64(ledger.CodeOutgoing) || o.holdClosed.Bool == open || total < 0 || uint64(total) != o.debit {
		a.defect(o.id, "is %s with a hold that does not fit", o.state)
	}
	done := o.sent == o.debit || o.fixed == FixedReceive && o.delivered >= o.receive
	if !open && (o.state == "completed") != done || o.ended.Valid == open {
		ended := "never"
		if o.ended.Valid {
			ended = fmt.Sprint(o.ended.Int64)
		}
		a.defect(o.id, "is %s with %d of %d sent, ended %s", o.state, o.sent, o.debit, ended)
	}
	if !o.owned {
		a.defect(o.id, "outgoing payment belongs to another person than its account")
	}
}

func (a *Audit) incoming() func(context.Context, db.Tx) (bool, error) {
	const query = `SELECT i.id, i.received_amount, i.packets, a.n, w.user_id IS i.user_id FROM incoming_payments i
		LEFT JOIN wallet_accounts w ON w.id = i.account_id LEFT JOIN accounts a ON a.id = i.account_id
		WHERE i.id > coalesce(?, x'') ORDER BY i.id LIMIT ?`
	return byID(query, func(rows *sql.Rows) (id uuid.UUID, err error) {
		var amount uint64
		var packets int64
		var account sql.NullInt64
		var owned bool
		if err := rows.Scan(&id, &amount, &packets, &account, &owned); err != nil {
			return id, err
		}
		p := party{id, account.Int64}
		received, known := a.received[p]
		if received.amount &^= isSeen; received.amount != amount {
			a.defect(id, "received %d, its transfers say %d", amount, received.amount)
		}
		if received.packets != uint64(packets) {
			a.defect(id, "received %d packets, its transfers say %d", packets, received.packets)
		}
		if known {
			received.amount |= isSeen
			a.received[p] = received
		}
		if !owned {
			a.defect(id, "incoming payment belongs to another person than its account")
		}
		return id, nil
	})
}

// unrecorded looks for the rows of what people received and incoming did not
// come across.
func (a *Audit) unrecorded() func(context.Context, db.Tx) (bool, error) {
	const query = `SELECT EXISTS (SELECT 1 FROM incoming_payments i JOIN accounts a ON a.id = i.account_id
		WHERE i.id = ? AND a.n = ?)`
	var left []party
	collected := false
	return func(ctx context.Context, tx db.Tx) (done bool, err error) {
		if !collected {
			for p, received := range a.received {
				if received.amount&isSeen == 0 {
					left = append(left, p)
				}
			}
			collected = true
		}
		page := left[:min(auditRows, len(left))]
		left = left[len(page):]
		for _, p := range page {
			var recorded bool
			if err := tx.QueryRowContext(ctx, query, p.payment[:], p.account).Scan(&recorded); err != nil {
				return false, err
			}
			if !recorded {
				a.defect(p.payment, "paid a person, but no incoming payment says so")
			}
		}
		return len(left) == 0, nil
	}
}

// holds looks for holds of people's money that neither a payment nor an agreement's
// link has. Those of peers and of exchanges have none. Payments' go to the wallet's account
// of what is on its way; agreements' there, when they cross currencies, and to their peers.
func (a *Audit) holds() func(context.Context, db.Tx) (bool, error) {
	return a.byNumber(DefectPayment, "SELECT max(n) FROM holds", `SELECT h.reference FROM holds h
		JOIN accounts d ON d.n = h.debit AND d.code = 1 JOIN accounts c ON c.n = h.credit
		LEFT JOIN outgoing_payments o ON o.id = h.reference AND o.account_id = d.id
		LEFT JOIN agreements g ON g.id = h.reference AND g.account_id = d.id AND h.unreserved = 1
		WHERE h.n BETWEEN ? AND ? AND NOT (c.code = 4 AND (o.id IS NOT NULL OR g.id IS NOT NULL) OR c.code = 6 AND g.id IS NOT NULL)`, "is a hold without a payment")
}

func (a *Audit) ledgerAccounts() func(context.Context, db.Tx) (bool, error) {
	return a.byNumber(DefectPayment, "SELECT max(n) FROM accounts", `SELECT a.id FROM accounts a
		LEFT JOIN wallet_accounts w ON w.id = a.id
		WHERE a.n BETWEEN ? AND ? AND a.code = 1 AND w.id IS NULL`, "account belongs to nobody")
}

func (a *Audit) walletAccounts() func(context.Context, db.Tx) (bool, error) {
	const query = `SELECT w.id, a.id IS NOT NULL, a.closed IS w.closed FROM wallet_accounts w
		LEFT JOIN accounts a ON a.id = w.id AND a.code = 1
		WHERE w.id > coalesce(?, x'') ORDER BY w.id LIMIT ?`
	return byID(query, func(rows *sql.Rows) (id uuid.UUID, err error) {
		var there, same bool
		err = rows.Scan(&id, &there, &same)
		switch {
		case err == nil && !there:
			a.defect(id, "account is not in the ledger")
		case err == nil && !same:
			a.defect(id, "account is closed for its owner or for the ledger only")
		}
		return id, err
	})
}

func (a *Audit) pointers() func(context.Context, db.Tx) (bool, error) {
	const query = `SELECT p.id, w.user_id IS p.user_id FROM pointers p LEFT JOIN wallet_accounts w ON w.id = p.account_id
		WHERE p.id > coalesce(?, x'') ORDER BY p.id LIMIT ?`
	return byID(query, func(rows *sql.Rows) (id uuid.UUID, err error) {
		var owned bool
		if err = rows.Scan(&id, &owned); err == nil && !owned {
			a.defect(id, "pointer belongs to another person than its account")
		}
		return id, err
	})
}
