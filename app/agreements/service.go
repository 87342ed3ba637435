package agreements

import (
	"context"
	"log/slog"
	"sync"
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

	mu   sync.Mutex
	ends []func(uuid.UUID)
}

// New returns the service of a database; a database has one. Start is to follow.
func New(cfg Config) *Service {
	return &Service{Config: cfg, memory: newMemory(), used: newUsed()}
}

// OnEnd has f called with each agreement that was revoked or given up, once that is
// committed. f is to be quick.
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

// now is the time as rows hold it.
func (s *Service) now() time.Time { return s.Now().UTC().Truncate(time.Microsecond) }
