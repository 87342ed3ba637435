package ledger

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"pochi/db"
)

// columns are where a query's values go when any of them may have been tampered
// with: one that doesn't fit is remembered and left out, so that Check can name
// it and go on.
type columns struct {
	into []any
	bad  []string // of the current row
}

// value adds a column that take converts, or refuses.
func (c *columns) value(name string, take func(src any) bool) {
	c.into = append(c.into, taker(func(src any) {
		if take(src) {
			return
		}
		shown := fmt.Sprintf("%v", src)
		if b, ok := src.([]byte); ok {
			shown = fmt.Sprintf("x'%x'", b[:min(len(b), 40)])
		}
		c.bad = append(c.bad, name+" is "+shown)
	}))
}

// taker is a sql.Scanner that never refuses.
type taker func(src any)

// Scan implements sql.Scanner.
func (t taker) Scan(src any) error { t(src); return nil }

func (c *columns) id(name string, into *ID) {
	c.value(name, func(src any) bool {
		b, ok := src.([]byte)
		*into = ID{}
		return ok && copy(into[:], b) == len(into) && len(b) == len(into)
	})
}

func (c *columns) bytes(name string, into *[]byte) {
	c.value(name, func(src any) bool {
		b, ok := src.([]byte)
		*into = append([]byte(nil), b...)
		return ok
	})
}

func (c *columns) hash(name string, into *[32]byte) {
	c.value(name, func(src any) bool {
		b, ok := src.([]byte)
		*into = [32]byte{}
		return ok && copy(into[:], b) == len(into) && len(b) == len(into)
	})
}

func (c *columns) text(name string, into *string) {
	c.value(name, func(src any) (ok bool) {
		*into, ok = src.(string)
		return ok
	})
}

func (c *columns) flag(name string, into *bool) {
	c.value(name, func(src any) bool {
		v, ok := src.(int64)
		*into = v == 1
		return ok && v>>1 == 0
	})
}

func (c *columns) int(name string, into *int64) {
	c.value(name, func(src any) (ok bool) {
		*into, ok = src.(int64)
		return ok
	})
}

// whole adds a column of a number that is not negative and fits into T.
func whole[T uint8 | uint16 | uint32 | uint64](c *columns, name string, into *T) {
	c.value(name, func(src any) bool {
		v, ok := src.(int64)
		*into = T(v)
		return ok && v >= 0 && uint64(*into) == uint64(v)
	})
}

// scan reads a row. It returns what can't be read in it, "" for nothing.
func (c *columns) scan(rows *sql.Rows) (unreadable string, err error) {
	c.bad = c.bad[:0]
	err = rows.Scan(c.into...)
	return strings.Join(c.bad, ", "), err
}

// each calls visit for each row of a query, with what can't be read in it.
func (c *columns) each(ctx context.Context, tx db.Tx, query string, visit func(unreadable string)) error {
	rows, err := tx.QueryContext(ctx, query)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		unreadable, err := c.scan(rows)
		if err != nil {
			return err
		}
		visit(unreadable)
	}
	return rows.Err()
}
