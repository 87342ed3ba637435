package peers

import (
	"context"
	"fmt"
	"time"

	"pochi/db"
	"pochi/ilp/address"
	"pochi/ilp/ilphttp"

	"github.com/google/uuid"
)

const peerColumns = `p.id, p.name, p.ilp_address, s.code, s.scale, p.outgoing_url, p.outgoing_token, p.async, p.callback_url, p.max_packet,
	p.rate_limit, p.throughput, p.max_in_flight_value, p.max_in_flight_count, p.default_route, p.created_at`

const peerTables = ` FROM peers p JOIN accounts a ON a.id = p.id JOIN assets s ON s.ledger = a.ledger `

func scanPeer(row db.Row, more ...any) (Peer, error) {
	var p Peer
	var created int64
	err := row.Scan(append([]any{&p.ID, &p.Name, &p.Address, &p.Asset.Code, &p.Asset.Scale, &p.OutgoingURL, &p.OutgoingToken,
		&p.Async, &p.CallbackURL, &p.MaxPacket, &p.RateLimit, &p.Throughput, &p.MaxInFlightValue, &p.MaxInFlightCount, &p.Default, &created}, more...)...)
	p.CreatedAt = time.UnixMicro(created).UTC()
	return p, err
}

// Load returns all peers as they are committed, oldest first.
func Load(ctx context.Context, tx db.Tx) ([]Peer, error) {
	var out []Peer
	err := db.EachRow(ctx, tx, "SELECT "+peerColumns+peerTables+"WHERE p.removed_at IS NULL ORDER BY p.id", func(row db.Row) error {
		p, err := scanPeer(row)
		out = append(out, p)
		return err
	})
	for i := 0; i < len(out) && err == nil; i++ {
		err = loadLists(ctx, tx, &out[i])
	}
	if err != nil {
		return nil, fmt.Errorf("load peers: %w", err)
	}
	return out, nil
}

// loadLists reads what a peer has several of.
func loadLists(ctx context.Context, tx db.Tx, p *Peer) error {
	err := db.EachRow(ctx, tx, "SELECT hash FROM peer_tokens WHERE peer = ? ORDER BY hash", func(row db.Row) error {
		var hash []byte
		err := row.Scan(&hash)
		p.Tokens = append(p.Tokens, ilphttp.TokenHash(hash))
		return err
	}, p.ID[:])
	if err != nil {
		return err
	}
	return db.EachRow(ctx, tx, "SELECT prefix FROM peer_routes WHERE peer = ? ORDER BY prefix", func(row db.Row) error {
		var prefix address.Address
		err := row.Scan(&prefix)
		p.Routes = append(p.Routes, prefix)
		return err
	}, p.ID[:])
}

// insertPeer writes a new peer's rows.
func insertPeer(ctx context.Context, tx db.Tx, p Peer) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO peers (id, name, ilp_address, outgoing_url, outgoing_token, async, callback_url, max_packet, rate_limit,
		throughput, max_in_flight_value, max_in_flight_count, default_route, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		p.ID[:], p.Name, string(p.Address), p.OutgoingURL, string(p.OutgoingToken), p.Async, p.CallbackURL, p.MaxPacket, p.RateLimit,
		p.Throughput, p.MaxInFlightValue, p.MaxInFlightCount, p.Default, p.CreatedAt.UnixMicro())
	if err != nil {
		return err
	}
	if err := insertTokens(ctx, tx, p.ID, p.Tokens, p.CreatedAt); err != nil {
		return err
	}
	return insertRoutes(ctx, tx, p)
}

func insertTokens(ctx context.Context, tx db.Tx, peer uuid.UUID, hashes []ilphttp.TokenHash, at time.Time) error {
	for _, hash := range hashes {
		_, err := tx.ExecContext(ctx, "INSERT INTO peer_tokens (hash, peer, created_at) VALUES (?, ?, ?)", hash[:], peer[:], at.UnixMicro())
		if err != nil {
			return err
		}
	}
	return nil
}

func insertRoutes(ctx context.Context, tx db.Tx, p Peer) error {
	for _, prefix := range p.Routes {
		if _, err := tx.ExecContext(ctx, "INSERT INTO peer_routes (prefix, peer) VALUES (?, ?)", string(prefix), p.ID[:]); err != nil {
			return err
		}
	}
	return nil
}

// execAll runs statements that each take a peer's id.
func execAll(ctx context.Context, tx db.Tx, id uuid.UUID, statements ...string) error {
	for _, statement := range statements {
		if _, err := tx.ExecContext(ctx, statement, id[:]); err != nil {
			return err
		}
	}
	return nil
}
