package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// SchemaObject is a table, an index, a trigger or a view. SQL is as SQLite keeps
// it, empty for an index that belongs to a constraint.
type SchemaObject struct{ Type, Name, Table, SQL string }

// Schema returns what the migrations make of an empty database. One that was
// migrated earlier, step by step, has the same: SQLite keeps each statement as it
// was written, and changes only the names when a table is renamed.
func Schema(ctx context.Context) (objects []SchemaObject, err error) {
	pool, err := sql.Open("sqlite3", dsn(":memory:", ""))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, pool.Close()) }()
	conn, err := pool.Conn(ctx) // each connection has a memory of its own
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	if _, _, err := migrate(ctx, conn); err != nil {
		return nil, fmt.Errorf("migrate: %w", err)
	}
	return ReadSchema(ctx, conn)
}

// ReadSchema returns what is in a database, without what ANALYZE leaves behind.
func ReadSchema(ctx context.Context, tx Tx) (objects []SchemaObject, err error) {
	rows, err := tx.QueryContext(ctx, `SELECT coalesce(type, ''), coalesce(name, ''), coalesce(tbl_name, ''), coalesce(sql, '')
		FROM sqlite_schema WHERE NOT (type = 'table' AND name IN ('sqlite_stat1', 'sqlite_stat4')) ORDER BY type, name`)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var o SchemaObject
		if err := rows.Scan(&o.Type, &o.Name, &o.Table, &o.SQL); err != nil {
			return nil, err
		}
		objects = append(objects, o)
	}
	return objects, rows.Err()
}
