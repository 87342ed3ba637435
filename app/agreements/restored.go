package agreements

import (
	"context"
	"fmt"
	"time"

	"pochi/db"
)

// restoredNote is what owners read of an agreement that a restore has paused.
const restoredNote = "This wallet was restored from a backup, which may not know all that was used, lowered or ended since. Check that before you resume."

// PauseAll pauses all agreements and forgets what was only asked for, in the
// transaction that restores a database: the backup doesn't know what was revoked,
// lowered or used since. It returns how many it paused.
func PauseAll(ctx context.Context, tx db.Tx, now time.Time) (int64, error) {
	if _, err := tx.ExecContext(ctx, "DELETE FROM agreements WHERE state = 'pending'"); err != nil {
		return 0, fmt.Errorf("forget what apps asked for: %w", err)
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO agreement_events (agreement, kind, at, amount, note)
		SELECT id, 'paused', ?, amount, ? FROM agreements WHERE state = 'active'`, now.UnixMicro(), restoredNote)
	if err != nil {
		return 0, fmt.Errorf("pause agreements: %w", err)
	}
	// Tokens may have been given since, too.
	if _, err := tx.ExecContext(ctx, "UPDATE agreements SET collected_at = coalesce(collected_at, ?)", now.UnixMicro()); err != nil {
		return 0, fmt.Errorf("pause agreements: %w", err)
	}
	res, err := tx.ExecContext(ctx, "UPDATE agreements SET state = 'paused' WHERE state = 'active'")
	if err != nil {
		return 0, fmt.Errorf("pause agreements: %w", err)
	}
	return res.RowsAffected()
}
