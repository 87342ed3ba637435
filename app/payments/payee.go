package payments

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"pochi/ilp"
	"pochi/ilp/connector"

	"github.com/google/uuid"
)

// A connection's tag is the id of the pointer that was asked, an id of the
// connection, and the id of the account that is paid: what a pointer comes to pay
// later changes nothing about connections that there are. If a request is paid, its
// id follows.
const (
	tagSize        = 48
	requestTagSize = tagSize + 16
)

// payee is a pointer and the account that it paid, or the request that is paid, with
// its pointer and account.
type payee struct{ pointer, account, request uuid.UUID }

// line is what arrives over one connection, as a person sees it: an incoming
// payment.
type line struct {
	id uuid.UUID // the connection's
	payee
	user uuid.UUID
}

func newTag(p payee) []byte {
	connection := uuid.Must(uuid.NewV7())
	tag := append(make([]byte, 0, requestTagSize), p.pointer[:]...)
	tag = append(tag, connection[:]...)
	tag = append(tag, p.account[:]...)
	if p.request != uuid.Nil {
		tag = append(tag, p.request[:]...)
	}
	return tag
}

func parseTag(tag []byte) (connection uuid.UUID, p payee, ok bool) {
	switch len(tag) {
	case requestTagSize:
		p.request = uuid.UUID(tag[tagSize:])
	case tagSize:
	default:
		return uuid.Nil, payee{}, false
	}
	p.pointer, p.account = uuid.UUID(tag[:16]), uuid.UUID(tag[32:tagSize])
	return uuid.UUID(tag[16:32]), p, true
}

// fact is what never changes about a payee.
type fact struct {
	user    uuid.UUID
	asset   ilp.Asset
	expires time.Time // of the request, zero for never
	asked   uint64    // by the request, 0 for whatever is paid
}

// Payee implements connector.Payees: whom a connection with this tag pays. The
// party's reference is the connection. A pointer or an account that isn't there,
// as of a database that was restored, is ErrNoPayee; one that is closed the ledger
// refuses. So is a request that takes nothing any more, whatever comes.
func (b *Books) Payee(ctx context.Context, tag []byte) (connector.Party, error) {
	connection, p, ok := parseTag(tag)
	if !ok {
		return connector.Party{}, connector.ErrNoPayee
	}
	f, err := b.fact(ctx, p)
	if err != nil {
		return connector.Party{}, err
	}
	party := connector.Party{Account: p.account, Asset: f.asset, Reference: connection, Pointer: p.pointer, Request: p.request}
	if p.request != uuid.Nil {
		party.Limit, err = b.limitOf(ctx, p.request, connection, f)
	}
	return party, err
}

// fact looks a payee up once. Pointers and accounts are never deleted, and stay
// their owner's.
func (b *Books) fact(ctx context.Context, p payee) (fact, error) {
	if f, known := b.facts.get(p); known {
		return f, nil
	}
	var f fact
	var expires sql.NullInt64
	err := b.DB.Read.QueryRowContext(ctx, `SELECT w.user_id, s.code, s.scale, r.expires_at, coalesce(r.amount, 0) FROM wallet_accounts w
		JOIN pointers p ON p.id = ?1 AND p.user_id = w.user_id
		JOIN accounts a ON a.id = w.id JOIN assets s ON s.ledger = a.ledger
		LEFT JOIN payment_requests r ON r.id = ?3 AND r.account_id = w.id AND r.pointer_id = p.id
		WHERE w.id = ?2 AND (?3 IS NULL OR r.id IS NOT NULL)`, p.pointer[:], p.account[:], orNull(p.request)).
		Scan(&f.user, &f.asset.Code, &f.asset.Scale, &expires, &f.asked)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return fact{}, fmt.Errorf("pointer %s, account %s, request %s: %w", p.pointer, p.account, p.request, connector.ErrNoPayee)
	case err != nil:
		return fact{}, fmt.Errorf("find the payee: %w", err)
	}
	f.expires = momentOf(expires)
	b.facts.put(p, f)
	return f, nil
}

// line returns what a delivery to somebody here adds to.
func (b *Books) line(ctx context.Context, to connector.Party) (line, error) {
	p := payee{to.Pointer, to.Account, to.Request}
	f, err := b.fact(ctx, p)
	return line{to.Reference, p, f.user}, err
}
