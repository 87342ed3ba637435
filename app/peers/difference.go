package peers

import (
	"slices"
	"strconv"
	"strings"

	"pochi/ilp/address"
	"pochi/ilp/ilphttp"
	"pochi/ledger"
)

// Changed is a peer as it is after a command, and what that made different.
type Changed struct {
	Standing
	Differences []Difference // none: it was so before
}

// Difference is a term of a peer as it was and as it is. It is named as the
// commands' flags are; of tokens there are the first digits of their hashes.
type Difference struct{ Term, From, To string }

// differences returns what differs between two standings of a peer. A peer that
// isn't there yet is the zero Standing.
func differences(before, now Standing) []Difference {
	var out []Difference
	was := before.terms()
	for i, is := range now.terms() {
		if was[i] != is {
			out = append(out, Difference{is.name, was[i].value, is.value})
		}
	}
	return out
}

type term struct{ name, value string }

// terms are what an admin says of a peer.
func (s Standing) terms() []term {
	number := func(n uint64) string { return strconv.FormatUint(n, 10) }
	outgoing := ""
	if s.OutgoingToken != "" {
		outgoing = ShortHash(ilphttp.HashToken(string(s.OutgoingToken)))
	}
	return []term{
		{"ilp-address", string(s.Address)}, {"asset", shown(s.Asset)}, {"incoming-token", joined(s.Tokens, ShortHash)},
		{"outgoing-url", s.OutgoingURL}, {"outgoing-token", outgoing}, {"async", strconv.FormatBool(s.Async)}, {"callback-url", s.CallbackURL},
		{"credit-limit", number(s.CreditLimit)}, {"max-packet", number(s.MaxPacket)},
		{"max-in-flight-value", number(s.MaxInFlightValue)}, {"max-in-flight-count", number(s.MaxInFlightCount)},
		{"rate-limit", number(s.RateLimit)}, {"throughput", number(s.Throughput)},
		{"routes", joined(s.Routes, func(a address.Address) string { return string(a) })}, {"default-route", strconv.FormatBool(s.Default)},
	}
}

func shown(asset ledger.Asset) string {
	if asset == (ledger.Asset{}) {
		return ""
	}
	return asset.String()
}

func joined[T any](all []T, text func(T) string) string {
	texts := make([]string, len(all))
	for i, each := range all {
		texts[i] = text(each)
	}
	slices.Sort(texts)
	return strings.Join(texts, ",")
}
