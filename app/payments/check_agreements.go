package payments

import (
	"context"
	"database/sql"

	"pochi/db"
	"pochi/ledger"

	"github.com/google/uuid"
)

// DefectAgreement is the name of what apps did under an agreement that contradicts the
// ledger.
const DefectAgreement = "agreement"

// uses is what was used of allowances, by the ledger's transfers.
type uses struct {
	of      map[party]int64     // less what came back, by reference and the interval's account
	streams map[uuid.UUID]int64 // by agreement, without what a crash left in doubt
	seen    map[party]bool      // compared with its charge
}

func newUses() *uses {
	return &uses{of: map[party]int64{}, streams: map[uuid.UUID]int64{}, seen: map[party]bool{}}
}

func (u *uses) posted(t *ledger.Posted) {
	if t.Debit.Code == ledger.CodeAuthority {
		u.of[party{t.Reference, t.DebitN}] += int64(t.Amount)
		if t.Code != ledger.CodeSuspended {
			u.streams[t.Reference] += int64(t.Amount)
		}
	}
	if t.Credit.Code == ledger.CodeAuthority {
		u.of[party{t.Reference, t.CreditN}] -= int64(t.Amount)
	}
}

func (a *Audit) agreementPages() []func(context.Context, db.Tx) (bool, error) {
	return []func(context.Context, db.Tx) (bool, error){a.charges(), a.streamed(), a.streamedUnder(), a.authorityHolds(), a.allowances(), a.unaccounted()}
}

// chargeRow is a charge beside its payment, its agreement, and its hold of the
// interval's account.
type chargeRow struct {
	reserve
	state                string
	resolved             uint64 // of what was in suspense
	fits                 bool   // its payment is of the agreement's account
	authority            sql.NullInt64
	counts               bool // on the agreement's asset's ledger of authority
	holdTotal            sql.NullInt64
	holdDrawn, holdInWay sql.NullInt64
	holdClosed           sql.NullBool
}

func (a *Audit) charges() func(context.Context, db.Tx) (bool, error) {
	const query = `SELECT c.id, c.reserved_amount, c.spent_amount, c.settled_amount, coalesce(o.debit_amount, 0), coalesce(o.sent_amount, 0), coalesce(o.state, ''),
		(SELECT coalesce(sum(x.amount), 0) FROM suspense x JOIN accounts b ON b.n = x.bearer WHERE x.reference = o.id AND b.id = o.account_id),
		(SELECT coalesce(sum(x.amount), 0) FROM suspense x JOIN accounts b ON b.n = x.bearer WHERE x.reference = o.id AND b.id = o.account_id AND x.state <> 0),
		coalesce(o.account_id = g.account_id AND o.user_id = g.user_id AND g.asset_code = c.asset_code AND g.asset_scale = c.asset_scale, 0),
		k.n, coalesce(k.code = 7 AND k.user_data = c.agreement_id AND s.code = c.asset_code || ' authority' AND s.scale = c.asset_scale, 0),
		h.reserved + h.in_flight + h.drawn + h.returned, h.drawn, h.in_flight, h.closed
		FROM charges c LEFT JOIN outgoing_payments o ON o.id = c.id LEFT JOIN agreements g ON g.id = c.agreement_id
		LEFT JOIN accounts k ON k.id = c.authority LEFT JOIN assets s ON s.ledger = k.ledger
		LEFT JOIN holds h ON h.reference = c.id AND h.debit = k.n
		WHERE c.id > coalesce(?, x'') ORDER BY c.id LIMIT ?`
	return byID(query, func(rows *sql.Rows) (uuid.UUID, error) {
		var c chargeRow
		err := rows.Scan(&c.charge, &c.amount.Value, &c.spent, &c.settled, &c.debit, &c.sent, &c.state, &c.suspended, &c.resolved, &c.fits,
			&c.authority, &c.counts, &c.holdTotal, &c.holdDrawn, &c.holdInWay, &c.holdClosed)
		if err == nil {
			a.compareCharge(c)
		}
		return c.charge, err
	})
}

func (a *Audit) compareCharge(c chargeRow) {
	key := party{c.charge, c.authority.Int64}
	a.uses.seen[key] = true
	ended := State(c.state).Ended()
	switch {
	case c.state == "" || !c.fits:
		a.misuse(c.charge, "is a charge without a payment from its agreement's account")
		return
	case !c.counts:
		a.misuse(c.charge, "is a charge that no interval of its agreement counts")
		return
	}
	if c.settled != c.resolved {
		a.misuse(c.charge, "has %d settled of what was in suspense, the ledger says %d", c.settled, c.resolved)
	}
	if c.spent.Valid != ended || ended && uint64(c.spent.Int64) != c.used() {
		a.misuse(c.charge, "is %s and uses %d of %d, its transfers of %d say %d", c.state, c.spent.Int64, c.amount.Value, c.debit, c.used())
	}
	if used := a.uses.of[key]; used != c.spent.Int64 {
		a.misuse(c.charge, "uses %d of its agreement, the interval's account says %d", c.spent.Int64, used)
	}
	if c.holdTotal.Int64 != int64(c.amount.Value) || c.holdInWay.Int64 != 0 || c.holdClosed.Bool != ended || !ended && c.holdDrawn.Int64 != 0 {
		a.misuse(c.charge, "is %s with a hold of its agreement that does not fit", c.state)
	}
}

// streamed compares what went over agreements' own links with what left their
// accounts: by connection or, out of this wallet, by agreement.
func (a *Audit) streamed() func(context.Context, db.Tx) (bool, error) {
	const query = `WITH page AS (SELECT DISTINCT reference FROM streams WHERE reference > coalesce(?, x'') ORDER BY reference LIMIT ?)
		SELECT t.reference, k.n, sum(t.sent_amount), sum(t.packets),
		min(coalesce(g.account_id = t.account_id AND g.user_id = t.user_id AND (t.peer IS NULL OR t.reference = g.id), 0))
		FROM page p JOIN streams t ON t.reference = p.reference
		LEFT JOIN agreements g ON g.id = t.agreement_id LEFT JOIN accounts k ON k.id = t.account_id GROUP BY t.reference, t.account_id ORDER BY 1`
	return byID(query, func(rows *sql.Rows) (id uuid.UUID, err error) {
		var account sql.NullInt64
		var sent, packets uint64
		var owned bool
		if err := rows.Scan(&id, &account, &sent, &packets, &owned); err != nil {
			return id, err
		}
		if moved := a.sent[party{id, account.Int64}]; moved.amount != sent || moved.packets != packets {
			a.misuse(id, "sent %d in %d packets over its link, its transfers say %d in %d", sent, packets, moved.amount, moved.packets)
		}
		if !owned {
			a.misuse(id, "was sent over the link of somebody else's agreement")
		}
		return id, nil
	})
}

// streamedUnder compares what each agreement's own link used with the ledger.
func (a *Audit) streamedUnder() func(context.Context, db.Tx) (bool, error) {
	const query = `SELECT g.id, (SELECT coalesce(sum(t.used_amount), 0) FROM streams t WHERE t.agreement_id = g.id) FROM agreements g
		WHERE g.id > coalesce(?, x'') ORDER BY g.id LIMIT ?`
	return byID(query, func(rows *sql.Rows) (id uuid.UUID, err error) {
		var used int64
		if err = rows.Scan(&id, &used); err == nil && used != a.uses.streams[id] {
			a.misuse(id, "used %d over its link, the ledger says %d", used, a.uses.streams[id])
		}
		return id, err
	})
}

// authorityHolds looks for holds of allowances that belong to no charge and to no
// agreement's link.
func (a *Audit) authorityHolds() func(context.Context, db.Tx) (bool, error) {
	return a.byNumber(DefectAgreement, "SELECT max(n) FROM holds", `SELECT h.reference FROM holds h
		JOIN accounts d ON d.n = h.debit AND d.code = 7
		LEFT JOIN charges c ON c.id = h.reference AND c.authority = d.id AND h.unreserved = 0
		LEFT JOIN agreements g ON g.id = h.reference AND g.id = d.user_data AND h.unreserved = 1
		WHERE h.n BETWEEN ? AND ? AND c.id IS NULL AND g.id IS NULL`, "is a hold of an allowance that nothing uses")
}

// allowances looks for allowances that are no agreement's, in another asset, or larger
// than what was ever granted.
func (a *Audit) allowances() func(context.Context, db.Tx) (bool, error) {
	return a.byNumber(DefectAgreement, "SELECT max(n) FROM accounts", `SELECT a.id FROM accounts a
		JOIN assets s ON s.ledger = a.ledger
		LEFT JOIN agreements g ON g.id = a.user_data AND g.asset_code || ' authority' = s.code AND g.asset_scale = s.scale AND g.asked >= a.debit_limit
		WHERE a.n BETWEEN ? AND ? AND a.code = 7 AND g.id IS NULL`, "is an allowance that no agreement grants")
}

// unaccounted looks for what was used of allowances for neither a charge nor an
// agreement's link.
func (a *Audit) unaccounted() func(context.Context, db.Tx) (bool, error) {
	const query = `SELECT EXISTS (SELECT 1 FROM accounts WHERE n = ?2 AND user_data = ?1) OR EXISTS (SELECT 1 FROM charges c JOIN accounts k ON k.id = c.authority
		WHERE c.id = ?1 AND k.n = ?2)`
	var left []party
	collected := false
	return func(ctx context.Context, tx db.Tx) (done bool, err error) {
		if !collected {
			for p := range a.uses.of {
				if !a.uses.seen[p] {
					left = append(left, p)
				}
			}
			collected = true
		}
		page := left[:min(auditRows, len(left))]
		left = left[len(page):]
		for _, p := range page {
			var known bool
			if err := tx.QueryRowContext(ctx, query, p.payment[:], p.account).Scan(&known); err != nil {
				return false, err
			}
			if !known {
				a.misuse(p.payment, "used an allowance, but is neither a charge nor an agreement")
			}
		}
		return len(left) == 0, nil
	}
}
