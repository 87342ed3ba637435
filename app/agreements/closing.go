package agreements

import (
	"context"
	"fmt"

	"pochi/db"

	"github.com/google/uuid"
)

// AppsOn returns the names of the apps that have live agreements on an account, each
// once. It implements accounts.Agreements.
func (s *Service) AppsOn(ctx context.Context, tx db.Tx, accountID uuid.UUID) ([]string, error) {
	rows, err := tx.QueryContext(ctx, "SELECT DISTINCT app FROM agreements WHERE account_id = ? AND "+liveNow+" ORDER BY app", accountID[:], s.now().UnixMicro())
	if err != nil {
		return nil, fmt.Errorf("look up an account's agreements: %w", err)
	}
	defer rows.Close()
	var apps []string
	for rows.Next() {
		var app string
		if err := rows.Scan(&app); err != nil {
			return nil, fmt.Errorf("look up an account's agreements: %w", err)
		}
		apps = append(apps, app)
	}
	return apps, rows.Err()
}
