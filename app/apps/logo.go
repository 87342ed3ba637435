package apps

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"

	"pochi/db"

	"github.com/google/uuid"
)

// SetLogo gives an app the logo that is drawn of an uploaded picture. Errors:
// problem.Errors with the field logo; NotFound.
func (s *Service) SetLogo(ctx context.Context, owner uuid.UUID, id string, file []byte) error {
	if _, err := s.findLive(ctx, owner, id); err != nil {
		return err
	}
	logo, err := s.draw(ctx, file)
	if err != nil {
		return err
	}
	sum := sha256.Sum256(logo)
	return s.db.Write(ctx, func(tx db.Tx) error {
		_, err := tx.ExecContext(ctx, "INSERT INTO app_logos (client_id, version, png) VALUES (?, ?, ?) "+
			"ON CONFLICT (client_id) DO UPDATE SET version = excluded.version, png = excluded.png", id, hex.EncodeToString(sum[:6]), logo)
		return err
	})
}

func (s *Service) draw(ctx context.Context, file []byte) ([]byte, error) {
	select {
	case s.decoding <- struct{}{}:
		defer func() { <-s.decoding }()
		return parsePicture(file)
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// RemoveLogo takes an app's logo away. Errors: NotFound.
func (s *Service) RemoveLogo(ctx context.Context, owner uuid.UUID, id string) error {
	if _, err := s.findLive(ctx, owner, id); err != nil {
		return err
	}
	return s.db.Write(ctx, func(tx db.Tx) error {
		_, err := tx.ExecContext(ctx, "DELETE FROM app_logos WHERE client_id = ?", id)
		return err
	})
}

// Logo returns an app's logo as PNG, for anybody, and its version. Errors:
// NotFound.
func (s *Service) Logo(ctx context.Context, id string) (png []byte, version string, err error) {
	err = s.db.Read.QueryRowContext(ctx, "SELECT png, version FROM app_logos WHERE client_id = ?", id).Scan(&png, &version)
	if errors.Is(err, sql.ErrNoRows) {
		err = errNotFound()
	}
	return png, version, err
}

// Logos returns the versions of the logos of those of the apps that have one, by
// their IDs.
func (s *Service) Logos(ctx context.Context, ids []string) (map[string]string, error) {
	out := map[string]string{}
	for _, id := range ids {
		if _, known := out[id]; known {
			continue
		}
		var version string
		err := s.db.Read.QueryRowContext(ctx, "SELECT version FROM app_logos WHERE client_id = ?", id).Scan(&version)
		switch {
		case err == nil:
			out[id] = version
		case !errors.Is(err, sql.ErrNoRows):
			return nil, err
		}
	}
	return out, nil
}
