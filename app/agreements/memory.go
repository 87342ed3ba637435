package agreements

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"pochi/app/agreements/interval"
	"pochi/db"
	"pochi/ilp"
	"pochi/ilp/connector"
	"pochi/ledger"

	"github.com/google/uuid"
)

// memoryMax bounds the agreements that are in memory, about a kilobyte each. A
// variable, so that tests can make it small.
var memoryMax = 1 << 16

// memory holds agreements that are used. It is filled and changed on the writer's
// goroutine and read by all.
type memory struct {
	mu   sync.RWMutex
	byID map[uuid.UUID]*place
}

// place is where an agreement is in memory. What it holds is replaced as a whole;
// it is nil when the agreement has left.
type place struct{ atomic.Pointer[standing] }

// standing is an agreement as it stands. Its fields don't change.
type standing struct {
	Agreement
	place        *place
	begins, ends time.Time
	asset        ilp.Asset              // of the account
	window       atomic.Pointer[window] // of the last look
}

// window is what all uses in one interval have in common.
type window struct {
	span  interval.Span
	terms connector.Terms
}

func newMemory() *memory { return &memory{byID: map[uuid.UUID]*place{}} }

func (m *memory) get(id uuid.UUID) *standing {
	m.mu.RLock()
	defer m.mu.RUnlock()
	if p := m.byID[id]; p != nil {
		return p.Load()
	}
	return nil
}

// put makes a place for an agreement. Another one leaves when there are too many.
func (m *memory) put(id uuid.UUID) *place {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.byID) >= memoryMax {
		for other, left := range m.byID {
			delete(m.byID, other)
			left.Store(nil)
			break
		}
	}
	p := &place{}
	m.byID[id] = p
	return p
}

func (m *memory) place(id uuid.UUID) *place {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.byID[id]
}

// standing returns an agreement that isn't pending, from memory if it is there.
// Error: problem.NotFound.
func (s *Service) standing(ctx context.Context, id uuid.UUID) (*standing, error) {
	if known := s.memory.get(id); known != nil {
		return known, nil
	}
	var found *standing
	err := s.Writer.Submit(ctx, db.Unit{Apply: func(tx db.Tx) (func(), error) {
		p, err := s.load(tx, id)
		if err != nil {
			return nil, err
		}
		found = p.Load()
		return nil, errDone
	}})
	if !errors.Is(err, errDone) {
		return nil, fmt.Errorf("load an agreement: %w", err)
	}
	return found, nil
}

// load brings an agreement into memory unless it is there. It is to be called on
// the writer's goroutine, whose transaction shows what units before this one
// changed.
func (s *Service) load(tx db.Tx, id uuid.UUID) (*place, error) {
	if p := s.memory.place(id); p != nil {
		return p, nil
	}
	ctx := context.Background()
	a, err := find(ctx, tx, "id = ? AND state <> 'pending'", id[:])
	if err != nil {
		return nil, err
	}
	var asset ilp.Asset
	err = tx.QueryRowContext(ctx, "SELECT s.code, s.scale FROM accounts a JOIN assets s ON s.ledger = a.ledger WHERE a.id = ?", a.AccountID[:]).
		Scan(&asset.Code, &asset.Scale)
	if err != nil {
		return nil, fmt.Errorf("the account of agreement %s: %w", id, err)
	}
	p := s.memory.put(id)
	p.Store(s.stand(p, a, asset))
	return p, nil
}

// stand makes what memory holds of an agreement.
func (s *Service) stand(p *place, a Agreement, asset ilp.Asset) *standing {
	return &standing{Agreement: a, place: p, begins: a.Begins(), ends: a.Ends(), asset: asset}
}

func (st *standing) over(now time.Time) bool { return !st.ends.IsZero() && !now.Before(st.ends) }

// at returns the window that a moment is in. It is false before the agreement
// begins and after it ends.
func (s *Service) at(st *standing, now time.Time) (*window, bool) {
	if now.Before(st.begins) || st.over(now) {
		return nil, false
	}
	if w := st.window.Load(); w != nil && w.contains(now) {
		return w, true
	}
	span, ok := st.Span(now)
	if !ok {
		return nil, false
	}
	w := &window{span: span, terms: connector.Terms{
		Account: connector.Party{Account: st.AccountID, Asset: st.asset, Reference: st.ID},
		Authority: connector.Authority{
			Account: AuthorityAccount(st.ID, span.N), Asset: ilp.Asset(st.Amount.Asset), Limit: st.Amount.Value,
		},
	}}
	w.terms.Authority.Guard = func() error { return s.guard(st, w) }
	st.window.Store(w)
	return w, true
}

func (w *window) contains(t time.Time) bool {
	return !t.Before(w.span.Start) && (w.span.End.IsZero() || t.Before(w.span.End))
}

// guard is the Guard of what was allowed in a window, as an agreement stood then. It
// runs on the writer's goroutine: what it sees there stays until the money moved.
func (s *Service) guard(was *standing, in *window) error {
	is, now := was.place.Load(), s.now()
	switch {
	case is == nil:
		return fmt.Errorf("%w: the agreement has left memory", connector.ErrBusy)
	case is.State != Active || is.over(now) || now.Before(is.begins):
		return fmt.Errorf("%w: the agreement is paused or has ended", connector.ErrRefused)
	case !in.contains(now):
		return fmt.Errorf("%w: the agreement's next interval has begun", connector.ErrBusy)
	case is.Amount != was.Amount:
		return fmt.Errorf("%w: the agreement's amount was lowered", connector.ErrBusy)
	}
	return nil
}

// AuthorityAccount returns the id of the ledger's account that counts what is used
// of an agreement in its interval n.
func AuthorityAccount(agreement uuid.UUID, n int64) ledger.ID {
	return uuid.NewSHA1(agreement, fmt.Append(nil, n))
}
