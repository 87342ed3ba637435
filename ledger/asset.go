package ledger

import (
	"context"
	"crypto/sha1"
	"fmt"
	"math"
	"strconv"

	"pochi/db"

	"github.com/google/uuid"
)

// ScaleMax bounds an asset's scale: with more digits 2^63-1 would be too small
// a sum.
const ScaleMax = 9

// codeMax bounds an asset's code, in bytes.
const codeMax = 32

// Asset is a currency in its smallest unit: Scale 2 means hundredths.
type Asset struct {
	Code  string // ISO 4217 where there is one
	Scale uint8
}

// String returns "USD/2".
func (a Asset) String() string { return a.Code + "/" + strconv.Itoa(int(a.Scale)) }

// Name returns what people call the asset, its code where it has no name.
func (a Asset) Name() string {
	switch a.Code {
	case "EUR":
		return "Euro"
	case "GBP":
		return "Pound sterling"
	case "JPY":
		return "Japanese yen"
	case "KES":
		return "Kenyan shilling"
	case "MXN":
		return "Mexican peso"
	case "USD":
		return "US dollar"
	default:
		return a.Code
	}
}

// symbol returns what stands before an amount, "" where there is none.
func (a Asset) symbol() string {
	switch a.Code {
	case "EUR":
		return "€"
	case "GBP":
		return "£"
	case "JPY":
		return "¥"
	case "KES":
		return "KSh\u00a0"
	case "MXN", "USD":
		return "$"
	default:
		return ""
	}
}

// The kinds of account, in Account.Code.
const (
	CodePerson   uint16 = 1 // a person's account: the wallet owes it to them
	CodeExchange uint16 = 2 // the wallet's own position in an asset
	CodeEquity   uint16 = 3 // the house: what deposits come from
	CodeOutgoing uint16 = 4 // what payments have reserved and not yet drawn
	CodeSuspense uint16 = 5 // what a crash left in doubt
	CodePeer     uint16 = 6 // another node's: what it owes us, or we it

	// On a ledger of authority, where allowances are counted like money:
	CodeAuthority uint16 = 7 // an allowance; its limit is how much
	CodeCap       uint16 = 8 // how much an incoming payment may still receive
	CodeUsed      uint16 = 9 // the other side: all that was used of both
)

// isHouse tells whether the wallet itself needs the accounts of a kind, at each
// start.
func isHouse(code uint16) bool {
	switch code {
	case CodeExchange, CodeEquity, CodeOutgoing, CodeSuspense, CodeUsed:
		return true
	}
	return false
}

// CodeSuspended is why a transfer was posted to or from suspense, in
// Transfer.Code. All other reasons are the callers'.
const CodeSuspended uint16 = 65535

// houseSpace makes the house accounts' ids from their names.
var houseSpace = uuid.MustParse("0f4a7c1e-5d5b-4d0a-9b3e-6a4a1f5e2c77")

// HouseAccount returns the id of the wallet's own account of one kind in an
// asset; there is one each.
func HouseAccount(asset Asset, code uint16) ID {
	name := append(make([]byte, 0, 64), houseSpace[:]...)
	name = append(append(name, asset.Code...), '/')
	name = append(strconv.AppendUint(name, uint64(asset.Scale), 10), ':')
	sum := sha1.Sum(strconv.AppendUint(name, uint64(code), 10))
	id := ID(sum[:16]) // a UUID of version 5 (RFC 9562, section 5.5), made without allocating: each packet needs some
	id[6], id[8] = id[6]&0x0f|5<<4, id[8]&0x3f|0x80
	return id
}

// OpenAsset makes an asset's ledger with its house accounts, unless they are
// there, and returns the ledger. exchangeLimit bounds how much of the asset
// the wallet may owe from exchanging, in its smallest unit; another one than
// last time takes effect as SetLimit does. Errors: ErrAmount for a limit above
// 2^63-1, ErrLedgerMismatch or ErrAccountClosed when a house account's id is
// not free.
func (l *Ledger) OpenAsset(ctx context.Context, asset Asset, exchangeLimit uint64) (uint32, error) {
	return l.openLedger(ctx, openAsset{asset, []houseAccount{
		{CodeExchange, exchangeLimit}, {CodeEquity, AmountMax}, {CodeOutgoing, 0}, {CodeSuspense, 0},
	}})
}

// openAsset makes an asset's ledger and its house accounts.
type openAsset struct {
	asset  Asset
	houses []houseAccount
}

type houseAccount struct {
	code  uint16
	limit uint64
}

func (l *Ledger) openLedger(ctx context.Context, c openAsset) (uint32, error) {
	if c.asset.Scale > ScaleMax {
		return 0, fmt.Errorf("asset %s: the scale is above %d", c.asset, ScaleMax)
	}
	if n := len(c.asset.Code); n < 1 || n > codeMax {
		return 0, fmt.Errorf("asset %s: the code has %d bytes, not 1 to %d", c.asset, n, codeMax)
	}
	if err := l.Submit(ctx, Chain{c}, nil); err != nil {
		return 0, fmt.Errorf("open asset %s: %w", c.asset, err)
	}
	return LedgerOf(ctx, l.db.Read, c.asset)
}

func (c openAsset) apply(l *Ledger, tx db.Tx) error {
	ledger, known := l.assets[c.asset]
	if !known {
		for _, used := range l.assets {
			ledger = max(ledger, used)
		}
		if ledger == math.MaxUint32 {
			return ErrOverflow
		}
		ledger++
		l.assets[c.asset] = ledger
		l.batch.assets = append(l.batch.assets, c.asset)
		l.batch.log(assetOpened{ledger, c.asset})
	}
	for _, house := range c.houses {
		open := OpenAccount{ID: HouseAccount(c.asset, house.code), Ledger: ledger, Code: house.code, Limit: house.limit}
		if err := openHouseAccount(l, tx, open); err != nil {
			return err
		}
	}
	return nil
}

// openHouseAccount opens an account, or sees to it that the one that is there
// is the same.
func openHouseAccount(l *Ledger, tx db.Tx, want OpenAccount) error {
	account, err := l.open(tx, want.ID)
	switch {
	case err == ErrAccountUnknown:
		return want.apply(l, tx)
	case err != nil:
		return err
	case account.Ledger != want.Ledger || account.Code != want.Code:
		return ErrLedgerMismatch
	}
	return SetLimit{ID: want.ID, Limit: want.Limit}.apply(l, tx)
}

func (l *Ledger) hasLedger(ledger uint32) bool {
	for _, known := range l.assets {
		if known == ledger {
			return true
		}
	}
	return false
}

// LedgerOf returns the ledger of an asset, or ErrLedgerUnknown.
func LedgerOf(ctx context.Context, tx db.Tx, asset Asset) (uint32, error) {
	var ledger uint32
	err := tx.QueryRowContext(ctx, "SELECT ledger FROM assets WHERE code = ? AND scale = ?", asset.Code, asset.Scale).Scan(&ledger)
	return ledger, noRows(err, ErrLedgerUnknown)
}
