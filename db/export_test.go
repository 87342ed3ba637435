package db

import (
	"context"
	"database/sql"
	"errors"
)

// QueueMax is how many units may wait.
const QueueMax = queueMax

// StatementsMax is how many statements are kept.
const StatementsMax = statementsMax

// Migrations returns how many migrations there are.
func Migrations() (int, error) {
	names, err := migrationNames()
	return len(names), err
}

// MakeOlder makes a database as a program that knew only the first version
// migrations would have left it, with the rows that stmt inserts.
func MakeOlder(ctx context.Context, path string, version int, stmt string) error {
	pool, err := sql.Open("sqlite3", writerDSN(path, ""))
	if err != nil {
		return err
	}
	conn, err := pool.Conn(ctx)
	if err != nil {
		return errors.Join(err, pool.Close())
	}
	names, err := migrationNames()
	if err == nil {
		err = migrateTo(ctx, conn, names[:version])
	}
	if err == nil {
		_, err = conn.ExecContext(ctx, stmt)
	}
	return errors.Join(err, conn.Close(), pool.Close())
}

// OnWriter runs a statement on the write connection, past the Writer.
func (d *DB) OnWriter(ctx context.Context, stmt string) error {
	_, err := d.Writer.conn.ExecContext(ctx, stmt)
	return err
}
