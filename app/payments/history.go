package payments

import (
	"context"
	"database/sql"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"strings"
	"time"

	"pochi/app/problem"
	"pochi/ledger"

	"github.com/google/uuid"
)

// Movement is one line of the history.
type Movement struct {
	ID        uuid.UUID // of the payment; one within the wallet has the same on both sides
	In        bool
	Stream    bool // an app sent it over its own link: there is no payment with this id
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

	// Of what an app did: who, and under which agreement.
	App         string
	AgreementID uuid.UUID

	// Incoming, of a payment request: which, and what that says it is for.
	RequestID   uuid.UUID
	Description string
}

// Filter says which movements: all of a person's, or those of one account.
type Filter struct {
	UserID    uuid.UUID
	AccountID uuid.UUID // zero for all
	Before    string    // cursor of an earlier page, "" for the newest
	Limit     int
}

// What the lines of the history are read from; the twelfth column is when they began.
// Each takes an id, a line's time and id to come before, and how many. What a person's
// payments are is read account by account.
const (
	outgoingLines = `SELECT o.id, 0, o.account_id, o.receiver_name, o.receiver, '', o.packets, o.debit_amount, o.sent_amount,
		(SELECT coalesce(sum(x.amount), 0) FROM suspense x JOIN accounts b ON b.n = x.bearer
		WHERE x.reference = o.id AND x.state = 0 AND b.id = o.account_id), o.state, o.created_at, coalesce(g.app, ''), g.id, NULL AS request
		FROM wallet_accounts w JOIN outgoing_payments o ON o.id IN (SELECT p.id FROM outgoing_payments p
		WHERE p.account_id = w.id AND (p.created_at, p.id) < (?2, ?3) ORDER BY p.created_at DESC, p.id DESC LIMIT ?4)
		LEFT JOIN charges c ON c.id = o.id LEFT JOIN agreements g ON g.id = c.agreement_id
		WHERE w.%[1]s = ?1 ORDER BY o.created_at DESC, o.id DESC LIMIT ?4`
	chargedLines = `SELECT o.id, 0, o.account_id, o.receiver_name, o.receiver, '', o.packets, o.debit_amount, o.sent_amount,
		(SELECT coalesce(sum(x.amount), 0) FROM suspense x JOIN accounts b ON b.n = x.bearer
		WHERE x.reference = o.id AND x.state = 0 AND b.id = o.account_id), o.state, c.created_at, g.app, g.id, NULL AS request
		FROM charges c JOIN outgoing_payments o ON o.id = c.id JOIN agreements g ON g.id = c.agreement_id
		WHERE c.agreement_id = ?1 AND (c.created_at, c.id) < (?2, ?3) ORDER BY c.created_at DESC, c.id DESC LIMIT ?4`
	incomingColumns = `SELECT i.id, 1, i.account_id, i.sender_name, i.sender,
		coalesce((SELECT p.name FROM pointers p WHERE p.id = i.pointer_id), ''), i.packets, i.received_amount, i.received_amount, 0, 'completed',
		i.created_at, '', NULL, i.request_id AS request`
	incomingLines = incomingColumns + `
		FROM wallet_accounts w JOIN incoming_payments i ON i.id IN (SELECT p.id FROM incoming_payments p
		WHERE p.account_id = w.id AND (p.created_at, p.id) < (?2, ?3) ORDER BY p.created_at DESC, p.id DESC LIMIT ?4)
		WHERE w.%[1]s = ?1 ORDER BY i.created_at DESC, i.id DESC LIMIT ?4`
	requestLines = incomingColumns + `
		FROM incoming_payments i WHERE i.request_id = ?1 AND (i.created_at, i.id) < (?2, ?3)
		ORDER BY i.created_at DESC, i.id DESC LIMIT ?4`
	streamLines = `SELECT t.id, 2, t.account_id, coalesce((SELECT u.name FROM pointers p JOIN users u ON u.id = p.user_id WHERE p.id = t.pointer_id), ''),
		coalesce((SELECT p.name FROM pointers p WHERE p.id = t.pointer_id), ''), '', t.packets, t.sent_amount, t.sent_amount, 0, 'completed',
		t.created_at, g.app, g.id, NULL AS request
		FROM streams t JOIN agreements g ON g.id = t.agreement_id WHERE t.%[2]s = ?1 AND (t.created_at, t.id) < (?2, ?3)
		ORDER BY t.created_at DESC, t.id DESC LIMIT ?4`
	// What agreements' own links had in flight to another node when the wallet crashed, while it isn't known whether it arrived.
	doubtfulLines = `SELECT g.id, 2, g.account_id, '', '', '', 0, sum(x.amount), 0, sum(x.amount), 'completed', t.at, g.app, g.id, NULL AS request
		FROM suspense x JOIN agreements g ON g.id = x.reference JOIN accounts b ON b.n = x.bearer AND b.id = g.account_id
		JOIN batches t ON t.seq = x.batch WHERE x.state = 0 AND g.%[3]s = ?1 AND (t.at, g.id) < (?2, ?3)
		GROUP BY x.batch, g.id ORDER BY t.at DESC, g.id DESC LIMIT ?4`
)

// historyOf returns the query for a page of lines.
func historyOf(lines ...string) string {
	return "SELECT h.*, s.code, s.scale, coalesce(q.description, '') FROM (SELECT * FROM (" + strings.Join(lines, ") UNION ALL SELECT * FROM (") + `)
		ORDER BY 12 DESC, 1 DESC LIMIT ?4) h
		JOIN accounts a ON a.id = h.account_id JOIN assets s ON s.ledger = a.ledger
		LEFT JOIN payment_requests q ON q.id = h.request ORDER BY 12 DESC, 1 DESC`
}

// History returns a page of movements, newest first, and the cursor of the
// next older page, "" at the end.
func (s *Service) History(ctx context.Context, f Filter) ([]Movement, string, error) {
	account, column, owner := "user_id", "user_id", f.UserID // columns of accounts, and of what has an account
	if f.AccountID != uuid.Nil {
		account, column, owner = "id", "account_id", f.AccountID
	}
	query := fmt.Sprintf(historyOf(outgoingLines, incomingLines, streamLines, doubtfulLines), account, column, column)
	return s.movements(ctx, query, owner, f.Before, f.Limit)
}

// AgreementMovements returns a page of what moved under an agreement of the person,
// as History does; nothing for an agreement that isn't theirs.
func (s *Service) AgreementMovements(ctx context.Context, userID, agreementID uuid.UUID, before string, limit int) ([]Movement, string, error) {
	a, err := s.Agreements.Find(ctx, agreementID)
	if problem.CodeOf(err) == problem.NotFound || err == nil && a.UserID != userID {
		return nil, "", nil
	}
	if err != nil {
		return nil, "", fmt.Errorf("history: %w", err)
	}
	query := fmt.Sprintf(historyOf(chargedLines, streamLines, doubtfulLines), "", "agreement_id", "id")
	return s.movements(ctx, query, agreementID, before, limit)
}

func (s *Service) movements(ctx context.Context, query string, of uuid.UUID, before string, limit int) ([]Movement, string, error) {
	at, id := parseCursor(before)
	rows, err := s.DB.Read.QueryContext(ctx, query, of[:], at, id[:], limit+1)
	if err != nil {
		return nil, "", fmt.Errorf("history: %w", err)
	}
	defer rows.Close()
	var out []Movement
	for rows.Next() {
		m, err := s.scanMovement(rows)
		if err != nil {
			return nil, "", fmt.Errorf("history: %w", err)
		}
		out = append(out, m)
	}
	if err := rows.Err(); err != nil {
		return nil, "", fmt.Errorf("history: %w", err)
	}
	if len(out) <= limit {
		return out, "", nil
	}
	out = out[:limit]
	last := out[limit-1]
	return out, cursor(last.At, last.ID), nil
}

// The kinds of line.
const (
	lineOut = iota
	lineIn
	lineStream
)

func (s *Service) scanMovement(rows *sql.Rows) (Movement, error) {
	var m Movement
	var kind int
	var sent, checking uint64
	var micros int64
	var agreement, request uuid.NullUUID
	err := rows.Scan(&m.ID, &kind, &m.AccountID, &m.Who, &m.Pointer, &m.Paid, &m.Packets, &m.Amount.Value, &sent, &checking, &m.State, &micros,
		&m.App, &agreement, &request, &m.Amount.Asset.Code, &m.Amount.Asset.Scale, &m.Description)
	m.In, m.Stream, m.AgreementID = kind == lineIn, kind == lineStream, agreement.UUID
	m.RequestID = request.UUID
	if m.Stream && m.Pointer != "" {
		m.Pointer = "$" + s.Host + "/" + m.Pointer
	}
	m.At = time.UnixMicro(micros).UTC()
	m.Checking = m.State.Ended() && checking > 0
	m.Partly = m.State == Failed && sent > 0
	if m.State.Ended() && sent+checking > 0 {
		m.Amount.Value = sent + checking
	}
	return m, err
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
