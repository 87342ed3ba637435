package rates

import (
	"math/big"
	"slices"
)

// values is what one and the same value is in each currency, after what admins
// have set.
type values struct {
	units  map[string]*big.Rat
	groups map[string]*group
	direct map[pair]Rate // what was set, in both directions
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
	v := values{units: map[string]*big.Rat{}, groups: map[string]*group{}, direct: map[pair]Rate{}}
	for code, units := range table.units {
		v.units[code], v.groups[code] = units, &group{codes: []string{code}, known: true}
	}
	for _, r := range set {
		v.direct[r.pair()], v.direct[r.inverse().pair()] = r, r.inverse()
		v.connect(r)
	}
	return v
}

// group returns a currency's group. One without a value gets any.
func (v values) group(code string) *group {
	if v.groups[code] == nil {
		v.units[code], v.groups[code] = one, &group{codes: []string{code}}
	}
	return v.groups[code]
}

// connect moves the group of r.To to where r has it. If only that one's worth is
// known, the other one moves.
func (v values) connect(r Rate) {
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
	for _, code := range moves.codes {
		v.units[code], v.groups[code] = new(big.Rat).Mul(v.units[code], factor), stays
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
	r.dependOn(v.groups[from])
	if v.groups[to] != v.groups[from] {
		r.dependOn(v.groups[to])
	}
	return r
}

// dependOn takes a group's largest spread and earliest end.
func (r *Rate) dependOn(g *group) {
	for _, s := range g.set {
		r.Source = Derived
		r.Of = append(r.Of, s.Renew)
		r.SpreadBps = max(r.SpreadBps, s.SpreadBps)
		if r.GoodUntil.IsZero() || s.GoodUntil.Before(r.GoodUntil) {
			r.GoodUntil, r.Renew = s.GoodUntil, s.Renew
		}
	}
}
