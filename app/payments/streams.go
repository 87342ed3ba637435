package payments

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"pochi/db"
	"pochi/ilp/connector"
	"pochi/ledger"

	"github.com/google/uuid"
)

// streams writes down what the packets of agreements' own links send, from their
// owners' side: a line for each connection to somebody here, and for each day and peer
// where they leave this wallet. It is a db.Participant, as arrivals is, and so all of
// it but owners belongs to the writer's goroutine.
//
// Nothing may fail when a batch is written: the agreements, accounts and people of
// lines were looked up, their payees too, and nothing of that is ever deleted.
type streams struct {
	sums   map[streamLine]streamed
	values []driver.Value
	owners *recent[owned, uuid.UUID]
}

// owned is an agreement and the account that it is about.
type owned struct{ agreement, account uuid.UUID }

// streamLine is a line.
type streamLine struct {
	owned
	user      uuid.UUID
	reference uuid.UUID // of its transfers: the connection here, the agreement elsewhere
	pointer   uuid.UUID // that is paid here, else zero
	peer      uuid.UUID // where it goes to from here, else zero
	day       int64     // of 1970, UTC, with peer
}

// streamed is what a batch sends on a line: sent in the account's asset, used in the
// agreement's.
type streamed struct{ sent, used, packets uint64 }

// ownersKept is how many agreements' owners are remembered at least.
const ownersKept = 1 << 14

func newStreams() *streams {
	return &streams{sums: map[streamLine]streamed{}, owners: newRecent[owned, uuid.UUID](ownersKept)}
}

// owner returns whose agreement an account's is. It is connector.ErrRefused if there
// is no such agreement about the account.
func (s *streams) owner(ctx context.Context, tx db.Tx, of owned) (user uuid.UUID, err error) {
	if user, known := s.owners.get(of); known {
		return user, nil
	}
	err = tx.QueryRowContext(ctx, "SELECT user_id FROM agreements WHERE id = ? AND account_id = ?", of.agreement[:], of.account[:]).Scan(&user)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return uuid.Nil, fmt.Errorf("%w: there is no agreement %s about the account", connector.ErrRefused, of.agreement)
	case err != nil:
		return uuid.Nil, fmt.Errorf("find an agreement's owner: %w", err)
	}
	s.owners.put(of, user)
	return user, nil
}

// ownedBy returns what a packet of an agreement is about.
func ownedBy(d connector.Delivery) owned { return owned{d.From.Reference, d.From.Account} }

// add adds a packet of an agreement. Undo takes it out again, before anything else is
// added.
func (s *streams) add(ctx context.Context, tx db.Tx, d connector.Delivery, now time.Time) (undo func(), err error) {
	line := streamLine{owned: ownedBy(d), reference: referenceOf(d)}
	if line.user, err = s.owner(ctx, tx, line.owned); err != nil {
		return nil, err
	}
	if d.To.Peer {
		line.peer, line.day = d.To.Account, dayOf(now)
	} else {
		line.pointer = d.To.Pointer
	}
	before, begun := s.sums[line]
	s.sums[line] = streamed{before.sent + d.AmountIn, before.used + d.Authority.Amount, before.packets + 1}
	return func() {
		if s.sums[line] = before; !begun {
			delete(s.sums, line)
		}
	}, nil
}

// dayOf returns the day of 1970 that a moment is in, UTC.
func dayOf(t time.Time) int64 { return t.Unix() / (24 * 60 * 60) }

// streamSpace makes the lines' ids.
var streamSpace = uuid.MustParse("b9f2a0d4-7c1e-4e38-9d57-2f6b8a3c1e90")

// id is the same for all packets of a line.
func (l streamLine) id() uuid.UUID {
	name := append(l.agreement[:], l.reference[:]...)
	name = append(name, l.peer[:]...)
	return uuid.NewSHA1(streamSpace, binary.BigEndian.AppendUint64(name, uint64(l.day)))
}

// Flush implements db.Participant.
func (s *streams) Flush(_ context.Context, tx db.BatchTx, b db.Batch) error {
	if len(s.sums) == 0 {
		return nil
	}
	s.values = s.values[:0]
	now := b.At.UnixMicro()
	for l, sum := range s.sums {
		id := l.id()
		s.values = append(s.values, id[:], l.agreement[:], l.user[:], l.account[:], l.reference[:], unlessZero(l.pointer), unlessZero(l.peer),
			int64(sum.sent), int64(sum.used), int64(sum.packets), now, now)
	}
	err := tx.Insert(`INSERT INTO streams
		(id, agreement_id, user_id, account_id, reference, pointer_id, peer, sent_amount, used_amount, packets, created_at, updated_at)`,
		`ON CONFLICT (id) DO UPDATE SET sent_amount = sent_amount + excluded.sent_amount, used_amount = used_amount + excluded.used_amount,
		packets = packets + excluded.packets, updated_at = excluded.updated_at`, 12, s.values)
	if err != nil {
		return fmt.Errorf("write what agreements sent: %w", err)
	}
	return nil
}

// unlessZero is NULL for the zero id.
func unlessZero(id uuid.UUID) driver.Value {
	if id == uuid.Nil {
		return nil
	}
	return id[:]
}

// Committed implements db.Participant.
func (s *streams) Committed() {
	clear(s.sums)
	clear(s.values)
}

// addStreamed adds what was taken from an agreement's account, and is resolved with an
// item of suspense, to the line of the day. What it used of the agreement was counted
// when the wallet crashed. Across currencies the wallet's exchange has the money next,
// and the line is that of the peer toward which it was in flight at the same time: the
// first, if there were several.
func addStreamed(ctx context.Context, tx db.Tx, item ledger.SuspenseItem, now time.Time) error {
	rows, err := tx.QueryContext(ctx, `SELECT g.account_id, g.user_id, (SELECT c.id FROM suspense y JOIN accounts c ON c.n = y.counterparty
		WHERE y.reference = x.reference AND y.batch = x.batch AND c.code = ?3 ORDER BY y.counterparty <> x.counterparty, y.n LIMIT 1), x.amount
		FROM suspense x JOIN agreements g ON g.id = x.reference JOIN accounts b ON b.n = x.bearer AND b.id = g.account_id
		WHERE x.reference = ?1 AND x.together = ?2`, item.Reference[:], item.Group, ledger.CodePeer)
	if err != nil {
		return fmt.Errorf("look up what an agreement sent: %w", err)
	}
	defer rows.Close()
	sums := map[streamLine]uint64{}
	for rows.Next() {
		l := streamLine{owned: owned{agreement: item.Reference}, reference: item.Reference, day: dayOf(now)}
		var amount uint64
		if err := rows.Scan(&l.account, &l.user, &l.peer, &amount); err != nil {
			return fmt.Errorf("look up what an agreement sent: %w", err)
		}
		sums[l] += amount
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("look up what an agreement sent: %w", err)
	}
	for l, sent := range sums {
		id, at := l.id(), now.UnixMicro()
		_, err := tx.ExecContext(ctx, `INSERT INTO streams
			(id, agreement_id, user_id, account_id, reference, pointer_id, peer, sent_amount, used_amount, packets, created_at, updated_at)
			VALUES (?, ?, ?, ?, ?, NULL, ?, ?, 0, 0, ?, ?)
			ON CONFLICT (id) DO UPDATE SET sent_amount = sent_amount + excluded.sent_amount, updated_at = excluded.updated_at`,
			id[:], l.agreement[:], l.user[:], l.account[:], l.reference[:], l.peer[:], sent, at, at)
		if err != nil {
			return fmt.Errorf("write what an agreement sent: %w", err)
		}
	}
	return nil
}
