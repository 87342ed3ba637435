package ilphttp

import (
	"log/slog"
	"maps"
	"net"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"
)

// refusals counts the requests that get no ILP answer, and says so in one line a minute, if there were any: an operator sees
// that somebody knocks, or that a peer's token or packets are wrong. The line has no tokens and no bodies. The zero value
// needs log. It is safe for concurrent use.
type refusals struct {
	log *slog.Logger

	mu    sync.Mutex
	now   tally
	timer *time.Timer // runs while there is something to say
}

// tally is what one line says.
type tally struct {
	strangers map[int]int // requests by status
	from      string      // the last of them
	madeWay   int         // connections of strangers that were closed for others
	peers     map[string]*refused
}

// refused is what a peer did wrong.
type refused struct {
	times  int
	status int // the last time
	reason string
}

// stranger counts a request that is nobody's.
func (f *refusals) stranger(r *http.Request, status int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.begin()
	f.now.strangers[status]++
	if host, _, err := net.SplitHostPort(r.RemoteAddr); err == nil {
		f.now.from = host
	}
}

// madeWay counts a connection that was closed for another.
func (f *refusals) madeWay() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.begin()
	f.now.madeWay++
}

// peer counts a peer's request.
func (f *refusals) peer(name string, status int, reason string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.begin()
	p := f.now.peers[name]
	if p == nil {
		p = new(refused)
		f.now.peers[name] = p
	}
	p.times++
	p.status, p.reason = status, reason
}

// begin makes sure that what is counted now is said. f.mu is held.
func (f *refusals) begin() {
	if f.timer == nil {
		f.now = tally{strangers: make(map[int]int), peers: make(map[string]*refused)}
		f.timer = time.AfterFunc(time.Minute, f.say)
	}
}

// say writes the line, if there is something to say.
func (f *refusals) say() {
	f.mu.Lock()
	now := f.now
	something := f.timer != nil
	if something {
		f.timer.Stop()
	}
	f.timer = nil
	f.mu.Unlock()
	if something {
		f.log.Info("requests at the ILP listener were refused", now.attrs()...)
	}
}

func (t tally) attrs() (attrs []any) {
	if len(t.strangers) > 0 {
		attrs = append(attrs, slog.Group("strangers", byStatus(t.strangers)...), slog.String("last_from", t.from))
	}
	if t.madeWay > 0 {
		attrs = append(attrs, slog.Int("strangers_made_way", t.madeWay))
	}
	if len(t.peers) > 0 {
		attrs = append(attrs, slog.Group("peers", byName(t.peers)...))
	}
	return attrs
}

func byStatus(counts map[int]int) (attrs []any) {
	for _, status := range slices.Sorted(maps.Keys(counts)) {
		attrs = append(attrs, slog.Int(strconv.Itoa(status), counts[status]))
	}
	return attrs
}

func byName(peers map[string]*refused) (attrs []any) {
	for _, name := range slices.Sorted(maps.Keys(peers)) {
		p := peers[name]
		attrs = append(attrs, slog.Group(name, "times", p.times, "status", p.status, "reason", p.reason))
	}
	return attrs
}
