package ledger

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"pochi/db"
)

// Sizes up to which SQLite's own checks are short reads. Variables, so that
// tests can make them small.
var (
	smallFile  int64 = 64 << 20 // bytes: all of it is looked at
	smallTable       = 100_000  // rows
)

// strangers are tables that aren't the program's: tests have some.
var strangers = map[string]bool{}

// madeSchema is what the program makes of an empty database.
var madeSchema = sync.OnceValues(func() ([]db.SchemaObject, error) { return db.Schema(context.Background()) })

// checkFile looks at the schema, and lets SQLite look at its pages, indexes,
// constraints and foreign keys.
func (a *audit) checkFile(ctx context.Context) error {
	err := a.transaction(ctx, func() error { return a.checkSchema(ctx) })
	if err := a.survive(err); err != nil {
		return err
	}
	var tables []string // "": all at once
	err = a.transaction(ctx, func() error {
		return a.read(func(r reader) (err error) {
			tables, err = a.tablesToLookAt(r)
			return err
		})
	})
	if err := a.survive(err); err != nil {
		return err
	}
	for _, table := range tables {
		for _, look := range []func(context.Context, string) error{a.checkPages, a.checkForeignKeys} {
			if err := a.survive(a.transaction(ctx, func() error { return look(ctx, table) })); err != nil {
				return err
			}
		}
	}
	return nil
}

// checkSchema compares tables, indexes, triggers and views with those that the
// program makes: what follows reads them, and the writer trusts them.
func (a *audit) checkSchema(ctx context.Context) error {
	made, err := madeSchema()
	if err != nil {
		return fmt.Errorf("make a schema to compare with: %w", err)
	}
	found, err := db.ReadSchema(ctx, a.conn)
	if err != nil {
		return err
	}
	type name struct{ kind, name string }
	rest := map[name]db.SchemaObject{}
	for _, o := range found {
		rest[name{o.Type, o.Name}] = o
	}
	for _, want := range made {
		of := name{want.Type, want.Name}
		switch got, there := rest[of]; {
		case !there:
			a.defect(DefectSchema, "%s %s is missing", want.Type, want.Name)
		case got != want:
			a.defect(DefectSchema, "%s %s is not as the program made it", want.Type, want.Name)
		}
		delete(rest, of)
	}
	for _, o := range found {
		if _, more := rest[name{o.Type, o.Name}]; more && !strangers[o.Table] {
			a.defect(DefectSchema, "%s %s on %s was not made by the program", o.Type, o.Name, o.Table)
		}
	}
	return nil
}

// tablesToLookAt returns the tables that SQLite may look at in one read each, or
// "" for all when it may look at everything at once.
func (a *audit) tablesToLookAt(r reader) (tables []string, err error) {
	var size int64
	c := &columns{}
	c.int("size", &size)
	err = c.each(r, func(string) bool { return false }, "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size")
	if err != nil || a.Alone || size <= smallFile {
		return []string{""}, err
	}
	var name string
	c = &columns{}
	c.text("name", &name)
	err = c.each(r, func(string) bool { tables = append(tables, name); return true },
		"SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
	if err != nil {
		return nil, err
	}
	small := tables[:0]
	for _, table := range tables {
		large := false
		c := &columns{}
		c.flag("large", &large)
		err := c.each(r, func(string) bool { return false },
			"SELECT EXISTS (SELECT 1 FROM "+quoted(table)+" LIMIT 1 OFFSET "+fmt.Sprint(smallTable)+")")
		if err != nil {
			return nil, err
		}
		if large {
			a.report.Unseen = append(a.report.Unseen, table)
		} else {
			small = append(small, table)
		}
	}
	return small, nil
}

func quoted(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

// ofTable makes a pragma look at one table, or at all.
func ofTable(pragma, table string) string {
	if table == "" {
		return "PRAGMA " + pragma
	}
	return "PRAGMA " + pragma + "(" + quoted(table) + ")"
}

// checkPages may take long for a large file: a context can end it.
func (a *audit) checkPages(ctx context.Context, table string) (err error) {
	rows, err := a.conn.QueryContext(ctx, ofTable("integrity_check", table))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var line string
		if err := rows.Scan(&line); err != nil {
			return err
		}
		if line != "ok" {
			a.defect(DefectDatabase, "%s", line)
		}
	}
	return rows.Err()
}

func (a *audit) checkForeignKeys(ctx context.Context, table string) (err error) {
	rows, err := a.conn.QueryContext(ctx, ofTable("foreign_key_check", table))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var table, parent string
		var rowid, key any
		if err := rows.Scan(&table, &rowid, &parent, &key); err != nil {
			return err
		}
		where := "a row"
		if rowid != nil { // a table WITHOUT ROWID has none
			where = fmt.Sprintf("row %v", rowid)
		}
		a.defect(DefectForeignKey, "%s: %s names nothing that is in %s", table, where, parent)
	}
	return rows.Err()
}
