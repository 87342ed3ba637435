package ledger

import "pochi/db"

// Break is a command with a bug: it changes an account behind the books.
type Break struct {
	ID     ID
	Change func(*Account)
}

func (c Break) apply(l *Ledger, _ db.Tx) error {
	account := l.accounts[c.ID]
	l.batch.touch(account)
	c.Change(account)
	return nil
}

// RecodeEntry decodes a log entry and encodes it again.
func RecodeEntry(kind int64, body []byte) (int64, []byte, error) {
	e, err := decodeEntry(kind, body)
	if err != nil {
		return 0, nil, err
	}
	return e.kind(), e.body(), nil
}
