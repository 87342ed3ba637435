package peers

import (
	"strings"

	"pochi/app/fetch"
	"pochi/ilp/ilphttp"
)

// changeOutgoing changes where and how a peer is called: for packets, and for
// the replies to its own. A peer that isn't called at all has no token.
func (s *Service) changeOutgoing(d *draft, c Change) {
	if c.OutgoingURL == nil && c.OutgoingToken == nil && c.Async == nil && c.CallbackURL == nil {
		return
	}
	set(&d.OutgoingURL, c.OutgoingURL)
	set(&d.CallbackURL, c.CallbackURL)
	set(&d.Async, c.Async)
	if d.OutgoingURL == "" && c.Async == nil {
		d.Async = false
	}
	if d.OutgoingURL == "" && d.CallbackURL == "" {
		d.OutgoingToken = ""
	}
	set(&d.OutgoingToken, c.OutgoingToken)
	s.checkURL(d, "outgoing-url", d.OutgoingURL)
	s.checkURL(d, "callback-url", d.CallbackURL)
	s.checkAsync(d)
	d.checkOutgoingToken()
}

func set[T any](to, from *T) {
	if from != nil {
		*to = *from
	}
}

func (s *Service) checkURL(d *draft, field, text string) {
	if text == "" {
		return
	}
	url, err := ilphttp.ParseURL(text, !s.Production)
	if err == nil {
		err = fetch.CheckTarget(url, !s.Production)
	}
	if err == nil {
		return
	}
	hint := ""
	if strings.HasPrefix(text, "http:") && !s.Production {
		hint = ": http is for localhost, 127.0.0.0/8 and [::1] only"
	}
	d.refuse(field, "The %s can't be used: %s%s.", strings.Replace(field, "-url", " URL", 1), strings.TrimPrefix(err.Error(), "ilphttp: "), hint)
}

func (s *Service) checkAsync(d *draft) {
	switch {
	case !d.Async:
	case s.CallbackURL == "":
		d.refuse("async", "Peers can't call this wallet back: first set POCHI_ILP_PUBLIC_URL to where they reach POCHI_ILP_LISTEN, and start it again.")
	case d.OutgoingURL == "":
		d.refuse("async", "It is about packets to the peer: give its outgoing URL, too.")
	}
}

func (d *draft) checkOutgoingToken() {
	called := d.OutgoingURL != "" || d.CallbackURL != ""
	switch {
	case d.OutgoingToken == "" && called:
		d.refuse("outgoing-token", "Give the token that the peer knows this wallet by.")
	case d.OutgoingToken == "":
	case !called:
		d.refuse("outgoing-url", "The token is for an outgoing URL: give that, too.")
	case !ilphttp.ValidToken(string(d.OutgoingToken)):
		d.refuse("outgoing-token", "A token is made of visible ASCII characters, without spaces, at most 1,024.")
	}
}
