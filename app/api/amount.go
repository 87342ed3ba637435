package api

import (
	"strconv"
	"time"

	"pochi/ledger"
)

// amount is a sum of money in the asset's smallest unit. The value is a string,
// since numbers in JSON are exact only up to 2^53 for most readers.
type amount struct {
	Value      string `json:"value"`
	AssetCode  string `json:"assetCode"`
	AssetScale uint8  `json:"assetScale"`
}

func amountOf(a ledger.Amount) amount {
	return amount{strconv.FormatUint(a.Value, 10), a.Asset.Code, a.Asset.Scale}
}

// of returns an amount in the same asset.
func of(value uint64, asset ledger.Asset) *amount {
	a := amountOf(ledger.Amount{Value: value, Asset: asset})
	return &a
}

// assetCodeMax bounds an asset's code, in bytes, as the ledger does.
const assetCodeMax = 32

// amount reads an amount of more than 0.
func (o *object) amount(name string) (a ledger.Amount) {
	o.object(name, func(o *object) {
		text := o.text("value")
		a.Asset.Code = o.text("assetCode")
		a.Asset.Scale = uint8(o.small("assetScale", ledger.ScaleMax))
		value, err := strconv.ParseUint(text, 10, 63)
		switch {
		case o.err != nil:
		case a.Asset.Code == "" || len(a.Asset.Code) > assetCodeMax:
			o.fail(invalid(o.path+"assetCode", "There is no such asset."))
		case !digits(text):
			o.fail(malformed(o.path+"value", "value must be a whole number in digits, in the asset's smallest unit."))
		case err != nil:
			o.fail(invalid(o.path+"value", ledger.ErrAmountTooLarge.Error()))
		case value == 0:
			o.fail(invalid(o.path+"value", ledger.ErrAmountNegative.Error()))
		}
		a.Value = value
	})
	return a
}

// digits reports whether text is a number as this API writes it: no sign, no
// zero before others.
func digits(text string) bool {
	for i := range len(text) {
		if text[i] < '0' || text[i] > '9' {
			return false
		}
	}
	return text == "0" || text != "" && text[0] != '0'
}

// moment writes a time as RFC 3339 has it, nil for none.
func moment(t time.Time) *string {
	if t.IsZero() {
		return nil
	}
	text := t.UTC().Format(time.RFC3339Nano)
	return &text
}
