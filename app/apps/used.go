package apps

import (
	"context"
	"sync"
	"time"

	"pochi/app/problem"
)

const (
	usedEvery = time.Minute // how exactly last uses are kept
	usesMax   = 1 << 14     // apps whose last use is remembered, about 100 bytes each
)

// uses are when apps were last used, so that few of their requests write.
type uses struct {
	mu   sync.Mutex
	last map[string]time.Time
}

// due tells whether a use is to be written, and remembers it.
func (u *uses) due(id string, now time.Time) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	if last, ok := u.last[id]; ok && now.Sub(last) < usedEvery {
		return false
	}
	if u.last == nil || len(u.last) >= usesMax {
		u.last = map[string]time.Time{}
	}
	u.last[id] = now
	return true
}

// Used notes that an app has used its token now. Clients that are none of these
// apps are left alone.
func (s *Service) Used(ctx context.Context, id string) error {
	now := s.now()
	if !s.uses.due(id, now) {
		return nil
	}
	err := s.write(ctx, "UPDATE apps SET last_used_at = max(coalesce(last_used_at, 0), ?) WHERE client_id = ?", now.UnixMicro(), id)
	if problem.CodeOf(err) == problem.NotFound {
		return nil
	}
	return err
}
