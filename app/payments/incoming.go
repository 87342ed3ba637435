package payments

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"pochi/ledger"

	"github.com/google/uuid"
)

// Incoming is money that arrived: a payment to one of our pointers, or a
// deposit.
type Incoming struct {
	ID         uuid.UUID
	UserID     uuid.UUID
	AccountID  uuid.UUID
	Pointer    string // the name of our pointer that was paid, "" for a deposit
	Sender     string // the payer's pointer name on this wallet, "" when unknown
	SenderName string // "" when unknown
	Received   ledger.Amount
	Packets    int
	CreatedAt  time.Time
	UpdatedAt  time.Time

	// Of a payment request: which, and what that says it is for.
	RequestID   uuid.UUID
	Description string
}

// FindIncoming returns an incoming payment of the person, or problem.NotFound.
func (s *Service) FindIncoming(ctx context.Context, userID, id uuid.UUID) (Incoming, error) {
	var p Incoming
	var created, updated int64
	var request uuid.NullUUID
	err := s.DB.Read.QueryRowContext(ctx, `SELECT i.id, i.user_id, i.account_id,
		coalesce((SELECT name FROM pointers WHERE id = i.pointer_id), ''), i.sender, i.sender_name,
		i.received_amount, s.code, s.scale, i.packets, i.created_at, i.updated_at, i.request_id, coalesce(r.description, '')
		FROM incoming_payments i JOIN accounts a ON a.id = i.account_id JOIN assets s ON s.ledger = a.ledger
		LEFT JOIN payment_requests r ON r.id = i.request_id
		WHERE i.id = ? AND i.user_id = ?`, id[:], userID[:]).Scan(&p.ID, &p.UserID, &p.AccountID,
		&p.Pointer, &p.Sender, &p.SenderName, &p.Received.Value, &p.Received.Asset.Code, &p.Received.Asset.Scale,
		&p.Packets, &created, &updated, &request, &p.Description)
	if errors.Is(err, sql.ErrNoRows) {
		return Incoming{}, errNoPayment()
	}
	p.RequestID = request.UUID
	p.CreatedAt, p.UpdatedAt = time.UnixMicro(created).UTC(), time.UnixMicro(updated).UTC()
	return p, err
}
