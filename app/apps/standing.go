package apps

import (
	"context"
	"database/sql"
	"fmt"
	"time"
)

// Standing is what people have allowed an app.
type Standing struct {
	Agreements int       // in all
	Live       int       // of them, those that can be used, or could be if they weren't paused
	LastUsed   time.Time // of any; zero for never
}

// Standing returns what people have allowed an app.
func (s *Service) Standing(ctx context.Context, id string) (Standing, error) {
	var out Standing
	var used sql.NullInt64
	err := s.db.Read.QueryRowContext(ctx, `SELECT count(*), coalesce(sum(state <> 'revoked' AND (ends_at IS NULL OR ends_at > ?)), 0), max(last_used_at)
		FROM agreements WHERE client_id = ? AND state <> 'pending'`, s.now().UnixMicro(), id).Scan(&out.Agreements, &out.Live, &used)
	if err != nil {
		return Standing{}, fmt.Errorf("count the agreements of an app: %w", err)
	}
	out.LastUsed = timeOf(used)
	return out, nil
}
