package peers

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"pochi/db"

	"github.com/google/uuid"
)

// Standing is a peer and what is between it and this wallet, as it is
// committed, in units of its asset.
type Standing struct {
	Peer
	CreditLimit  uint64 // how much it may owe
	OwedToPeer   uint64 // one of these two is 0
	OwedByPeer   uint64
	FromInFlight uint64 // of packets from it that haven't ended
	ToInFlight   uint64 // and of those to it
	Suspense     int    // open items in suspense that it would get, or have back
	Doubts       int    // packets whose answers were lost: it may claim them
	DoubtAmount  uint64 // what they carried
	RemovedAt    time.Time
}

const standingColumns = peerColumns + `, a.debit_limit,
	max(a.credits_posted - a.debits_posted, 0), max(a.debits_posted - a.credits_posted, 0), a.debits_pending,
	(SELECT coalesce(sum(h.in_flight), 0) FROM holds h WHERE h.in_flight > 0 AND h.toward = a.n),
	(SELECT count(*) FROM suspense x WHERE x.state = 0 AND (x.bearer = a.n OR x.counterparty = a.n)),
	coalesce(p.removed_at, 0)`

func scanStanding(row db.Row) (Standing, error) {
	var s Standing
	var removed int64
	var err error
	s.Peer, err = scanPeer(row, &s.CreditLimit, &s.OwedToPeer, &s.OwedByPeer, &s.FromInFlight, &s.ToInFlight,
		&s.Suspense, &removed)
	if removed != 0 {
		s.RemovedAt = time.UnixMicro(removed).UTC()
	}
	return s, err
}

// Standings returns all peers, oldest first.
func Standings(ctx context.Context, tx db.Tx) ([]Standing, error) {
	var out []Standing
	err := db.EachRow(ctx, tx, "SELECT "+standingColumns+peerTables+"WHERE p.removed_at IS NULL ORDER BY p.id", func(row db.Row) error {
		s, err := scanStanding(row)
		out = append(out, s)
		return err
	})
	for i := 0; i < len(out) && err == nil; i++ {
		err = out[i].loadMore(ctx, tx)
	}
	if err != nil {
		return nil, fmt.Errorf("list peers: %w", err)
	}
	return out, nil
}

// loadMore reads what isn't in the peer's own row.
func (s *Standing) loadMore(ctx context.Context, tx db.Tx) error {
	if err := loadLists(ctx, tx, &s.Peer); err != nil {
		return err
	}
	var err error
	s.Doubts, s.DoubtAmount, err = InDoubt(ctx, tx, s.ID)
	return err
}

// find returns a peer, a removed one too.
func (s *Service) find(ctx context.Context, id uuid.UUID) (Standing, error) {
	out, err := scanStanding(s.DB.Read.QueryRowContext(ctx, "SELECT "+standingColumns+peerTables+"WHERE p.id = ?", id[:]))
	if err == nil {
		err = out.loadMore(ctx, s.DB.Read)
	}
	if err != nil {
		return Standing{}, fmt.Errorf("look at a peer: %w", err)
	}
	return out, nil
}

// findRemoved returns the peer of a name that was removed last.
func (s *Service) findRemoved(ctx context.Context, name string) (Standing, error) {
	var id uuid.UUID
	err := s.DB.Read.QueryRowContext(ctx, "SELECT id FROM peers WHERE name = ? AND removed_at IS NOT NULL ORDER BY removed_at DESC LIMIT 1", name).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		return Standing{}, errUnknown(name)
	}
	if err != nil {
		return Standing{}, fmt.Errorf("find removed peer %s: %w", name, err)
	}
	return s.find(ctx, id)
}
