package ledger_test

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"pochi/db"
	"pochi/ledger"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"pgregory.net/rapid"
)

// model is the ledger in its plainest form: values in maps, copied for each
// chain, and unbounded integers.
type model struct {
	accounts  map[ledger.ID]ledger.Account
	holds     map[modelKey]modelHold
	transfers map[ledger.ID]modelTransfer
	notes     map[string]bool
}

type modelKey struct{ reference, debit, credit ledger.ID }

type modelHold struct {
	reserved, drawn, returned uint64
	closed                    bool
}

type modelTransfer struct {
	ledger.Transfer
	drawn bool
	hold  ledger.ID // its credit account
}

func (m model) clone() model {
	return model{maps.Clone(m.accounts), maps.Clone(m.holds), maps.Clone(m.transfers), maps.Clone(m.notes)}
}

// within tells whether the amounts add up to most, or less.
func within(most uint64, amounts ...uint64) bool {
	sum := new(big.Int)
	for _, amount := range amounts {
		sum.Add(sum, new(big.Int).SetUint64(amount))
	}
	return sum.Cmp(new(big.Int).SetUint64(most)) <= 0
}

// submit returns the state after a chain, or the error that it is refused with.
func (m model) submit(w *world, chain ledger.Chain) (model, error) {
	if err := m.repeated(chain); err != nil {
		return m, err
	}
	next := m.clone()
	for _, command := range chain {
		var err error
		switch c := command.(type) {
		case ledger.OpenAccount:
			err = next.openAccount(w, c)
		case ledger.CloseAccount:
			err = next.closeAccount(c)
		case ledger.SetLimit:
			err = next.setLimit(c)
		case ledger.Transfer:
			err = next.transfer(modelTransfer{Transfer: c}, true)
		case ledger.OpenHold:
			err = next.openHold(c)
		case ledger.Draw:
			err = next.draw(c)
		case ledger.CloseHold:
			err = next.closeHold(c)
		}
		if err != nil {
			return m, err
		}
	}
	return next, nil
}

func asTransfer(command ledger.Command) (modelTransfer, bool) {
	switch c := command.(type) {
	case ledger.Transfer:
		return modelTransfer{Transfer: c}, true
	case ledger.Draw:
		return modelTransfer{ledger.Transfer{
			ID: c.ID, Debit: c.Debit, Credit: c.To, Amount: c.Amount, Code: c.Code, Reference: c.Reference,
		}, true, c.Credit}, true
	default:
		return modelTransfer{}, false
	}
}

func (m model) repeated(chain ledger.Chain) error {
	seen, all := 0, 0
	for _, command := range chain {
		transfer, ok := asTransfer(command)
		if !ok {
			continue
		}
		all++
		before, known := m.transfers[transfer.ID]
		if known && before != transfer {
			return ledger.ErrExistsDifferent
		}
		if known {
			seen++
		}
	}
	switch {
	case seen == 0:
		return nil
	case seen == all:
		return ledger.ErrExists
	default:
		return ledger.ErrExistsDifferent
	}
}

func (m model) openAccount(w *world, c ledger.OpenAccount) error {
	_, taken := m.accounts[c.ID]
	switch {
	case taken:
		return ledger.ErrAccountExists
	case c.Limit > math.MaxInt64:
		return ledger.ErrAmount
	case c.Ledger != w.usd && c.Ledger != w.eur:
		return ledger.ErrLedgerUnknown
	}
	m.accounts[c.ID] = ledger.Account{ID: c.ID, Ledger: c.Ledger, Code: c.Code, Limit: c.Limit}
	return nil
}

func (m model) usable(id ledger.ID) (ledger.Account, error) {
	a, known := m.accounts[id]
	switch {
	case !known:
		return a, ledger.ErrAccountUnknown
	case a.Closed:
		return a, ledger.ErrAccountClosed
	}
	return a, nil
}

func (m model) closeAccount(c ledger.CloseAccount) error {
	a, err := m.usable(c.ID)
	if err != nil {
		return err
	}
	if a.DebitsPosted != a.CreditsPosted || a.DebitsPending > 0 || a.CreditsPending > 0 {
		return ledger.ErrNotEmpty
	}
	a.Closed = true
	m.accounts[c.ID] = a
	return nil
}

func (m model) setLimit(c ledger.SetLimit) error {
	if c.Limit > math.MaxInt64 {
		return ledger.ErrAmount
	}
	a, err := m.usable(c.ID)
	if err != nil {
		return err
	}
	a.Limit = c.Limit
	m.accounts[c.ID] = a
	return nil
}

func (m model) pair(debit, credit ledger.ID, amount uint64) (d, c ledger.Account, err error) {
	if amount == 0 || amount > math.MaxInt64 {
		return d, c, ledger.ErrAmount
	}
	if debit == credit {
		return d, c, ledger.ErrSameAccount
	}
	if d, err = m.usable(debit); err != nil {
		return d, c, err
	}
	if c, err = m.usable(credit); err != nil {
		return d, c, err
	}
	if d.Ledger != c.Ledger {
		return d, c, ledger.ErrLedgerMismatch
	}
	return d, c, nil
}

func (m model) transfer(t modelTransfer, limited bool) error {
	debit, credit, err := m.pair(t.Debit, t.Credit, t.Amount)
	_, twice := m.transfers[t.ID]
	switch {
	case err != nil:
		return err
	case limited && !within(debit.CreditsPosted+debit.Limit, debit.DebitsPosted, debit.DebitsPending, t.Amount):
		return ledger.ErrInsufficient
	case twice:
		return ledger.ErrExistsDifferent
	case !within(math.MaxInt64, debit.DebitsPosted, t.Amount), !within(math.MaxInt64, credit.CreditsPosted, t.Amount):
		return ledger.ErrOverflow
	}
	debit.DebitsPosted += t.Amount
	credit.CreditsPosted += t.Amount
	m.accounts[t.Debit], m.accounts[t.Credit], m.transfers[t.ID] = debit, credit, t
	return nil
}

func (m model) openHold(c ledger.OpenHold) error {
	debit, credit, err := m.pair(c.Debit, c.Credit, c.Amount)
	key := modelKey{c.Reference, c.Debit, c.Credit}
	_, known := m.holds[key]
	switch {
	case err != nil:
		return err
	case known:
		return ledger.ErrHoldExists
	case !within(debit.CreditsPosted+debit.Limit, debit.DebitsPosted, debit.DebitsPending, c.Amount):
		return ledger.ErrInsufficient
	case !within(math.MaxInt64, debit.DebitsPending, c.Amount), !within(math.MaxInt64, credit.CreditsPending, c.Amount):
		return ledger.ErrOverflow
	}
	m.holds[key] = modelHold{reserved: c.Amount}
	m.pend(key, c.Amount)
	return nil
}

// pend adds to what is pending between a hold's accounts; -amount takes away.
func (m model) pend(key modelKey, amount uint64) {
	debit, credit := m.accounts[key.debit], m.accounts[key.credit]
	debit.DebitsPending += amount
	credit.CreditsPending += amount
	m.accounts[key.debit], m.accounts[key.credit] = debit, credit
}

func (m model) draw(c ledger.Draw) error {
	if _, _, err := m.pair(c.Debit, c.To, c.Amount); err != nil {
		return err
	}
	key := modelKey{c.Reference, c.Debit, c.Credit}
	h, known := m.holds[key]
	if !known || h.closed {
		return ledger.ErrHoldUnknown
	}
	if h.reserved < c.Amount {
		return ledger.ErrHoldExceeded
	}
	h.reserved -= c.Amount
	h.drawn += c.Amount
	m.holds[key] = h
	m.pend(key, -c.Amount)
	transfer, _ := asTransfer(c)
	return m.transfer(transfer, false)
}

func (m model) closeHold(c ledger.CloseHold) error {
	key := modelKey{c.Reference, c.Debit, c.Credit}
	h, known := m.holds[key]
	if !known || h.closed {
		return ledger.ErrHoldUnknown
	}
	m.pend(key, -h.reserved)
	m.holds[key] = modelHold{drawn: h.drawn, returned: h.returned + h.reserved, closed: true}
	return nil
}

func (m model) equal(other model) bool {
	return maps.Equal(m.accounts, other.accounts) && maps.Equal(m.holds, other.holds) &&
		maps.Equal(m.transfers, other.transfers) && maps.Equal(m.notes, other.notes)
}

// lines is the state in an order that can be compared.
func (m model) lines() []string {
	var all []string
	for _, a := range m.accounts {
		all = append(all, fmt.Sprintf("account %+v", a))
	}
	for k, h := range m.holds {
		all = append(all, fmt.Sprintf("hold %+v %+v", k, h))
	}
	for _, t := range m.transfers {
		all = append(all, fmt.Sprintf("transfer %+v", t))
	}
	for n := range m.notes {
		all = append(all, "note "+n)
	}
	slices.Sort(all)
	return all
}

// stored reads the same from the database.
func (w *world) stored() model {
	w.t.Helper()
	m := newModel()
	w.each("SELECT id, ledger, code, debit_limit, debits_pending, debits_posted, credits_pending, credits_posted, closed FROM accounts",
		func(scan func(...any) error) error {
			var a ledger.Account
			err := scan(&a.ID, &a.Ledger, &a.Code, &a.Limit, &a.DebitsPending, &a.DebitsPosted, &a.CreditsPending, &a.CreditsPosted, &a.Closed)
			m.accounts[a.ID] = a
			return err
		})
	w.each("SELECT reference, debit, credit, reserved, drawn, returned, closed FROM holds", func(scan func(...any) error) error {
		var k modelKey
		var h modelHold
		err := scan(&k.reference, &k.debit, &k.credit, &h.reserved, &h.drawn, &h.returned, &h.closed)
		m.holds[k] = h
		return err
	})
	w.each("SELECT id, debit, credit, amount, code, reference, hold FROM transfers", func(scan func(...any) error) error {
		var t modelTransfer
		var hold uuid.NullUUID
		err := scan(&t.ID, &t.Debit, &t.Credit, &t.Amount, &t.Code, &t.Reference, &hold)
		t.drawn, t.hold = hold.Valid, hold.UUID
		m.transfers[t.ID] = t
		return err
	})
	w.each("SELECT note FROM notes", func(scan func(...any) error) error {
		var text string
		err := scan(&text)
		m.notes[text] = true
		return err
	})
	return m
}

func (w *world) each(query string, visit func(scan func(...any) error) error) {
	w.t.Helper()
	found, err := w.db.Read.Query(query)
	if err != nil {
		w.t.Fatalf("%s: %v", query, err)
	}
	defer found.Close()
	for found.Next() {
		if err := visit(found.Scan); err != nil {
			w.t.Fatalf("%s: %v", query, err)
		}
	}
	if err := found.Err(); err != nil {
		w.t.Fatalf("%s: %v", query, err)
	}
}

func newModel() model {
	return model{
		map[ledger.ID]ledger.Account{}, map[modelKey]modelHold{}, map[ledger.ID]modelTransfer{}, map[string]bool{},
	}
}

// choices are what commands are drawn from: few enough that they meet.
type choices struct {
	w        *world
	accounts []ledger.ID
	chains   []ledger.Chain // that were submitted before
	made     int
}

// id is a new one that a failing run repeats.
func (c *choices) id() ledger.ID {
	c.made++
	id := ledger.ID{6: 0x70, 8: 0x80}
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

// account is mostly an open dollar account.
func (c *choices) account(t *rapid.T, m model, name string) ledger.ID {
	if oneIn(t, 12, "any account") {
		return rapid.SampledFrom(c.accounts).Draw(t, name)
	}
	usable := slices.DeleteFunc(slices.Clone(c.accounts), func(id ledger.ID) bool {
		a, err := m.usable(id)
		return err != nil || a.Ledger != c.w.usd
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
	if used := sortedKeys(m.transfers, ledger.ID.String); len(used) > 0 && oneIn(t, 20, "used id") {
		return rapid.SampledFrom(used).Draw(t, "id")
	}
	return c.id()
}

// hold is mostly one that there was.
func (c *choices) hold(t *rapid.T, m model) modelKey {
	keys := sortedKeys(m.holds, func(k modelKey) string { // the open ones first
		return strconv.FormatBool(m.holds[k].closed) + string(k.reference[:]) + string(k.debit[:]) + string(k.credit[:])
	})
	if len(keys) > 0 && !oneIn(t, 20, "no hold") {
		return rapid.SampledFrom(keys).Draw(t, "hold")
	}
	debit, credit := c.pair(t, m)
	return modelKey{ledger.ID{}, debit, credit}
}

func sortedKeys[K comparable, V any](m map[K]V, name func(K) string) []K {
	return slices.SortedFunc(maps.Keys(m), func(a, b K) int { return strings.Compare(name(a), name(b)) })
}

func (c *choices) command(t *rapid.T, m model) ledger.Command {
	kinds := []string{"transfer", "hold", "transfer", "open", "close", "limit"}
	if len(m.holds) > 0 {
		kinds = append(kinds, "draw", "close hold", "draw", "hold")
	}
	switch rapid.SampledFrom(kinds).Draw(t, "kind") {
	case "open":
		return ledger.OpenAccount{
			ID:     rapid.SampledFrom(c.accounts[3:7]).Draw(t, "account"),
			Ledger: rapid.SampledFrom([]uint32{c.w.usd, c.w.usd, c.w.eur, 99}).Draw(t, "ledger"),
			Limit:  rapid.SampledFrom([]uint64{0, 100, 1 << 63, math.MaxInt64}).Draw(t, "limit"),
		}
	case "close":
		return ledger.CloseAccount{ID: rapid.SampledFrom(c.accounts).Draw(t, "account")}
	case "limit":
		return ledger.SetLimit{
			ID:    c.account(t, m, "account"),
			Limit: rapid.SampledFrom([]uint64{0, 40, 200, 0, 1 << 63, math.MaxInt64}).Draw(t, "limit"),
		}
	case "transfer":
		debit, credit := c.pair(t, m)
		reference := ledger.ID{}
		if oneIn(t, 4, "a hold's reference") {
			reference = c.hold(t, m).reference
		}
		return ledger.Transfer{ID: c.transferID(t, m), Debit: debit, Credit: credit, Amount: c.amount(t), Reference: reference}
	case "hold":
		debit, credit := c.pair(t, m)
		reference := ledger.ID{15: 1}
		if !oneIn(t, 3, "old reference") {
			reference = c.id()
		}
		return ledger.OpenHold{Reference: reference, Debit: debit, Credit: credit, Amount: c.amount(t)}
	case "draw":
		hold := c.hold(t, m)
		draw := ledger.Draw{
			ID: c.transferID(t, m), Reference: hold.reference, Debit: hold.debit, Credit: hold.credit,
			To: hold.credit, Amount: c.amount(t),
		}
		if oneIn(t, 2, "elsewhere") {
			draw.To = c.account(t, m, "to")
		}
		return draw
	default:
		hold := c.hold(t, m)
		return ledger.CloseHold{Reference: hold.reference, Debit: hold.debit, Credit: hold.credit}
	}
}

func (c *choices) chain(t *rapid.T, m model) ledger.Chain {
	if len(c.chains) > 0 && oneIn(t, 12, "repeat") {
		return rapid.SampledFrom(c.chains).Draw(t, "chain")
	}
	var chain ledger.Chain
	for range rapid.SampledFrom([]int{1, 2, 1, 3}).Draw(t, "commands") {
		command := c.command(t, m)
		chain = append(chain, command)
		if next, err := m.submit(c.w, ledger.Chain{command}); err == nil {
			m = next // so that the next may build on it
		}
	}
	c.chains = append(c.chains, chain)
	return chain
}

// batch submits some units in one batch and moves the model along.
func (c *choices) batch(t *rapid.T, m model) model {
	var units []unit
	var want []error
	for range rapid.IntRange(1, 6).Draw(t, "units") {
		u := unit{chain: c.chain(t, m)}
		var rowsErr error
		text := c.id().String()
		switch rapid.IntRange(0, 3).Draw(t, "rows") {
		case 0:
			u.rows = note(text)
		case 1:
			rowsErr = errOwn
			u.rows = func(tx db.Tx) error { return errors.Join(errOwn, note(text)(tx)) }
		}
		next, err := m.submit(c.w, u.chain)
		if err == nil {
			err = rowsErr
		}
		if err == nil {
			if m = next; u.rows != nil {
				m.notes[text] = true
			}
		}
		units, want = append(units, u), append(want, err)
	}
	got := c.w.together(units...)
	for i := range units {
		if !errors.Is(got[i], want[i]) {
			t.Fatalf("unit %d of the batch, %+v: got error %v, want %v", i, units[i].chain, got[i], want[i])
		}
	}
	return m
}

// The ledger does what the plain model does, command by command, across
// restarts, and Check agrees.
func TestModel(t *testing.T) {
	dir := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		path, err := os.MkdirTemp(dir, "run")
		if err != nil {
			t.Fatal(err)
		}
		w := newWorldAt(t, filepath.Join(path, "pochi.db"))
		defer func() { w.db.Close() }()
		c := &choices{w: w}
		house := ledger.HouseAccount(usd, ledger.CodeEquity)
		c.accounts = []ledger.ID{
			c.id(), c.id(), c.id(), ledger.HouseAccount(usd, ledger.CodeExchange), c.id(), ledger.HouseAccount(eur, ledger.CodeEquity),
			c.id(), house, c.id(),
		}
		var chain ledger.Chain
		for i, limit := range map[int]uint64{0: 0, 1: 0, 2: 500, 8: math.MaxInt64} { // 4 and 6 don't exist yet
			chain = append(chain, ledger.OpenAccount{ID: c.accounts[i], Ledger: w.usd, Code: ledger.CodePerson, Limit: limit},
				ledger.Transfer{ID: ledger.ID{0: byte(i) + 1}, Debit: house, Credit: c.accounts[i], Amount: 300})
		}
		w.do(chain...)
		m := w.stored()
		t.Repeat(map[string]func(*rapid.T){
			"batch": func(t *rapid.T) { m = c.batch(t, m) },
			"more":  func(t *rapid.T) { m = c.batch(t, m) }, // oftener than restarts
			"reopen": func(t *rapid.T) {
				w.reopen()
				w.clean()
			},
			"": func(t *rapid.T) {
				if stored := w.stored(); !m.equal(stored) {
					t.Fatalf("the ledger differs from the model: %s", cmp.Diff(m.lines(), stored.lines()))
				}
			},
		})
		w.clean()
	})
}
