package ledger_test

import (
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"pochi/ledger"

	"pgregory.net/rapid"
)

// choices are what commands are drawn from: few enough that they meet.
type choices struct {
	w        *world
	clock    *clock
	accounts []ledger.ID
	fresh    []ledger.ID    // of the accounts: commands may open these
	chains   []ledger.Chain // that were submitted before
	made     int
}

// id is a new one that a failing run repeats. Some are older than others that
// were made before.
func (c *choices) id() ledger.ID {
	c.made++
	id := ledger.ID{5: 2, 6: 0x70, 8: 0x80}
	if c.made%5 == 0 {
		id[5] = 1
	}
	id[14], id[15] = byte(c.made>>8), byte(c.made)
	return id
}

// oneIn is true about once in n times: rapid favours the ends of a range.
func oneIn(t *rapid.T, n int, what string) bool {
	return rapid.IntRange(1, n).Draw(t, what) == n/2+1
}

func (c *choices) amount(t *rapid.T) uint64 {
	if oneIn(t, 12, "odd amount") {
		return rapid.SampledFrom([]uint64{0, math.MaxInt64 - 1000, math.MaxInt64, 1 << 63, math.MaxUint64}).Draw(t, "amount")
	}
	return rapid.Uint64Range(1, 80).Draw(t, "amount")
}

// upTo is mostly an amount that a hold has, often all of it.
func (c *choices) upTo(t *rapid.T, most uint64) uint64 {
	if most == 0 || oneIn(t, 8, "any amount") {
		return c.amount(t)
	}
	if oneIn(t, 2, "all") {
		return most
	}
	return rapid.Uint64Range(1, min(most, 80)).Draw(t, "amount")
}

// account is mostly an open dollar account.
func (c *choices) account(t *rapid.T, m model, name string) ledger.ID {
	if oneIn(t, 12, "any account") {
		return rapid.SampledFrom(c.accounts).Draw(t, name)
	}
	usable := slices.DeleteFunc(slices.Clone(c.accounts), func(id ledger.ID) bool {
		a, err := m.usable(id)
		return err != nil || a.Ledger != m.usd || a.Code == ledger.CodeSuspense
	})
	return rapid.SampledFrom(usable).Draw(t, name)
}

// pair is mostly one between which money can move.
func (c *choices) pair(t *rapid.T, m model) (debit, credit ledger.ID) {
	debit, credit = c.account(t, m, "debit"), c.account(t, m, "credit")
	if debit == credit && !oneIn(t, 10, "same") {
		credit = c.account(t, m, "other credit")
	}
	return debit, credit
}

// transferID is mostly a new one.
func (c *choices) transferID(t *rapid.T, m model) ledger.ID {
	if used := sortedKeys(m.named, ledger.ID.String); len(used) > 0 && oneIn(t, 20, "used id") {
		return rapid.SampledFrom(used).Draw(t, "id")
	}
	if oneIn(t, 40, "no id") {
		return rapid.SampledFrom([]ledger.ID{{}, {0: 0x7f, 6: 0x70, 8: 0x80}, {5: 2, 6: 0x40, 15: 7}}).Draw(t, "id")
	}
	return c.id()
}

// hold is mostly one that there is, of those that a command can do something
// with first.
func (c *choices) hold(t *rapid.T, m model, fits func(modelHold) bool) modelKey {
	keys := sortedKeys(m.holds, func(k modelKey) string {
		h := m.holds[k]
		return strconv.FormatBool(h.closed) + strconv.FormatBool(!fits(h)) + string(k.reference[:]) + string(k.debit[:]) + string(k.credit[:])
	})
	if fit := len(keys) - len(slices.DeleteFunc(slices.Clone(keys), func(k modelKey) bool {
		return !m.holds[k].closed && fits(m.holds[k])
	})); fit > 0 && !oneIn(t, 8, "any hold") {
		keys = keys[:fit]
	}
	if len(keys) > 0 && !oneIn(t, 20, "no hold") {
		return rapid.SampledFrom(keys).Draw(t, "hold")
	}
	debit, credit := c.pair(t, m)
	return modelKey{ledger.ID{}, debit, credit}
}

func anyHold(modelHold) bool       { return true }
func isReserved(h modelHold) bool  { return h.reserved > 0 }
func isInFlight(h modelHold) bool  { return h.inFlight > 0 }
func canBeTaken(h modelHold) bool  { return h.reserved > 0 || h.unreserved }
func canBeClosed(h modelHold) bool { return h.inFlight == 0 }

func sortedKeys[K comparable, V any](m map[K]V, name func(K) string) []K {
	return slices.SortedFunc(maps.Keys(m), func(a, b K) int { return strings.Compare(name(a), name(b)) })
}

// reference is mostly one of a few.
func (c *choices) reference(t *rapid.T) ledger.ID {
	if oneIn(t, 3, "new reference") {
		return c.id()
	}
	return ledger.ID{15: byte(rapid.IntRange(1, 2).Draw(t, "reference"))}
}

func (c *choices) code(t *rapid.T) uint16 { return uint16(rapid.IntRange(1, 2).Draw(t, "code")) }

func (c *choices) command(t *rapid.T, m model) ledger.Command {
	kinds := []string{"transfer", "hold", "packet", "fly", "open", "close", "limit"}
	if len(m.holds) > 0 {
		kinds = append(kinds, "draw", "close hold", "take", "post", "release", "take", "post")
	}
	if len(m.items) > 0 {
		kinds = append(kinds, "resolve", "resolve")
	}
	switch rapid.SampledFrom(kinds).Draw(t, "kind") {
	case "open":
		return c.open(t, m)
	case "close":
		if empty := c.empty(m); len(empty) > 0 && !oneIn(t, 3, "any") {
			return ledger.CloseAccount{ID: rapid.SampledFrom(empty).Draw(t, "account")}
		}
		return ledger.CloseAccount{ID: rapid.SampledFrom(c.accounts).Draw(t, "account")}
	case "limit":
		return ledger.SetLimit{ID: c.account(t, m, "account"), Limit: rapid.SampledFrom([]uint64{0, 40, 200, 0, 1 << 63, math.MaxInt64}).Draw(t, "limit")}
	case "transfer":
		debit, credit := c.pair(t, m)
		reference := ledger.ID{}
		if oneIn(t, 4, "a hold's reference") {
			reference = c.hold(t, m, anyHold).reference
		}
		return ledger.Transfer{ID: c.transferID(t, m), Debit: debit, Credit: credit, Amount: c.amount(t), Reference: reference}
	case "packet":
		debit, credit := c.pair(t, m)
		return ledger.Packet{Debit: debit, Credit: credit, Amount: c.amount(t), Code: c.code(t), Reference: c.reference(t)}
	case "hold":
		debit, credit := c.pair(t, m)
		hold := ledger.OpenHold{Reference: c.reference(t), Debit: debit, Credit: credit, Amount: c.amount(t)}
		if oneIn(t, 2, "expires") {
			hold.Expires = c.clock.now().Add(rapid.SampledFrom([]time.Duration{time.Minute, time.Hour, time.Minute, time.Microsecond, time.Minute, 0}).Draw(t, "in"))
		}
		return hold
	case "fly":
		debit, credit := c.pair(t, m)
		return ledger.Take{
			Reference: c.reference(t), Debit: debit, Credit: credit, Toward: c.toward(t, m), Amount: c.amount(t), Unreserved: true,
		}
	case "resolve":
		item := rapid.IntRange(0, len(m.items)+1).Draw(t, "item")
		return ledger.ResolveSuspense{Item: int64(item), Pay: rapid.Bool().Draw(t, "pay")}
	case "take":
		return c.take(t, m)
	case "draw":
		hold := c.hold(t, m, isReserved)
		return ledger.Draw{
			ID: c.transferID(t, m), Reference: hold.reference, Debit: hold.debit, Credit: hold.credit,
			To: c.to(t, m, hold.credit), Amount: c.upTo(t, m.holds[hold].reserved),
		}
	case "post":
		hold := c.hold(t, m, isInFlight)
		return ledger.Post{
			Reference: hold.reference, Debit: hold.debit, Credit: hold.credit,
			To: c.to(t, m, hold.credit), Amount: c.upTo(t, m.holds[hold].inFlight), Code: c.code(t),
		}
	case "release":
		hold := c.hold(t, m, isInFlight)
		return ledger.Release{Reference: hold.reference, Debit: hold.debit, Credit: hold.credit, Amount: c.upTo(t, m.holds[hold].inFlight)}
	default:
		hold := c.hold(t, m, canBeClosed)
		return ledger.CloseHold{Reference: hold.reference, Debit: hold.debit, Credit: hold.credit}
	}
}

// to is where a hold's money goes: mostly its credit account.
func (c *choices) to(t *rapid.T, m model, credit ledger.ID) ledger.ID {
	if oneIn(t, 3, "elsewhere") {
		return c.account(t, m, "to")
	}
	return credit
}

// empty returns the dollar accounts that could be closed if nothing is on its
// way to them.
func (c *choices) empty(m model) []ledger.ID {
	return slices.DeleteFunc(slices.Clone(c.accounts), func(id ledger.ID) bool {
		a, err := m.usable(id)
		return err != nil || a.Ledger != m.usd || a.DebitsPosted != a.CreditsPosted || a.DebitsPending > 0 || a.CreditsPending > 0
	})
}

// toward is any account, often one that only this keeps open.
func (c *choices) toward(t *rapid.T, m model) ledger.ID {
	if empty := c.empty(m); len(empty) > 0 && oneIn(t, 3, "empty") {
		return rapid.SampledFrom(empty).Draw(t, "toward")
	}
	return c.account(t, m, "toward")
}

func (c *choices) open(t *rapid.T, m model) ledger.Command {
	open := ledger.OpenAccount{
		ID:       rapid.SampledFrom(c.fresh).Draw(t, "account"),
		Ledger:   rapid.SampledFrom([]uint32{m.usd, m.usd, m.eur, 99}).Draw(t, "ledger"),
		Code:     rapid.SampledFrom([]uint16{ledger.CodePerson, ledger.CodePeer, ledger.CodeAuthority}).Draw(t, "code"),
		Limit:    rapid.SampledFrom([]uint64{0, 100, 1 << 63, math.MaxInt64}).Draw(t, "limit"),
		IfAbsent: rapid.Bool().Draw(t, "if absent"),
		UserData: ledger.ID{15: byte(rapid.IntRange(0, 1).Draw(t, "user data"))},
	}
	if a, known := m.accounts[open.ID]; known && !oneIn(t, 3, "as it comes") {
		open.Ledger, open.Code, open.UserData = a.Ledger, a.Code, a.UserData
	}
	return open
}

// take is mostly one that goes where the hold's other packets go.
func (c *choices) take(t *rapid.T, m model) ledger.Command {
	key := c.hold(t, m, canBeTaken)
	h := m.holds[key]
	take := ledger.Take{Reference: key.reference, Debit: key.debit, Credit: key.credit, Unreserved: h.unreserved}
	if take.Toward = h.toward; h.inFlight == 0 || oneIn(t, 5, "elsewhere") {
		take.Toward = c.toward(t, m)
	}
	if take.Amount = c.upTo(t, h.reserved); h.unreserved {
		take.Amount = c.amount(t)
	}
	if oneIn(t, 15, "other sort") {
		take.Unreserved = !take.Unreserved
	}
	return take
}

// spree raises a limit, uses it and lowers it again.
func (c *choices) spree(t *rapid.T, m model) ledger.Chain {
	debit, credit := c.pair(t, m)
	return ledger.Chain{
		ledger.SetLimit{ID: debit, Limit: 1000},
		ledger.Packet{Debit: debit, Credit: credit, Amount: rapid.Uint64Range(1, 1000).Draw(t, "amount")},
		ledger.SetLimit{ID: debit, Limit: m.accounts[debit].Limit},
	}
}

// errand has something in flight for a minute.
func (c *choices) errand(t *rapid.T, m model) ledger.Chain {
	debit, credit := c.pair(t, m)
	hold := ledger.OpenHold{Reference: c.id(), Debit: debit, Credit: credit, Amount: 30, Expires: c.clock.now().Add(time.Minute)}
	return ledger.Chain{hold, ledger.Take{
		Reference: hold.Reference, Debit: debit, Credit: credit, Toward: c.toward(t, m), Amount: rapid.Uint64Range(1, 30).Draw(t, "amount"),
	}}
}

func (c *choices) chain(t *rapid.T, m model) ledger.Chain {
	if len(c.chains) > 0 && oneIn(t, 12, "repeat") {
		return rapid.SampledFrom(c.chains).Draw(t, "chain")
	}
	var chain ledger.Chain
	for range rapid.SampledFrom([]int{1, 2, 1, 3, 5}).Draw(t, "commands") {
		commands := ledger.Chain{c.command(t, m)}
		if oneIn(t, 20, "spree") {
			commands = c.spree(t, m)
		} else if oneIn(t, 12, "errand") {
			commands = c.errand(t, m)
		}
		chain = append(chain, commands...)
		if next, err := m.submit(commands); err == nil {
			m = next // so that the next may build on it
		}
	}
	c.chains = append(c.chains, chain)
	return chain
}
