package agreements

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"pochi/app/agreements/interval"
	"pochi/db"

	"github.com/google/uuid"
)

const columns = `id, client_id, app, user_id, account_id, description, asset_code, asset_scale, asked, amount, "interval", payment_max, receivers,
	starts_at, expires_at, state, created_at, approved_at, ended_at, last_used_at`

// find reads the agreement that a condition is true of, or returns
// problem.NotFound.
func find(ctx context.Context, tx db.Tx, where string, args ...any) (Agreement, error) {
	a, err := scan(tx.QueryRowContext(ctx, "SELECT "+columns+" FROM agreements WHERE "+where, args...))
	if errors.Is(err, sql.ErrNoRows) {
		return Agreement{}, errNotFound()
	}
	return a, err
}

func scan(row interface{ Scan(...any) error }) (Agreement, error) {
	var a Agreement
	var user, account uuid.NullUUID
	var rule, receivers string
	var created int64
	var starts, expires, approved, ended, used sql.NullInt64
	err := row.Scan(&a.ID, &a.ClientID, &a.App, &user, &account, &a.Description, &a.Amount.Asset.Code, &a.Amount.Asset.Scale, &a.Asked,
		&a.Amount.Value, &rule, &a.PaymentMax, &receivers, &starts, &expires, &a.State, &created, &approved, &ended, &used)
	if err != nil {
		return Agreement{}, fmt.Errorf("read an agreement: %w", err)
	}
	if a.Interval, err = interval.Parse(rule); err != nil {
		return Agreement{}, fmt.Errorf("agreement %s: its interval %q: %w", a.ID, rule, err)
	}
	if receivers != "" {
		a.Receivers = strings.Split(receivers, "\n")
	}
	a.UserID, a.AccountID = user.UUID, account.UUID
	a.StartsAt, a.ExpiresAt, a.CreatedAt = moment(starts), moment(expires), time.UnixMicro(created).UTC()
	a.ApprovedAt, a.EndedAt, a.LastUsedAt = moment(approved), moment(ended), moment(used)
	return a, nil
}

func moment(n sql.NullInt64) time.Time {
	if !n.Valid {
		return time.Time{}
	}
	return time.UnixMicro(n.Int64).UTC()
}

func micros(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UnixMicro()
}

// insert writes an agreement; consent is nil for a pending one.
func insert(ctx context.Context, tx db.Tx, a Agreement, consent []byte) error {
	var user, account, ends any
	if a.State != Pending {
		user, account, ends = a.UserID[:], a.AccountID[:], micros(a.Ends())
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO agreements (`+columns+`, ends_at, consent)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		a.ID[:], a.ClientID, a.App, user, account, a.Description, a.Amount.Asset.Code, a.Amount.Asset.Scale, a.Asked,
		a.Amount.Value, a.Interval.String(), a.PaymentMax, strings.Join(a.Receivers, "\n"), micros(a.StartsAt), micros(a.ExpiresAt),
		a.State, a.CreatedAt.UnixMicro(), micros(a.ApprovedAt), micros(a.EndedAt), micros(a.LastUsedAt), ends, consent)
	if err != nil {
		return fmt.Errorf("write an agreement: %w", err)
	}
	return nil
}
