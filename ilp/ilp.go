// Package ilp is the root of the Interledger engine: it holds what all of its packages share, and imports none of them.
//
// The packages below it, from the bytes up:
//
//	oer        the subset of Octet Encoding Rules that ILP uses (RFC 30)
//	address    ILP addresses (RFC 15)
//	packet     Prepare, Fulfill, Reject (RFC 27)
//	pointer    payment pointers such as $wallet.example/ann (RFC 26)
//	spsp       from a payment pointer's URL to an address and a secret (RFC 9)
//	ildcp      what a child learns from its parent: address and asset (RFC 31)
//	stream     money over packets: keys, receiver, sender (RFC 29)
//	connector  the chain of steps that every packet takes
//	ilphttp    packets over HTTP, from peers and to them (RFC 35)
//
// HAZARDS.md lists the defects that other implementations had, and the test for each.
//
// Nothing here imports the wallet: what the engine needs from it (books, payees, rates) it declares as interfaces.
package ilp

import "strconv"

// Asset is what an amount counts: units of 10^-Scale of Code. An amount of 150 with Asset{"USD", 2} is 1.50 US dollars.
// Two assets are the same only if both fields are equal.
type Asset struct {
	Code  string
	Scale uint8
}

// String returns the asset as "USD/2".
func (a Asset) String() string {
	return a.Code + "/" + strconv.Itoa(int(a.Scale))
}
