package ledger

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Amount is a sum of money in the asset's smallest unit.
type Amount struct {
	Value uint64
	Asset Asset
}

// AmountError is why a typed amount is refused: a sentence for a person.
type AmountError string

// Error returns the sentence.
func (e AmountError) Error() string { return string(e) }

// Why a typed amount is refused, whatever its asset.
const (
	ErrAmountEmpty    AmountError = "Enter an amount."
	ErrAmountFormat   AmountError = "Enter the amount as a number, like 12.50."
	ErrAmountNegative AmountError = "The amount must be more than 0."
	ErrAmountTooLarge AmountError = "This amount is too large."
)

// ParseAmount reads what a person typed: "1234.5", "1,234.50" or "1.234,50",
// but not "1,234", which means different things to different people. Zero,
// negative and too large amounts, and more decimals than the asset has, are
// refused with an AmountError.
func ParseAmount(text string, asset Asset) (Amount, error) {
	text = strings.TrimSpace(text)
	if text == "" {
		return Amount{}, ErrAmountEmpty
	}
	if strings.HasPrefix(text, "-") {
		return Amount{}, ErrAmountNegative
	}
	whole, decimals, err := splitDecimal(text)
	if err != nil {
		return Amount{}, err
	}
	if len(strings.TrimRight(decimals, "0")) > int(asset.Scale) {
		return Amount{}, tooManyDecimals(asset)
	}
	decimals = (decimals + strings.Repeat("0", int(asset.Scale)))[:asset.Scale]
	value, err := strconv.ParseUint(whole+decimals, 10, 63)
	switch {
	case errors.Is(err, strconv.ErrRange):
		return Amount{}, ErrAmountTooLarge
	case err != nil:
		return Amount{}, ErrAmountFormat
	case value == 0:
		return Amount{}, ErrAmountNegative
	}
	return Amount{Value: value, Asset: asset}, nil
}

// splitDecimal separates a number's digits before and after the decimal sign.
// The last sign is the decimal one, unless it is repeated: then it separates
// thousands, as the other one does. A single comma before three digits could be
// either and is refused.
func splitDecimal(text string) (whole, decimals string, err error) {
	for _, r := range text {
		if (r < '0' || r > '9') && r != '.' && r != ',' {
			return "", "", ErrAmountFormat
		}
	}
	whole = text
	if i := strings.LastIndexAny(text, ".,"); i >= 0 && strings.Count(text, text[i:i+1]) == 1 {
		whole, decimals = text[:i], text[i+1:]
		if text[i] == ',' && len(decimals) == 3 && !strings.Contains(whole, ".") {
			return "", "", ErrAmountFormat
		}
	}
	if whole, err = ungroup(whole); err != nil || whole+decimals == "" {
		return "", "", ErrAmountFormat
	}
	return whole, decimals, nil
}

// ungroup removes the signs between thousands: all the same, each before
// exactly three digits.
func ungroup(whole string) (string, error) {
	i := strings.IndexAny(whole, ".,")
	if i < 0 {
		return whole, nil
	}
	groups := strings.Split(whole, whole[i:i+1])
	if len(groups[0]) < 1 || len(groups[0]) > 3 {
		return "", ErrAmountFormat
	}
	for _, group := range groups[1:] {
		if len(group) != 3 || strings.ContainsAny(group, ".,") {
			return "", ErrAmountFormat
		}
	}
	return strings.Join(groups, ""), nil
}

func tooManyDecimals(asset Asset) AmountError {
	if asset.Scale == 0 {
		return AmountError(asset.Code + " has no decimals: enter a whole number.")
	}
	return AmountError(fmt.Sprintf("%s amounts have at most %d decimals.", asset.Code, asset.Scale))
}

// Decimal returns the plain number, "1234.50": what a form field holds.
func (a Amount) Decimal() string {
	digits := strconv.FormatUint(a.Value, 10)
	scale := int(a.Asset.Scale)
	if scale == 0 {
		return digits
	}
	if len(digits) <= scale {
		digits = strings.Repeat("0", scale-len(digits)+1) + digits
	}
	return digits[:len(digits)-scale] + "." + digits[len(digits)-scale:]
}

// String returns the amount for a sentence: "1,234.50 USD".
func (a Amount) String() string { return a.grouped() + " " + a.Asset.Code }

// Symbolic returns the amount with its currency's symbol, "$1,234.50", to be
// shown beside the code: several currencies share a symbol.
func (a Amount) Symbolic() string { return a.Asset.symbol() + a.grouped() }

// Whole returns the amount as it is shown, symbol and code, "$1,234.50 USD", for a
// sentence on a page: its spaces don't break.
func (a Amount) Whole() string { return a.Symbolic() + "\u00a0" + a.Asset.Code }

// grouped returns the number with thousands separated.
func (a Amount) grouped() string {
	whole, decimals, hasDecimals := strings.Cut(a.Decimal(), ".")
	var b strings.Builder
	for i, digit := range whole {
		if i > 0 && (len(whole)-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteRune(digit)
	}
	if hasDecimals {
		b.WriteByte('.')
		b.WriteString(decimals)
	}
	return b.String()
}
