package rates

import (
	"slices"
	"time"
)

// BookOf returns a book of rates without a database, so that Set fails.
func BookOf(table Table, now func() time.Time, set ...Rate) *Book {
	b := newBook(nil, table, nil, now)
	b.install(set, inForce(table, set, now()).rates())
	return b
}

// Put is Set without a database, of whatever rate.
func (b *Book) Put(r Rate, force bool) error {
	b.setting.Lock()
	defer b.setting.Unlock()
	set, all, err := b.with(r, force)
	if err == nil {
		b.install(set, all)
	}
	return err
}

// Take is Remove without a database.
func (b *Book) Take(from, to string) error {
	b.setting.Lock()
	defer b.setting.Unlock()
	set := slices.DeleteFunc(slices.Clone(*b.set.Load()), Rate{From: from, To: to}.samePair)
	all, err := b.judge(set, pair{from, to}, "", "", true)
	if err == nil {
		b.install(set, all)
	}
	return err
}

// Narrow returns what follows from rates when each pair depends only on what
// moved it.
func Narrow(table Table, set []Rate) []Rate { return sorted(derive(table, set).rates()) }
