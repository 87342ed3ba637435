package simulation

import (
	"context"
	"math/big"
	"sync"

	"pochi/ilp"
	"pochi/ilp/connector"
)

// The assets of the networks. Their values in the first, as a fraction, are where rates begin.
var (
	assets = []ilp.Asset{{Code: "USD", Scale: 2}, {Code: "EUR", Scale: 2}, {Code: "JPY", Scale: 0}, {Code: "XRP", Scale: 6}}
	values = map[string]*big.Rat{"USD": big.NewRat(1, 1), "EUR": big.NewRat(10945, 10000), "JPY": big.NewRat(1, 149), "XRP": big.NewRat(3, 7)}
)

// market is a node's rates: what an asset is worth, and what the node keeps of each exchange.
type market struct {
	mu     sync.Mutex
	worth  map[string]*big.Rat
	spread int64 // in 1/10,000
	stale  bool
}

// Convert implements connector.Rates. What it says is written down in the packet's visit.
func (m *market) Convert(ctx context.Context, amount uint64, from, to ilp.Asset) (uint64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.stale {
		return 0, connector.ErrStaleRate
	}
	exact := m.exact(amount, from, to)
	out := new(big.Int).Quo(exact.Num(), exact.Denom())
	if !out.IsUint64() {
		return 0, connector.ErrOverflow
	}
	if v := visitOf(ctx); v != nil {
		v.convert(amount, out.Uint64(), from, to)
	}
	return out.Uint64(), nil
}

// exact is what an amount is worth, before rounding.
func (m *market) exact(amount uint64, from, to ilp.Asset) *big.Rat {
	x := new(big.Rat).SetInt(new(big.Int).SetUint64(amount))
	x.Mul(x, m.worth[from.Code]).Quo(x, m.worth[to.Code])
	x.Mul(x, new(big.Rat).SetInt(power(to.Scale))).Quo(x, new(big.Rat).SetInt(power(from.Scale)))
	return x.Mul(x, big.NewRat(10_000-m.spread, 10_000))
}

func power(scale uint8) *big.Int {
	return new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(scale)), nil)
}

// shift moves an asset's worth by some 1/1,000.
func (m *market) shift(code string, thousandths int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	worth := map[string]*big.Rat{}
	for c, v := range m.worth {
		worth[c] = v
	}
	worth[code] = new(big.Rat).Mul(worth[code], big.NewRat(1000+thousandths, 1000))
	if worth[code].Denom().BitLen() > 64 { // or it would grow with every move
		worth[code] = values[code]
	}
	m.worth = worth
}

func (m *market) setStale(stale bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.stale = stale
}
