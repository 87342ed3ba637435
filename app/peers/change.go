package peers

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"pochi/app/problem"
	"pochi/ilp/address"
	"pochi/ilp/ilphttp"
	"pochi/ledger"
)

// Change is what can be said of a peer. What is nil or empty stays as it is.
type Change struct {
	Address          *string  `json:"ilpAddress,omitempty"`
	AddTokens        []Token  `json:"addTokens,omitempty"`
	RemoveTokens     []Token  `json:"removeTokens,omitempty"` // tokens, or the first 8 hex digits of their hashes
	OutgoingURL      *string  `json:"outgoingUrl,omitempty"`  // "": it takes no packets
	OutgoingToken    *Token   `json:"outgoingToken,omitempty"`
	Async            *bool    `json:"async,omitempty"`
	CallbackURL      *string  `json:"callbackUrl,omitempty"` // "": it takes no callbacks
	CreditLimit      *uint64  `json:"creditLimit,omitempty"` // how much it may owe
	MaxPacket        *uint64  `json:"maxPacket,omitempty"`
	RateLimit        *uint64  `json:"rateLimit,omitempty"`
	Throughput       *uint64  `json:"throughput,omitempty"`
	MaxInFlightValue *uint64  `json:"maxInFlightValue,omitempty"`
	MaxInFlightCount *uint64  `json:"maxInFlightCount,omitempty"`
	Routes           []string `json:"routes,omitempty"`
	SetRoutes        bool     `json:"setRoutes,omitempty"` // Routes replaces those there were
	Default          *bool    `json:"defaultRoute,omitempty"`
}

// creditLimit is how much a new peer may owe.
func (c Change) creditLimit() uint64 {
	if c.CreditLimit == nil {
		return 0
	}
	return *c.CreditLimit
}

// The shortest tokens that a peer may call with, in characters: a plain hash
// is kept of them, so they must not be guessable.
const (
	tokenMin           = 16
	tokenMinProduction = 32
)

// hashShown is how many hex digits of a token's hash are shown, and name it.
const hashShown = 8

// ShortHash returns what is shown of a token's hash.
func ShortHash(hash ilphttp.TokenHash) string { return hex.EncodeToString(hash[:])[:hashShown] }

// draft is a peer that changes, and what is wrong with the change.
type draft struct {
	Peer
	errs problem.Errors
}

func (d *draft) refuse(field, format string, args ...any) {
	d.errs = append(d.errs, problem.Field(field, format, args...))
}

func (d *draft) conflict(field, format string, args ...any) {
	d.errs = append(d.errs, &problem.Error{Code: problem.Conflict, Field: field, Message: fmt.Sprintf(format, args...)})
}

// err returns all that is wrong.
func (d *draft) err() error {
	if d.errs == nil {
		return nil
	}
	return d.errs
}

// change makes of a peer what c says.
func (s *Service) change(d *draft, c Change) {
	if c.Address != nil {
		s.changeAddress(d, *c.Address)
	}
	s.changeTokens(d, c)
	s.changeOutgoing(d, c)
	changeLimits(d, c)
	if c.SetRoutes {
		s.changeRoutes(d, c.Routes)
	}
	set(&d.Default, c.Default)
	if d.Default && d.OutgoingURL == "" {
		d.refuse("default-route", "A peer that takes no packets can't be the way to anybody: give its outgoing URL, too, or say --no-default-route.")
	}
}

func (s *Service) changeAddress(d *draft, text string) {
	a, defect := s.parseAddress(text)
	if defect != "" {
		d.refuse("ilp-address", "%s", defect)
		return
	}
	d.Address = a
	d.dropOwnRoute()
}

// parseAddress reads an address that packets may go to, or says what is wrong
// with it.
func (s *Service) parseAddress(text string) (address.Address, string) {
	a, err := address.Parse(text)
	if err != nil {
		return "", fmt.Sprintf("%q is no ILP address: %s.", text, strings.TrimPrefix(err.Error(), "ilp address: "))
	}
	segment, below := a.Below(s.Own)
	switch scheme := a.Scheme(); {
	case a == s.Own:
		return "", fmt.Sprintf("%s is this wallet's own address.", a)
	case scheme == "peer" || scheme == "self" || scheme == "local":
		return "", fmt.Sprintf("Addresses that begin with %s. can't be reached from another node.", scheme)
	case s.Own.Live() && a.Test(), s.Own.Test() && a.Live():
		return "", fmt.Sprintf("%s and this wallet's %s: one is on the network where money is real, the other on a test network.", a, s.Own)
	case below && len(segment) > childMax:
		return "", fmt.Sprintf("%s could be somebody's who is paid here: name a node below %s with at most %d characters.", a, s.Own, childMax)
	}
	return a, ""
}

// parsePrefix is parseAddress for a route, which may be a bare scheme, too: all
// of a network.
func (s *Service) parsePrefix(text string) (address.Address, string) {
	if strings.Contains(text, ".") {
		return s.parseAddress(text)
	}
	if _, defect := s.parseAddress(text + ".x"); defect != "" {
		return "", fmt.Sprintf("%q is no prefix of addresses that packets may go to.", text)
	}
	return address.Address(text), ""
}

// childMax is how long the name of a node below ours may be: what follows in
// our receivers' addresses is longer.
const childMax = 32

func (d *draft) dropOwnRoute() {
	d.Routes = slices.DeleteFunc(d.Routes, func(r address.Address) bool { return r == d.Address })
}

func (s *Service) changeRoutes(d *draft, texts []string) {
	d.Routes = nil
	for _, text := range texts {
		a, defect := s.parsePrefix(text)
		if defect != "" {
			d.refuse("routes", "%s", defect)
		}
		d.Routes = append(d.Routes, a)
	}
	slices.Sort(d.Routes)
	d.Routes = slices.Compact(d.Routes)
	d.dropOwnRoute()
	if len(d.Routes) == 0 {
		d.Routes = nil
	}
	if len(d.Routes) > RoutesMax {
		d.refuse("routes", "A peer has at most %d routes.", RoutesMax)
	}
}

func (s *Service) changeTokens(d *draft, c Change) {
	d.Tokens = slices.Clone(d.Tokens)
	for _, token := range c.RemoveTokens {
		d.removeToken(token)
	}
	shortest := tokenMin
	if s.Production {
		shortest = tokenMinProduction
	}
	for _, token := range c.AddTokens {
		hash := ilphttp.HashToken(string(token))
		switch {
		case !ilphttp.ValidToken(string(token)):
			d.refuse("incoming-token", "A token is made of visible ASCII characters, without spaces, at most 1,024.")
		case len(token) < shortest:
			d.refuse("incoming-token", "The token is too short: use at least %d random characters.", shortest)
		case !slices.Contains(d.Tokens, hash):
			d.Tokens = append(d.Tokens, hash)
		}
	}
	slices.SortFunc(d.Tokens, func(a, b ilphttp.TokenHash) int { return bytes.Compare(a[:], b[:]) })
	switch {
	case len(d.Tokens) == 0 && len(c.RemoveTokens) > 0:
		d.refuse("remove-incoming-token", "A peer keeps at least one token: add another in the same command.")
	case len(d.Tokens) == 0 && len(d.errs) == 0:
		d.refuse("incoming-token", "Give the token that the peer will call with.")
	case len(d.Tokens) > TokensMax:
		d.refuse("incoming-token", "A peer has at most %d tokens: remove those that it uses no more.", TokensMax)
	}
}

func (d *draft) removeToken(token Token) {
	hash := ilphttp.HashToken(string(token))
	before := len(d.Tokens)
	d.Tokens = slices.DeleteFunc(d.Tokens, func(have ilphttp.TokenHash) bool {
		return have == hash || len(token) == hashShown && strings.EqualFold(ShortHash(have), string(token))
	})
	if len(d.Tokens) == before {
		d.refuse("remove-incoming-token", "The peer has no such token.")
	}
}

func changeLimits(d *draft, c Change) {
	credit := uint64(0) // the account has it
	for _, limit := range []struct {
		field    string
		to, from *uint64
	}{
		{"credit-limit", &credit, c.CreditLimit},
		{"max-packet", &d.MaxPacket, c.MaxPacket},
		{"rate-limit", &d.RateLimit, c.RateLimit},
		{"throughput", &d.Throughput, c.Throughput},
		{"max-in-flight-value", &d.MaxInFlightValue, c.MaxInFlightValue},
		{"max-in-flight-count", &d.MaxInFlightCount, c.MaxInFlightCount},
	} {
		switch {
		case limit.from == nil:
		case *limit.from > ledger.AmountMax:
			d.refuse(limit.field, "%d is more than a limit can be.", *limit.from)
		default:
			*limit.to = *limit.from
		}
	}
}

// wantBound refuses a peer in production of which so much may be in flight as there is: it is what the peer may claim after a
// fault, so somebody has to have thought about it. Without it there would be no finite limit that is right for every asset.
func (s *Service) wantBound(d *draft) {
	if s.Production && d.MaxInFlightValue == 0 {
		d.refuse("max-in-flight-value", "Say how much may be in flight from the peer, and to it: it may claim as much after a fault.")
	}
}

// compare refuses what another peer has already.
func (d *draft) compare(rest []Peer) {
	for _, p := range rest {
		if p.Name == d.Name {
			d.conflict("name", "There is a peer %s already.", p.Name)
		}
		if p.Default && d.Default {
			d.conflict("default-route", "%s is the default route: take that from it first, with --no-default-route.", p.Name)
		}
		for _, hash := range d.Tokens {
			if slices.Contains(p.Tokens, hash) {
				d.conflict("incoming-token", "Another peer calls with this token: each needs its own.")
			}
		}
		d.compareRoutes(p)
	}
}

func (d *draft) compareRoutes(p Peer) {
	theirs := append([]address.Address{p.Address}, p.Routes...)
	if slices.Contains(theirs, d.Address) {
		d.conflict("ilp-address", "%s has %s already.", p.Name, d.Address)
	}
	for _, route := range d.Routes {
		if slices.Contains(theirs, route) {
			d.conflict("routes", "%s has %s already.", p.Name, route)
		}
	}
}
