// Package names says which names people may choose for what others, or they
// themselves, read on a page.
package names

import (
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Legible reports whether a name can be read: it is valid UTF-8, something of
// it can be seen, and nothing in it changes what is around it.
func Legible(name string) bool {
	return utf8.ValidString(name) && !strings.ContainsFunc(name, unfit) && strings.ContainsFunc(name, visible)
}

// joiner and nonJoiner are what Persian, Hindi and emoji are written with.
const (
	nonJoiner = '\u200C'
	joiner    = '\u200D'
)

// unfit reports control characters and those that change what is around them,
// such as the direction of text.
func unfit(r rune) bool { return !unicode.IsGraphic(r) && r != nonJoiner && r != joiner }

// visible reports what is seen on its own: no space, no mark, and none of the
// letters and signs that look like nothing.
func visible(r rune) bool {
	return unicode.In(r, unicode.L, unicode.N, unicode.P, unicode.S) && !strings.ContainsRune("\u115F\u1160\u2800\u3164\uFFA0", r)
}

// brand is the word that no person's name may hold.
const brand = "pochi"

// official matches names that are nothing but words for who runs a wallet.
var official = regexp.MustCompile(`^(the|my|your|our|this|of|at|and|for|from|by|` +
	`pochi|wallets?|banks?|accounts?|payments?|interledger|` +
	`admins?|administrators?|administration|abuse|billing|compliance|customers?|desk|fraud|help|helpdesk|hostmaster|` +
	`moderators?|notices?|notifications?|officials?|operators?|postmaster|root|safety|security|services?|staff|support|` +
	`systems?|teams?|webmaster)+$`)

// Official reports whether a person of that name would pass for the wallet
// itself: "Pochi", "Ann of Pochi", "Support Team".
func Official(name string) bool {
	words := strings.FieldsFunc(fold(name), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	return slices.Contains(words, brand) || official.MatchString(strings.Join(words, ""))
}

// fold makes alike what looks alike: letters in their plain form, without
// marks, joiners or case.
func fold(name string) string {
	plain := strings.Map(func(r rune) rune {
		if unicode.Is(unicode.M, r) || unicode.Is(unicode.Cf, r) {
			return -1
		}
		return r
	}, norm.NFKD.String(name))
	return strings.ToLower(plain)
}
