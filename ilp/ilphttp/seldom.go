package ilphttp

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// apart is how long a line about the same peer for the same reason is not repeated.
const apart = time.Minute

// seldom writes lines that a peer can provoke: of each kind the first at once, then at most one a minute, which says how many
// were left out before it. A kind is one of few: none of its parts may be a peer's own words. It is safe for concurrent use.
type seldom struct {
	log *slog.Logger
	now func() time.Time

	mu    sync.Mutex
	kinds map[kind]*line
}

type kind struct{ message, peer, reason string }

// line is what was last written of a kind.
type line struct {
	at      time.Time
	leftOut int
}

// write writes a line, or counts it.
func (s *seldom) write(ctx context.Context, level slog.Level, k kind, attrs ...slog.Attr) {
	leftOut, ok := s.due(k)
	if !ok {
		return
	}
	attrs = append([]slog.Attr{slog.String("peer", k.peer)}, attrs...)
	if leftOut > 0 {
		attrs = append(attrs, slog.Int("left_out", leftOut))
	}
	s.log.LogAttrs(ctx, level, k.message, attrs...)
}

// due reports whether a line of this kind is to be written, and how many were not since the last that was.
func (s *seldom) due(k kind) (leftOut int, ok bool) {
	now := s.now()
	s.mu.Lock()
	defer s.mu.Unlock()
	last := s.kinds[k]
	if last == nil {
		if s.kinds == nil {
			s.kinds = make(map[kind]*line)
		}
		s.kinds[k] = &line{at: now}
		return 0, true
	}
	if since := now.Sub(last.at); since >= 0 && since < apart {
		last.leftOut++
		return 0, false
	}
	leftOut, last.at, last.leftOut = last.leftOut, now, 0
	return leftOut, true
}
