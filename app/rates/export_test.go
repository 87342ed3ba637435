package rates

import "time"

// BookOf returns a book of rates without a database, so that Set fails.
func BookOf(table Table, now func() time.Time, set ...Rate) *Book {
	b := &Book{table: table, now: now}
	b.install(set, derive(table, set).rates())
	return b
}

// Put is Set without a database, of whatever rate.
func (b *Book) Put(r Rate, force bool) error {
	set, all, err := b.with(r, force)
	if err == nil {
		b.install(set, all)
	}
	return err
}

// InForce returns what is in force in each direction, too old or not.
func (b *Book) InForce() []Rate {
	all := map[pair]Rate{}
	for p, e := range *b.entries.Load() {
		all[p] = e.rate
	}
	return sorted(all)
}
