package rates

import "time"

// BookOf returns a book of rates without a database: it can't be changed.
func BookOf(table Table, now func() time.Time, set ...Rate) *Book {
	b := &Book{table: table, now: now}
	b.install(set)
	return b
}
