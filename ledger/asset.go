package ledger

import (
	"context"
	"errors"
	"fmt"

	"pochi/db"

	"github.com/google/uuid"
)

// ScaleMax bounds an asset's scale: with more digits 2^63-1 would be too small
// a sum.
const ScaleMax = 9

// Asset is a currency in its smallest unit: Scale 2 means hundredths.
type Asset struct {
	Code  string // ISO 4217 where there is one
	Scale uint8
}

// String returns "USD/2".
func (a Asset) String() string { return fmt.Sprintf("%s/%d", a.Code, a.Scale) }

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
		return "KSh "
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
)

// houseSpace makes the house accounts' ids from their names.
var houseSpace = uuid.MustParse("0f4a7c1e-5d5b-4d0a-9b3e-6a4a1f5e2c77")

// HouseAccount returns the id of the wallet's own account of one kind in an
// asset; there is one each.
func HouseAccount(asset Asset, code uint16) ID {
	return uuid.NewSHA1(houseSpace, fmt.Appendf(nil, "%s:%d", asset, code))
}

// OpenAsset makes an asset's ledger with its house accounts, unless they are
// there, and returns the ledger. exchangeLimit bounds how much of the asset
// the wallet may owe from exchanging, in its smallest unit.
func (l *Ledger) OpenAsset(ctx context.Context, asset Asset, exchangeLimit uint64) (uint32, error) {
	if asset.Scale > ScaleMax {
		return 0, fmt.Errorf("asset %s: the scale is above %d", asset, ScaleMax)
	}
	err := l.db.Write(ctx, func(tx db.Tx) error {
		_, err := tx.ExecContext(ctx, "INSERT INTO assets (code, scale) VALUES (?, ?) ON CONFLICT DO NOTHING", asset.Code, asset.Scale)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("open asset %s: %w", asset, err)
	}
	ledger, err := LedgerOf(ctx, l.db.Read, asset)
	if err != nil {
		return 0, err
	}
	for code, limit := range map[uint16]uint64{CodeExchange: exchangeLimit, CodeEquity: AmountMax, CodeOutgoing: 0} {
		if err := l.openHouseAccount(ctx, asset, ledger, code, limit); err != nil {
			return 0, fmt.Errorf("open asset %s: %w", asset, err)
		}
	}
	return ledger, nil
}

func (l *Ledger) openHouseAccount(ctx context.Context, asset Asset, ledger uint32, code uint16, limit uint64) error {
	id := HouseAccount(asset, code)
	if _, err := Find(ctx, l.db.Read, id); err != ErrAccountUnknown {
		return err
	}
	err := l.Submit(ctx, Chain{OpenAccount{ID: id, Ledger: ledger, Code: code, Limit: limit}}, nil)
	if errors.Is(err, ErrAccountExists) { // opened since by another caller
		return nil
	}
	return err
}

// LedgerOf returns the ledger of an asset, or ErrLedgerUnknown.
func LedgerOf(ctx context.Context, tx db.Tx, asset Asset) (uint32, error) {
	var ledger uint32
	err := tx.QueryRowContext(ctx, "SELECT ledger FROM assets WHERE code = ? AND scale = ?", asset.Code, asset.Scale).Scan(&ledger)
	return ledger, noRows(err, ErrLedgerUnknown)
}
