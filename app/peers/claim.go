package peers

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"pochi/app/problem"
	"pochi/db"
	"pochi/ledger"

	"github.com/google/uuid"
)

// The states of a Claim.
const (
	ClaimOpen      = "open"
	ClaimDismissed = "dismissed" // the peer agrees that nothing arrived
	ClaimAccepted  = "accepted"  // the peer fulfilled, and is owed it
)

var claimStates = [...]string{ClaimOpen, ClaimDismissed, ClaimAccepted} // as the database numbers them

// Claim is what a peer may claim: the doubts of one reference.
type Claim struct {
	n               int64
	Reference       uuid.UUID // what the packets moved for
	Packets         int
	Amount          uint64 // units of the peer's asset
	FirstAt, LastAt time.Time
	Cause           string // of the last
	State           string
	ResolvedAt      time.Time // zero when it is open
}

const claimQuery = "SELECT n, reference, packets, amount, first_at, last_at, cause, state, coalesce(resolved_at, 0) FROM peer_doubts "

func scanClaim(row db.Row) (Claim, error) {
	var c Claim
	var first, last, resolved int64
	var state int
	if err := row.Scan(&c.n, &c.Reference, &c.Packets, &c.Amount, &first, &last, &c.Cause, &state, &resolved); err != nil {
		return Claim{}, err
	}
	c.FirstAt, c.LastAt, c.State = time.UnixMicro(first).UTC(), time.UnixMicro(last).UTC(), claimStates[state]
	if resolved != 0 {
		c.ResolvedAt = time.UnixMicro(resolved).UTC()
	}
	return c, nil
}

// Claims returns a peer and what it may claim, oldest first: what is open, or all
// that ever was. Error: problem.NotFound.
func Claims(ctx context.Context, tx db.Tx, name string, onlyOpen bool) (Peer, []Claim, error) {
	p, err := scanPeer(tx.QueryRowContext(ctx, "SELECT "+peerColumns+peerTables+"WHERE p.name = ? AND p.removed_at IS NULL", name))
	if errors.Is(err, sql.ErrNoRows) {
		return Peer{}, nil, errUnknown(name)
	}
	var out []Claim
	if err == nil {
		err = db.EachRow(ctx, tx, claimQuery+"WHERE peer = ? AND (state = 0 OR NOT ?) ORDER BY n", func(row db.Row) error {
			c, err := scanClaim(row)
			out = append(out, c)
			return err
		}, p.ID[:], onlyOpen)
	}
	if err != nil {
		return Peer{}, nil, fmt.Errorf("list what %s may claim: %w", name, err)
	}
	return p, out, nil
}

// findClaim returns what is open under a reference, else what was resolved last.
func findClaim(ctx context.Context, tx db.Tx, p Peer, reference uuid.UUID) (Claim, error) {
	c, err := scanClaim(tx.QueryRowContext(ctx, claimQuery+"WHERE peer = ? AND reference = ? ORDER BY state = 0 DESC, n DESC LIMIT 1", p.ID[:], reference[:]))
	if errors.Is(err, sql.ErrNoRows) {
		return Claim{}, problem.New(problem.NotFound, "Nothing with %s is in doubt under %s: pochi admin peer doubts %s shows what is.", p.Name, reference, p.Name)
	}
	if err != nil {
		return Claim{}, fmt.Errorf("find what %s may claim: %w", p.Name, err)
	}
	return c, nil
}

// InDoubt returns how many packets to a peer are in doubt, and what they carried,
// in units of its asset.
func InDoubt(ctx context.Context, tx db.Tx, peer uuid.UUID) (packets int, amount uint64, err error) {
	err = db.EachRow(ctx, tx, "SELECT packets, amount FROM peer_doubts WHERE peer = ? AND state = 0", func(row db.Row) error {
		var n int
		var units uint64
		err := row.Scan(&n, &units)
		packets += n
		amount = min(amount+units, ledger.AmountMax) // neither is more, so the sum fits
		return err
	}, peer[:])
	if err != nil {
		return 0, 0, fmt.Errorf("add up what a peer may claim: %w", err)
	}
	return packets, amount, nil
}

// WithDoubts returns the names of the peers that may claim something, oldest
// first.
func WithDoubts(ctx context.Context, tx db.Tx) (names []string, err error) {
	const query = "SELECT name FROM peers WHERE id IN (SELECT peer FROM peer_doubts WHERE state = 0) ORDER BY id"
	err = db.EachRow(ctx, tx, query, func(row db.Row) error {
		var name string
		err := row.Scan(&name)
		names = append(names, name)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("look for peers that may claim something: %w", err)
	}
	return names, nil
}
