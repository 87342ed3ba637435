package db

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"sort"
)

//go:embed migrations/*.sql
var migrations embed.FS

// migrate applies the numbered files that the database has not seen, each in
// a transaction of its own. They only go forward. SQLite's user_version holds
// how many were applied: before is how many had been, and now is how many are.
func migrate(ctx context.Context, conn *sql.Conn) (before, now int, err error) {
	names, err := migrationNames()
	if err != nil {
		return 0, 0, err
	}
	if before, err = schemaVersion(ctx, conn, len(names)); err != nil {
		return 0, 0, err
	}
	return before, len(names), migrateTo(ctx, conn, names)
}

// migrationNames returns the numbered files in their order.
func migrationNames() ([]string, error) {
	names, err := fs.Glob(migrations, "migrations/*.sql")
	sort.Strings(names)
	return names, err
}

func migrateTo(ctx context.Context, conn *sql.Conn, names []string) error {
	done, err := schemaVersion(ctx, conn, len(names))
	if err != nil {
		return err
	}
	for i, name := range names[done:] {
		if err := applyMigration(ctx, conn, name, done+i+1); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

// current refuses a database whose schema this program does not read.
func current(ctx context.Context, tx Tx) error {
	names, err := migrationNames()
	if err != nil {
		return err
	}
	done, err := schemaVersion(ctx, tx, len(names))
	if err == nil && done < len(names) {
		return fmt.Errorf("%w: it has %d migrations of %d", ErrFromPast, done, len(names))
	}
	return err
}

// schemaVersion returns how many migrations were applied, or ErrFromFuture
// when they are more than the program knows.
func schemaVersion(ctx context.Context, tx Tx, known int) (int, error) {
	var done int
	if err := tx.QueryRowContext(ctx, "PRAGMA user_version").Scan(&done); err != nil {
		return 0, err
	}
	if done > known {
		return 0, fmt.Errorf("%w: it has %d migrations, this program knows %d", ErrFromFuture, done, known)
	}
	return done, nil
}

func applyMigration(ctx context.Context, conn *sql.Conn, name string, version int) error {
	body, err := migrations.ReadFile(name)
	if err != nil {
		return err
	}
	tx, err := conn.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, string(body)); err != nil {
		return errors.Join(err, tx.Rollback())
	}
	if _, err := tx.ExecContext(ctx, fmt.Sprintf("PRAGMA user_version = %d", version)); err != nil {
		return errors.Join(err, tx.Rollback())
	}
	return tx.Commit()
}
