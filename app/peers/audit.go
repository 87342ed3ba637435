package peers

import (
	"context"
	"database/sql"
	"fmt"

	"pochi/db"
	"pochi/ledger"

	"github.com/google/uuid"
)

// DefectPeer is the name of a peer that contradicts the ledger.
const DefectPeer = "peer"

// auditRows is how many peers are compared in one read transaction.
const auditRows = 1000

// Audit compares the peers with their accounts, and these with the peers, while
// ledger.Check replays the ledger: it is a ledger.Observer.
type Audit struct {
	last     []byte // of the peers
	accounts bool   // the peers were compared
	above    int64  // of the accounts, by number
}

// Posted implements ledger.Observer.
func (*Audit) Posted(*ledger.Posted) {}

// Resolved implements ledger.Observer.
func (*Audit) Resolved(ledger.Resolved) {}

// Compare implements ledger.Observer.
func (a *Audit) Compare(ctx context.Context, tx db.Tx) (defects []ledger.Defect, done bool, err error) {
	if a.accounts {
		return a.compareAccounts(ctx, tx)
	}
	defects, a.accounts, err = a.comparePeers(ctx, tx)
	return defects, false, err
}

// compareAccounts looks for accounts of peers that nobody is: what they owe, or are
// owed, would be on no list.
func (a *Audit) compareAccounts(ctx context.Context, tx db.Tx) (defects []ledger.Defect, done bool, err error) {
	n := 0
	err = db.EachRow(ctx, tx, `SELECT a.n, a.id, a.code = ? AND p.id IS NULL FROM accounts a LEFT JOIN peers p ON p.id = a.id
		WHERE a.n > ? ORDER BY a.n LIMIT ?`, func(row db.Row) error {
		var id uuid.UUID
		var nobody bool
		err := row.Scan(&a.above, &id, &nobody)
		if err == nil && nobody {
			defects = append(defects, defect(id, "is the account of a peer that there is not"))
		}
		n++
		return err
	}, ledger.CodePeer, a.above, auditRows)
	if err != nil {
		return nil, false, fmt.Errorf("check the accounts of peers: %w", err)
	}
	return defects, n < auditRows, nil
}

func (a *Audit) comparePeers(ctx context.Context, tx db.Tx) (defects []ledger.Defect, done bool, err error) {
	n := 0
	err = db.EachRow(ctx, tx, `SELECT p.id, p.removed_at IS NOT NULL, a.code, a.closed FROM peers p LEFT JOIN accounts a ON a.id = p.id
		WHERE p.id > coalesce(?, x'') ORDER BY p.id LIMIT ?`, func(row db.Row) error {
		var id uuid.UUID
		var removed bool
		var code sql.NullInt64
		var closed sql.NullBool
		err := row.Scan(&id, &removed, &code, &closed)
		switch {
		case err != nil:
			return err
		case code.Int64 != int64(ledger.CodePeer):
			defects = append(defects, defect(id, "has no account of a peer"))
		case closed.Bool != removed:
			defects = append(defects, defect(id, "is removed, or its account closed, and not both"))
		}
		a.last = id[:]
		n++
		return nil
	}, a.last, auditRows)
	if err != nil {
		return nil, false, fmt.Errorf("check peers: %w", err)
	}
	return defects, n < auditRows, nil
}

func defect(id uuid.UUID, what string) ledger.Defect {
	return ledger.Defect{Name: DefectPeer, Detail: id.String() + " " + what}
}
