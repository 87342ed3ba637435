package payments

import (
	"fmt"
	"time"

	"pochi/app/limit"
	"pochi/ilp/connector"

	"github.com/google/uuid"
)

// lineRate is how many connections of a peer's, or of an agreement's, may begin to bring
// something: each is a line in somebody's history for ever.
var lineRate = limit.Rate{Burst: 2000, Every: time.Second / 2000}

const (
	linesKept    = 1 << 16
	linePeersMax = 1 << 12
)

// lineLimit bounds the new lines that peers and agreements make.
type lineLimit struct {
	begun *recent[uuid.UUID, struct{}] // of late
	fresh *limit.Limiter               // by peer or agreement
}

func newLineLimit() *lineLimit {
	return &lineLimit{newRecent[uuid.UUID, struct{}](linesKept), limit.New(lineRate, linePeersMax)}
}

// admit lets a packet in that adds to a line, and says what to do with the outcome. It
// returns connector.ErrBusy to whoever begins too many.
func (l *lineLimit) admit(d connector.Delivery, now time.Time) (ended func(error), err error) {
	id := d.To.Reference
	if _, known := l.begun.get(id); known {
		return func(error) {}, nil
	}
	sender := string(d.From.Account[:])
	if d.Authority != nil {
		sender = string(d.From.Reference[:])
	}
	if l.fresh.Take(sender, now) > 0 {
		return nil, fmt.Errorf("%w: too many payments from one peer or app begin in a second", connector.ErrBusy)
	}
	return func(err error) {
		if err != nil {
			l.fresh.GiveBack(sender)
			return
		}
		l.begun.put(id, struct{}{})
	}, nil
}
