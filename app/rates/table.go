package rates

import (
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strings"
)

// Table is the configuration's rates: what one and the same value is in each
// currency.
type Table struct {
	units map[string]*big.Rat
}

// Parse reads a table: "USD=1,EUR=0.9137,JPY=149.62" says what one and the
// same value is in each currency. A number is a decimal or a fraction
// ("10/11"), and more than 0.
func Parse(text string) (Table, error) {
	t := Table{units: map[string]*big.Rat{}}
	for entry := range strings.SplitSeq(text, ",") {
		code, value, ok := strings.Cut(strings.TrimSpace(entry), "=")
		if !ok || code == "" {
			return Table{}, fmt.Errorf("rate %q: want CODE=NUMBER", entry)
		}
		units, err := parseNumber(value)
		if err != nil {
			return Table{}, fmt.Errorf("rate %q: %w", entry, err)
		}
		if _, twice := t.units[code]; twice {
			return Table{}, fmt.Errorf("rate %q: %s has a rate already", entry, code)
		}
		t.units[code] = units
	}
	return t, nil
}

// Has reports whether the table knows a currency.
func (t Table) Has(code string) bool { return t.units[code] != nil }

// codes returns the currencies, in order.
func (t Table) codes() []string { return slices.Sorted(maps.Keys(t.units)) }
