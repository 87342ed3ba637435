package ledger

import (
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"strings"
)

// columns are where a row's values go when any of them may have been tampered
// with: one that doesn't fit is remembered and left out, so that Check can name
// it and go on.
type columns struct {
	take   []func(src driver.Value)
	values []driver.Value
	bad    []string // of the current row
}

// value adds a column that take converts, or refuses.
func (c *columns) value(name string, take func(src any) bool) {
	c.take = append(c.take, func(src driver.Value) {
		if take(src) {
			return
		}
		shown := fmt.Sprintf("%v", src)
		if b, ok := src.([]byte); ok {
			shown = fmt.Sprintf("x'%x'", b[:min(len(b), 40)])
		}
		c.bad = append(c.bad, name+" is "+shown)
	})
}

func (c *columns) id(name string, into *ID) {
	c.value(name, func(src any) bool {
		b, ok := src.([]byte)
		*into = ID{}
		return ok && copy(into[:], b) == len(into) && len(b) == len(into)
	})
}

// optionalID adds a column that may be NULL; there tells whether it isn't.
func (c *columns) optionalID(name string, into *ID, there *bool) {
	c.value(name, func(src any) bool {
		b, ok := src.([]byte)
		*into, *there = ID{}, src != nil
		return src == nil || ok && copy(into[:], b) == len(into) && len(b) == len(into)
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

// atLeast adds a column of a number that is not smaller than least.
func (c *columns) atLeast(least int64, name string, into *int64) {
	c.value(name, func(src any) (ok bool) {
		*into, ok = src.(int64)
		return ok && *into >= least
	})
}

// number adds a column that names a row by its number, from 1. NULL is 0.
func (c *columns) number(name string, into *int64) {
	c.value(name, func(src any) (ok bool) {
		*into, ok = src.(int64)
		return src == nil || ok && *into > 0
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

// next reads a row, if there is one more. It returns what can't be read in it,
// "" for nothing.
func (c *columns) next(rows driver.Rows) (unreadable string, more bool, err error) {
	if len(c.values) != len(c.take) {
		c.values = make([]driver.Value, len(c.take))
	}
	if err := rows.Next(c.values); err != nil {
		if errors.Is(err, io.EOF) {
			err = nil
		}
		return "", false, err
	}
	c.bad = c.bad[:0]
	for i, take := range c.take {
		take(c.values[i])
	}
	return strings.Join(c.bad, ", "), true, nil
}

// each calls visit for each row of a query, with what can't be read in it,
// until it returns false.
func (c *columns) each(r reader, visit func(unreadable string) bool, query string, args ...any) (err error) {
	rows, err := r.query(query, args...)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for {
		unreadable, more, err := c.next(rows)
		if err != nil || !more || !visit(unreadable) {
			return err
		}
	}
}
