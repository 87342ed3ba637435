package payments

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"time"

	"pochi/ledger"

	"github.com/google/uuid"
)

// Movement is one line of the history.
type Movement struct {
	ID        uuid.UUID // of the payment; one within the wallet has the same on both sides
	In        bool
	AccountID uuid.UUID
	Who       string        // the other side's name, "" when unknown
	Pointer   string        // outgoing: the receiver's payment pointer; incoming: the sender's name on this wallet
	Paid      string        // incoming: the name of our pointer that was paid, "" for a deposit
	Packets   int           // in which it came or went so far
	Amount    ledger.Amount // what moved; while sending, and when nothing moved, what was asked
	State     State
	Partly    bool // failed after a part was delivered
	Checking  bool // ended, and of a part it isn't known yet whether it arrived
	At        time.Time
}

// Filter says which movements: all of a person's, or those of one account.
type Filter struct {
	UserID    uuid.UUID
	AccountID uuid.UUID // zero for all
	Before    string    // cursor of an earlier page, "" for the newest
	Limit     int
}

const historyColumns = `SELECT o.id, 0, o.account_id, o.receiver_name, o.receiver, '', o.packets, o.debit_amount, o.sent_amount,
	(SELECT coalesce(sum(x.amount), 0) FROM suspense x JOIN accounts b ON b.n = x.bearer
	WHERE x.reference = o.id AND x.state = 0 AND b.id = o.account_id), o.state, o.created_at
	FROM outgoing_payments o WHERE o.%[1]s = ?1 AND (o.created_at, o.id) < (?2, ?3)
	ORDER BY o.created_at DESC, o.id DESC LIMIT ?4`

const historyIncoming = `SELECT i.id, 1, i.account_id, i.sender_name, i.sender,
	coalesce((SELECT p.name FROM pointers p WHERE p.id = i.pointer_id), ''), i.packets, i.received_amount, i.received_amount, 0, 'completed', i.created_at
	FROM incoming_payments i WHERE i.%[1]s = ?1 AND (i.created_at, i.id) < (?2, ?3)
	ORDER BY i.created_at DESC, i.id DESC LIMIT ?4`

const historyQuery = `SELECT h.*, s.code, s.scale FROM (
	SELECT * FROM (` + historyColumns + `) UNION ALL SELECT * FROM (` + historyIncoming + `)
	ORDER BY 12 DESC, 1 DESC LIMIT ?4) h
	JOIN accounts a ON a.id = h.account_id JOIN assets s ON s.ledger = a.ledger ORDER BY 12 DESC, 1 DESC`

// History returns a page of movements, newest first, and the cursor of the
// next older page, "" at the end.
func (s *Service) History(ctx context.Context, f Filter) ([]Movement, string, error) {
	column, owner := "user_id", f.UserID
	if f.AccountID != uuid.Nil {
		column, owner = "account_id", f.AccountID
	}
	at, id := parseCursor(f.Before)
	rows, err := s.DB.Read.QueryContext(ctx, fmt.Sprintf(historyQuery, column), owner[:], at, id[:], f.Limit+1)
	if err != nil {
		return nil, "", fmt.Errorf("history: %w", err)
	}
	defer rows.Close()
	var out []Movement
	for rows.Next() {
		var m Movement
		var sent, checking uint64
		var micros int64
		err := rows.Scan(&m.ID, &m.In, &m.AccountID, &m.Who, &m.Pointer, &m.Paid, &m.Packets, &m.Amount.Value, &sent, &checking, &m.State, &micros,
			&m.Amount.Asset.Code, &m.Amount.Asset.Scale)
		if err != nil {
			return nil, "", fmt.Errorf("history: %w", err)
		}
		m.At = time.UnixMicro(micros).UTC()
		m.Checking = m.State.Ended() && checking > 0
		m.Partly = m.State == Failed && sent > 0
		if m.State.Ended() && sent+checking > 0 {
			m.Amount.Value = sent + checking
		}
		out = append(out, m)
	}
	if err := rows.Err(); err != nil {
		return nil, "", fmt.Errorf("history: %w", err)
	}
	if len(out) <= f.Limit {
		return out, "", nil
	}
	out = out[:f.Limit]
	return out, cursor(out[len(out)-1].At, out[len(out)-1].ID), nil
}

// A cursor is the time and id of a page's last movement.
func cursor(at time.Time, id uuid.UUID) string {
	b := binary.BigEndian.AppendUint64(nil, uint64(at.UnixMicro()))
	return base64.RawURLEncoding.EncodeToString(append(b, id[:]...))
}

// parseCursor reads a cursor; one that makes no sense is the newest page's.
func parseCursor(text string) (at int64, id uuid.UUID) {
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || len(b) != 24 {
		return 1 << 62, uuid.Max
	}
	return int64(binary.BigEndian.Uint64(b)), uuid.UUID(b[8:])
}
