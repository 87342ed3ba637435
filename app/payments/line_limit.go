package payments

import (
	"time"

	"pochi/app/limit"
	"pochi/ilp/connector"

	"github.com/google/uuid"
)

// How many connections of a peer's, or of an agreement's, may begin to bring something:
// each is a line in somebody's history for ever.
var (
	lineRate    = limit.Rate{Burst: 2000, Every: time.Second / 2000}
	appLineRate = limit.Rate{Burst: 200, Every: time.Second / 10}
)

const (
	linesKept         = 1 << 16
	linePeersMax      = 1 << 12
	lineAgreementsMax = 1 << 14
)

// lineLimit bounds the new lines that peers and agreements make.
type lineLimit struct {
	begun *recent[uuid.UUID, struct{}] // of late
	fresh *limit.Limiter               // by peer
	apps  *limit.Limiter               // by agreement
}

func newLineLimit() *lineLimit {
	return &lineLimit{newRecent[uuid.UUID, struct{}](linesKept), limit.New(lineRate, linePeersMax),
		limit.New(appLineRate, lineAgreementsMax)}
}

// admit lets a packet in that adds to a line, and says what to do with the outcome. It
// returns connector.ErrTooFast to whoever begins too many.
func (l *lineLimit) admit(d connector.Delivery, now time.Time) (ended func(error), err error) {
	id := d.To.Reference
	fresh, sender := l.fresh, string(d.From.Account[:])
	if d.Authority != nil {
		fresh, sender = l.apps, string(d.From.Reference[:])
	}
	if _, known := l.begun.get(id); known || !d.From.Peer && d.Authority == nil {
		return func(error) {}, nil
	}
	if fresh.Take(sender, now) > 0 {
		return nil, connector.ErrTooFast
	}
	return func(err error) {
		if err != nil {
			fresh.GiveBack(sender)
			return
		}
		l.begun.put(id, struct{}{})
	}, nil
}
