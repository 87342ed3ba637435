package users

import (
	"time"

	"pochi/app/limit"
)

// Limits slow guessing down. A log-in that succeeds isn't counted. They are
// kept in memory; a zero Rate is its default.
//
// The limit that a guesser meets first is that of the e-mail and the address
// together, so that nobody can lock a person out from elsewhere. The one of the
// e-mail alone is for those who guess from very many addresses.
type Limits struct {
	PerAddress         limit.Rate // log-ins from one address (of IPv6 a /64): 50, one more each 10 seconds
	PerEmailAndAddress limit.Rate // log-ins for one e-mail from one address: 10, one more each minute
	PerEmail           limit.Rate // log-ins for one e-mail from anywhere: 300, one more each 10 seconds
	SignUps            limit.Rate // from one address: 60, one more each minute
	KeysMax            int        // e-mails or addresses that are remembered at a time: 65536, a few megabytes
}

func (l Limits) withDefaults() Limits {
	if l.PerAddress == (limit.Rate{}) {
		l.PerAddress = limit.Rate{Burst: 50, Every: 10 * time.Second}
	}
	if l.PerEmailAndAddress == (limit.Rate{}) {
		l.PerEmailAndAddress = limit.Rate{Burst: 10, Every: time.Minute}
	}
	if l.PerEmail == (limit.Rate{}) {
		l.PerEmail = limit.Rate{Burst: 300, Every: 10 * time.Second}
	}
	if l.SignUps == (limit.Rate{}) {
		l.SignUps = limit.Rate{Burst: 60, Every: time.Minute}
	}
	if l.KeysMax == 0 {
		l.KeysMax = 1 << 16
	}
	return l
}
