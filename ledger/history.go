package ledger

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"math"
	"sort"
	"time"

	"pochi/db"
)

// Line is a transfer in an account's history.
type Line struct {
	Seq       int64 // its place in the ledger: the cursor
	ID        ID    // PacketsID for one of packets
	At        time.Time
	Debit     ID
	Credit    ID
	Amount    uint64
	Code      uint16
	Reference ID
	Packets   int64  // how many are this transfer; 0 for a transfer with an id of its own
	Debits    uint64 // the account's posted totals after it
	Credits   uint64
}

// LinesMost bounds a page of History.
const LinesMost = 1000

// History returns a page of an account's transfers, newest first: those with a
// Seq below before, 0 for the newest; limit is 1 to LinesMost. It shows all that
// was committed before the call. Errors: ErrAccountUnknown, ErrLimit.
func (l *Ledger) History(ctx context.Context, account ID, before int64, limit int) ([]Line, error) {
	if limit < 1 || limit > LinesMost {
		return nil, ErrLimit
	}
	if before <= 0 {
		before = math.MaxInt64
	}
	n, err := l.numberOf(ctx, account)
	if err != nil {
		return nil, err
	}
	points, err := l.points(ctx, n, before, limit)
	if err != nil {
		return nil, fmt.Errorf("history of account %s: %w", account, err)
	}
	return l.lines(ctx, points)
}

// Statement is an account's posted totals at the beginning and at the end of a
// period. Its lines are History's from below Last+1 down to First.
type Statement struct {
	OpeningDebits, OpeningCredits uint64
	ClosingDebits, ClosingCredits uint64
	First, Last                   int64 // Seq of the ledger's first and last transfer in it; none when First > Last
}

// Statement adds up a period: from inclusive, to exclusive. It shows all that
// was committed before the call. Errors: ErrAccountUnknown.
func (l *Ledger) Statement(ctx context.Context, account ID, from, to time.Time) (Statement, error) {
	var s Statement
	n, err := l.numberOf(ctx, account)
	if err != nil {
		return s, err
	}
	end := l.index.end()
	before, err := l.lastBefore(ctx, from, end)
	if err != nil {
		return s, fmt.Errorf("statement of account %s: %w", account, err)
	}
	if s.Last, err = l.lastBefore(ctx, to, end); err != nil {
		return s, fmt.Errorf("statement of account %s: %w", account, err)
	}
	s.First = before + 1
	if s.OpeningDebits, s.OpeningCredits, err = l.totalsAfter(ctx, n, before); err != nil {
		return s, fmt.Errorf("statement of account %s: %w", account, err)
	}
	s.ClosingDebits, s.ClosingCredits, err = l.totalsAfter(ctx, n, s.Last)
	return s, err
}

// FindTransfer returns the transfer with an id, as soon as it is committed; Debits
// and Credits are not set. It returns ErrTransferUnknown.
func (l *Ledger) FindTransfer(ctx context.Context, id ID) (Line, error) {
	seq, here := l.index.recent(id)
	if !here {
		err := l.db.Read.QueryRowContext(ctx, "SELECT seq FROM transfer_ids WHERE id = ?", id[:]).Scan(&seq)
		if err := noRows(err, ErrTransferUnknown); err != nil {
			return Line{}, fmt.Errorf("transfer %s: %w", id, err)
		}
	}
	lines, err := l.lines(ctx, []point{{seq: seq}})
	if err != nil {
		return Line{}, fmt.Errorf("transfer %s: %w", id, err)
	}
	return lines[0], nil
}

func (l *Ledger) numberOf(ctx context.Context, account ID) (n int64, err error) {
	err = l.db.Read.QueryRowContext(ctx, "SELECT n FROM accounts WHERE id = ?", account[:]).Scan(&n)
	if err := noRows(err, ErrAccountUnknown); err != nil {
		return 0, fmt.Errorf("account %s: %w", account, err)
	}
	return n, nil
}

// point is a transfer of an account, and the account's totals after it.
type point struct {
	seq             int64
	debits, credits uint64
}

// points returns an account's newest transfers below a number, newest first. It
// looks at the tail and then at the index: what has been indexed in between is
// in both, and taken from the index.
func (l *Ledger) points(ctx context.Context, account, before int64, most int) ([]point, error) {
	tail := l.index.tail(account, before, most)
	tx, err := l.db.Read.BeginTx(ctx, nil)
	if err != nil {
		return nil, err
	}
	defer tx.Rollback() // it only reads
	var watermark int64
	if err := tx.QueryRowContext(ctx, "SELECT seq FROM indexed").Scan(&watermark); err != nil {
		return nil, err
	}
	points := tail[:sort.Search(len(tail), func(i int) bool { return tail[i].seq <= watermark })]
	err = db.EachRow(ctx, tx, `SELECT seq, debits, credits FROM history WHERE account = ? AND seq < ? AND seq <= ?
		ORDER BY seq DESC LIMIT ?`, func(row db.Row) error {
		var p point
		err := row.Scan(&p.seq, &p.debits, &p.credits)
		points = append(points, p)
		return err
	}, account, before, watermark, most-len(points))
	return points, err
}

// totalsAfter returns an account's posted totals after the transfer with a
// number and all before it.
func (l *Ledger) totalsAfter(ctx context.Context, account, seq int64) (debits, credits uint64, err error) {
	points, err := l.points(ctx, account, seq+1, 1)
	if err != nil || len(points) == 0 {
		return 0, 0, err
	}
	return points[0].debits, points[0].credits, nil
}

// lastBefore returns the number of the last transfer before a time, of those up
// to end; 0 for none.
func (l *Ledger) lastBefore(ctx context.Context, t time.Time, end int64) (int64, error) {
	var batch sql.NullInt64
	err := l.db.Read.QueryRowContext(ctx, "SELECT seq FROM batches WHERE at < ? ORDER BY at DESC LIMIT 1", t.UnixMicro()).Scan(&batch)
	if err = noRows(err, nil); err != nil {
		return 0, err
	}
	later := sort.Search(int(end), func(i int) bool { // transfers are numbered from 1, by batch
		var of int64
		if err == nil {
			err = l.db.Read.QueryRowContext(ctx, "SELECT batch FROM transfers WHERE seq = ?", i+1).Scan(&of)
		}
		return of > batch.Int64
	})
	return int64(later), err
}

// lines reads the transfers of points, in their order.
func (l *Ledger) lines(ctx context.Context, points []point) ([]Line, error) {
	seqs := make([]int64, len(points))
	for i, p := range points {
		seqs[i] = p.seq
	}
	numbers, err := json.Marshal(seqs)
	if err != nil {
		return nil, err
	}
	lines := make([]Line, 0, len(points))
	err = db.EachRow(ctx, l.db.Read, `SELECT t.seq, t.id, t.batch, b.at, d.id, c.id, t.amount, t.code, t.reference, t.packets
		FROM json_each(?) j JOIN transfers t ON t.seq = j.value JOIN batches b ON b.seq = t.batch
		JOIN accounts d ON d.n = t.debit JOIN accounts c ON c.n = t.credit ORDER BY t.seq DESC`, func(row db.Row) error {
		line, err := scanLine(row)
		lines = append(lines, line)
		return err
	}, string(numbers))
	if err == nil && len(lines) != len(points) {
		err = fmt.Errorf("%w: the history names transfers that are not there", ErrDamaged)
	}
	if err != nil {
		return nil, err
	}
	for i, p := range points {
		lines[i].Debits, lines[i].Credits = p.debits, p.credits
	}
	return lines, nil
}

func scanLine(row db.Row) (Line, error) {
	var t Line
	var id []byte
	var batch, at int64
	err := row.Scan(&t.Seq, &id, &batch, &at, &t.Debit, &t.Credit, &t.Amount, &t.Code, &t.Reference, &t.Packets)
	t.At = time.UnixMicro(at).UTC()
	if t.ID = PacketsID(batch, t.Seq); id != nil {
		copy(t.ID[:], id)
	}
	return t, err
}
