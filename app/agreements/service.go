package agreements

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"pochi/db"
	"pochi/ilp/pointer"
	"pochi/ledger"

	"github.com/google/uuid"
)

// Writer commits units: db.Writer is one.
type Writer interface {
	Submit(ctx context.Context, unit db.Unit) error
}

// Applier is what the service needs of the ledger.
type Applier interface {
	Apply(tx db.Tx, chain ledger.Chain) (undo func(), err error)
}

// Config says what the service works with. All fields are required.
type Config struct {
	DB         *db.DB
	Writer     Writer // the database's
	Ledger     Applier
	Currencies []ledger.Asset // whose ledgers of authority are open
	Pointers   pointer.Parser
	Now        func() time.Time
	Log        *slog.Logger
}

// Service keeps the agreements. It is safe for concurrent use.
type Service struct {
	Config
	memory *memory
	used   *used
	latest atomic.Int64 // what the clock has said, unix microseconds

	mu   sync.Mutex
	ends []func(uuid.UUID)
}

// New returns the service of a database; a database has one. Run is to follow.
func New(cfg Config) *Service {
	return &Service{Config: cfg, memory: newMemory(), used: newUsed()}
}

// OnEnd has f called with each agreement that was revoked or given up, once that is
// committed. f is to be quick, and may be called by several at once.
func (s *Service) OnEnd(f func(id uuid.UUID)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ends = append(s.ends, f)
}

// ended tells who wants to know.
func (s *Service) ended(ids ...uuid.UUID) {
	s.mu.Lock()
	tell := s.ends
	s.mu.Unlock()
	for _, f := range tell {
		for _, id := range ids {
			f(id)
		}
	}
}

// write commits rows.
func (s *Service) write(ctx context.Context, rows func(db.Tx) error) error {
	return s.Writer.Submit(ctx, db.Unit{Rows: rows})
}

// now is the time as rows hold it. It never goes back: an interval that is over
// stays so.
func (s *Service) now() time.Time {
	now := s.Now().UnixMicro()
	for {
		latest := s.latest.Load()
		if now <= latest {
			return time.UnixMicro(latest).UTC()
		}
		if s.latest.CompareAndSwap(latest, now) {
			return time.UnixMicro(now).UTC()
		}
	}
}
