package rates

import (
	"math/big"
	"slices"
	"time"
)

// values is what one and the same value is in each currency, after what admins
// have set.
type values struct {
	units  map[string]*big.Rat
	moved  map[string]*big.Int // by which of set a currency was moved: a bit for each
	groups map[string]*group
	direct map[pair]Rate // what was set, in both directions
	set    []Rate
	wide   bool // a pair depends on all of its groups, and not only on what moved it
}

// group is currencies that rates of admins connect; one that they don't name is
// alone.
type group struct {
	codes []string
	set   []Rate
	known bool // the configuration knows what they are worth in others
}

// derive puts rates that admins have set, oldest first, over the configuration's.
// Their numbers grow with each rate that connects two currencies, by 63 bits
// at the most; conversions at them stay exact.
func derive(table Table, set []Rate) values {
	v := values{
		units: map[string]*big.Rat{}, moved: map[string]*big.Int{}, groups: map[string]*group{}, direct: map[pair]Rate{}, set: set,
	}
	for code, units := range table.units {
		v.units[code], v.moved[code], v.groups[code] = units, new(big.Int), &group{codes: []string{code}, known: true}
	}
	for i, r := range set {
		v.direct[r.pair()], v.direct[r.inverse().pair()] = r, r.inverse()
		v.connect(i, r)
	}
	return v
}

// inForce is derive for rates of which none is too old before a time. Where
// people could gain in a circle if each pair depended only on what moved it, all
// depend on their whole groups. That is never better for them, and what
// admins could set by it once stays free of circles, whatever the configuration
// has become.
func inForce(table Table, set []Rate, at time.Time) values {
	v := derive(table, set)
	codes, _ := v.circle(at)
	v.wide = codes != nil
	return v
}

// group returns a currency's group. One without a value gets any.
func (v values) group(code string) *group {
	if v.groups[code] == nil {
		v.units[code], v.moved[code], v.groups[code] = one, new(big.Int), &group{codes: []string{code}}
	}
	return v.groups[code]
}

// connect moves the group of r.To to where r, the ith that was set, has it. If
// only that one's worth is known, the other one moves. What moved all of a group
// alike is no matter between two of its currencies, and r.To is now where
// r.From is but for r: so what moved r.To before no longer counts.
func (v values) connect(i int, r Rate) {
	stays, moves := v.group(r.From), v.group(r.To)
	if stays == moves {
		stays.set = append(stays.set, r)
		return
	}
	if !stays.known && moves.known {
		stays, moves, r = moves, stays, r.inverse()
	}
	factor := new(big.Rat).Mul(v.units[r.From], r.Value)
	factor.Quo(factor, v.units[r.To])
	by := new(big.Int).Xor(v.moved[r.From], v.moved[r.To])
	by.SetBit(by, i, 1)
	for _, code := range moves.codes {
		v.units[code], v.groups[code] = new(big.Rat).Mul(v.units[code], factor), stays
		v.moved[code] = new(big.Int).Xor(v.moved[code], by)
	}
	stays.codes = append(stays.codes, moves.codes...)
	stays.set = append(slices.Concat(stays.set, moves.set), r)
}

// rates returns what is in force in each direction.
func (v values) rates() map[pair]Rate {
	out := make(map[pair]Rate, len(v.groups)*len(v.groups))
	for from, a := range v.groups {
		for to, b := range v.groups {
			if from != to && (a == b || a.known && b.known) {
				out[pair{from, to}] = v.rate(from, to)
			}
		}
	}
	return out
}

// rate returns what was set, or else what follows.
func (v values) rate(from, to string) Rate {
	if r, ok := v.direct[pair{from, to}]; ok {
		return r
	}
	r := Rate{From: from, To: to, Value: new(big.Rat).Quo(v.units[to], v.units[from]), Source: Configuration}
	r.dependOn(v.between(from, to))
	return r
}

// between returns what the ratio of two currencies' values depends on: the rates
// that moved one of them and not the other.
func (v values) between(from, to string) []Rate {
	a, b := v.groups[from], v.groups[to]
	switch {
	case v.wide && a == b:
		return a.set
	case v.wide:
		return slices.Concat(a.set, b.set)
	}
	moved := new(big.Int).Xor(v.moved[from], v.moved[to])
	var out []Rate
	for i, r := range v.set {
		if moved.Bit(i) == 1 {
			out = append(out, r)
		}
	}
	return out
}

// dependOn takes the largest spread and the earliest end of rates.
func (r *Rate) dependOn(set []Rate) {
	for _, s := range set {
		r.Source = Derived
		r.Of = append(r.Of, s.Renew)
		r.SpreadBps = max(r.SpreadBps, s.SpreadBps)
		if r.GoodUntil.IsZero() || s.GoodUntil.Before(r.GoodUntil) {
			r.GoodUntil, r.Renew = s.GoodUntil, s.Renew
		}
	}
}
