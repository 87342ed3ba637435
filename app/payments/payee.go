package payments

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"pochi/ilp"
	"pochi/ilp/connector"

	"github.com/google/uuid"
)

// A connection's tag is the id of the pointer that was asked, an id of the
// connection, and the id of the account that is paid: what a pointer comes to pay
// later changes nothing about connections that there are.
const tagSize = 48

// payee is a pointer and the account that it paid.
type payee struct{ pointer, account uuid.UUID }

// line is what arrives over one connection, as a person sees it: an incoming
// payment.
type line struct {
	id uuid.UUID // the connection's
	payee
	user uuid.UUID
}

func newTag(p payee) []byte {
	connection := uuid.Must(uuid.NewV7())
	tag := append(make([]byte, 0, tagSize), p.pointer[:]...)
	tag = append(tag, connection[:]...)
	return append(tag, p.account[:]...)
}

func parseTag(tag []byte) (connection uuid.UUID, p payee, ok bool) {
	if len(tag) != tagSize {
		return uuid.Nil, payee{}, false
	}
	return uuid.UUID(tag[16:32]), payee{uuid.UUID(tag[:16]), uuid.UUID(tag[32:])}, true
}

// fact is what never changes about a payee.
type fact struct {
	user  uuid.UUID
	asset ilp.Asset
}

// Payee implements connector.Payees: whom a connection with this tag pays. The
// party's reference is the connection. A pointer or an account that isn't there,
// as of a database that was restored, is ErrNoPayee; one that is closed the ledger
// refuses.
func (b *Books) Payee(ctx context.Context, tag []byte) (connector.Party, error) {
	connection, p, ok := parseTag(tag)
	if !ok {
		return connector.Party{}, connector.ErrNoPayee
	}
	f, err := b.fact(ctx, p)
	if err != nil {
		return connector.Party{}, err
	}
	return connector.Party{Account: p.account, Asset: f.asset, Reference: connection, Pointer: p.pointer}, nil
}

// fact looks a payee up once. Pointers and accounts are never deleted, and stay
// their owner's.
func (b *Books) fact(ctx context.Context, p payee) (fact, error) {
	if f, known := b.facts.get(p); known {
		return f, nil
	}
	var f fact
	err := b.DB.Read.QueryRowContext(ctx, `SELECT w.user_id, s.code, s.scale FROM wallet_accounts w
		JOIN pointers p ON p.id = ? AND p.user_id = w.user_id
		JOIN accounts a ON a.id = w.id JOIN assets s ON s.ledger = a.ledger WHERE w.id = ?`, p.pointer[:], p.account[:]).
		Scan(&f.user, &f.asset.Code, &f.asset.Scale)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return fact{}, fmt.Errorf("pointer %s, account %s: %w", p.pointer, p.account, connector.ErrNoPayee)
	case err != nil:
		return fact{}, fmt.Errorf("find the payee: %w", err)
	}
	b.facts.put(p, f)
	return f, nil
}

// line returns what a delivery to somebody here adds to.
func (b *Books) line(ctx context.Context, to connector.Party) (line, error) {
	p := payee{to.Pointer, to.Account}
	f, err := b.fact(ctx, p)
	return line{to.Reference, p, f.user}, err
}
