package sessions

import (
	"context"
	"encoding/hex"
	"fmt"
	"time"

	"pochi/db"
)

type hash = [32]byte // a token's SHA-256

// find returns the session of a token; sql.ErrNoRows when there is none that
// has time left.
func find(ctx context.Context, tx db.Tx, token hash, now time.Time) (Session, error) {
	row := Session{ID: hex.EncodeToString(token[:])}
	var created, seen, expires int64
	err := tx.QueryRowContext(ctx, `
		SELECT user_id, user_agent, address, created_at, last_seen_at, expires_at
		FROM sessions WHERE token_hash = ? AND expires_at > ?`, token[:], now.UnixMicro()).
		Scan(&row.UserID, &row.UserAgent, &row.Address, &created, &seen, &expires)
	row.CreatedAt = time.UnixMicro(created).UTC()
	row.LastSeenAt = time.UnixMicro(seen).UTC()
	row.ExpiresAt = time.UnixMicro(expires).UTC()
	return row, err
}

// startRows inserts a session, deletes the one that it replaces, and sweeps
// some expired ones.
func startRows(ctx context.Context, token hash, row Session, before hash, replaces bool) func(db.Tx) error {
	return func(tx db.Tx) error {
		if replaces {
			if err := endRows(ctx, before)(tx); err != nil {
				return err
			}
		}
		_, err := tx.ExecContext(ctx, `
			DELETE FROM sessions WHERE token_hash IN
				(SELECT token_hash FROM sessions WHERE expires_at <= ? ORDER BY expires_at LIMIT ?)`,
			row.CreatedAt.UnixMicro(), sweepMax)
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `
			INSERT INTO sessions (token_hash, user_id, user_agent, address, created_at, last_seen_at, expires_at)
			VALUES (?, ?, ?, ?, ?, ?, ?)`,
			token[:], row.UserID[:], row.UserAgent, row.Address,
			row.CreatedAt.UnixMicro(), row.LastSeenAt.UnixMicro(), row.ExpiresAt.UnixMicro())
		return err
	}
}

// seenRows never brings an ended session back: errEnded when it is gone.
func seenRows(ctx context.Context, token hash, row Session) func(db.Tx) error {
	return func(tx db.Tx) error {
		res, err := tx.ExecContext(ctx, "UPDATE sessions SET last_seen_at = ?, expires_at = ? WHERE token_hash = ?",
			row.LastSeenAt.UnixMicro(), row.ExpiresAt.UnixMicro(), token[:])
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n == 1 {
			return err
		}
		return errEnded
	}
}

func endRows(ctx context.Context, token hash) func(db.Tx) error {
	return func(tx db.Tx) error {
		_, err := tx.ExecContext(ctx, "DELETE FROM sessions WHERE token_hash = ?", token[:])
		return err
	}
}

// EndAll ends every session, in the transaction that restores a database: those
// that were ended after the backup was made would come back.
func EndAll(ctx context.Context, tx db.Tx) error {
	if _, err := tx.ExecContext(ctx, "DELETE FROM sessions"); err != nil {
		return fmt.Errorf("end all sessions: %w", err)
	}
	return nil
}
