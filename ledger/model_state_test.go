package ledger_test

import (
	"fmt"
	"maps"
	"math"
	"math/big"
	"slices"

	"pochi/ledger"
)

// model is the ledger in its plainest form: values in maps, copied for each
// chain, and sums that can't wrap. It shares nothing with the engine but the
// commands, the errors and the shape of an account.
type model struct {
	usd, eur uint32
	now      int64 // unix microseconds
	accounts map[ledger.ID]modelAccount
	holds    map[modelKey]modelHold
	named    map[ledger.ID]modelTransfer
	posted   []modelRow // packets one by one
	items    []modelItem
	notes    map[string]bool
}

type modelAccount struct {
	ledger.Account
	n       int64 // accounts are numbered as they are opened
	lowered bool  // its limit was set below what it owed, and it still owes more
}

type modelKey struct{ reference, debit, credit ledger.ID }

func (k modelKey) String() string {
	return fmt.Sprintf("%s from %s to %s", k.reference, k.debit, k.credit)
}

type modelHold struct {
	n                                   int64
	reserved, inFlight, drawn, returned uint64
	toward                              ledger.ID // while something is in flight
	expires                             int64
	unreserved, closed                  bool
}

// modelTransfer is what a command posts under an id.
type modelTransfer struct {
	ledger.Transfer
	drawn bool
	hold  ledger.ID // its credit account
}

// modelRow is a named transfer (0 packets), or a packet.
type modelRow struct {
	ledger.Transfer
	from    modelKey // the hold it was drawn from
	batch   int64    // 0 until it is known
	packets int64
}

type modelItem struct {
	reference, bearer, counterparty ledger.ID
	amount                          uint64
	batch                           int64
	together                        int64 // the first of those that are resolved with it
	state                           int
	resolvedNow                     bool // in the running batch
}

func newModel(w *world) model {
	return model{
		usd: w.usd, eur: w.eur,
		accounts: map[ledger.ID]modelAccount{}, holds: map[modelKey]modelHold{},
		named: map[ledger.ID]modelTransfer{}, notes: map[string]bool{},
	}
}

func (m model) clone() model {
	m.accounts, m.holds = maps.Clone(m.accounts), maps.Clone(m.holds)
	m.named, m.notes = maps.Clone(m.named), maps.Clone(m.notes)
	m.posted, m.items = slices.Clip(m.posted), slices.Clone(m.items)
	return m
}

// within tells whether the amounts add up to most, or less.
func within(most *big.Int, amounts ...uint64) bool { return sum(amounts...).Cmp(most) <= 0 }

func sum(amounts ...uint64) *big.Int {
	total := new(big.Int)
	for _, amount := range amounts {
		total.Add(total, new(big.Int).SetUint64(amount))
	}
	return total
}

var largest = big.NewInt(math.MaxInt64)

// affords tells whether an account may be debited.
func affords(a modelAccount, amount uint64) bool {
	return within(sum(a.CreditsPosted, a.Limit), a.DebitsPosted, a.DebitsPending, amount)
}

// submit returns the state after a chain, or the error that it is refused with.
func (m model) submit(chain ledger.Chain) (model, error) {
	if err := m.repeated(chain); err != nil {
		return m, err
	}
	next := m.clone()
	for _, command := range chain {
		if err := next.apply(command); err != nil {
			return m, err
		}
	}
	for key, before := range m.holds { // what expired while something was in flight ends with the chain that lands it
		if h := next.holds[key]; before.inFlight > 0 && h.inFlight == 0 && !h.closed && next.expired(h) {
			next.end(key)
		}
	}
	return next, nil
}

func (m *model) apply(command ledger.Command) error {
	switch c := command.(type) {
	case ledger.OpenAccount:
		return m.openAccount(c)
	case ledger.CloseAccount:
		return m.closeAccount(c)
	case ledger.SetLimit:
		return m.setLimit(c)
	case ledger.Transfer:
		return m.transfer(c)
	case ledger.OpenHold:
		return m.openHold(c)
	case ledger.Draw:
		return m.draw(c)
	case ledger.CloseHold:
		return m.closeHold(c)
	case ledger.Take:
		return m.take(c)
	case ledger.Post:
		return m.post(c)
	case ledger.Release:
		return m.release(c)
	case ledger.Packet:
		return m.packet(c)
	case ledger.ResolveSuspense:
		return m.resolve(c)
	}
	panic("a command that the model doesn't know")
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

func (m *model) repeated(chain ledger.Chain) error {
	seen, all := 0, 0
	for _, command := range chain {
		transfer, ok := asTransfer(command)
		if !ok {
			continue
		}
		all++
		before, known := m.named[transfer.ID]
		switch {
		case !known && !m.usableID(transfer.ID):
			return ledger.ErrID
		case known && before != transfer:
			return ledger.ErrExistsDifferent
		case known:
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

// usableID tells a UUIDv7 that is at most an hour ahead.
func (m *model) usableID(id ledger.ID) bool {
	var milliseconds int64
	for _, b := range id[:6] {
		milliseconds = milliseconds<<8 + int64(b)
	}
	return id[6]>>4 == 7 && milliseconds <= m.now/1000+3_600_000
}

func (m *model) openAccount(c ledger.OpenAccount) error {
	a, taken := m.accounts[c.ID]
	same := a.Ledger == c.Ledger && a.Code == c.Code && a.UserData == c.UserData
	switch {
	case taken && c.IfAbsent && same && a.Closed:
		return ledger.ErrAccountClosed
	case taken && c.IfAbsent && same:
		return m.setLimit(ledger.SetLimit{ID: c.ID, Limit: min(a.Limit, c.Limit)})
	case taken:
		return ledger.ErrAccountExists
	case c.Limit > math.MaxInt64:
		return ledger.ErrAmount
	case c.Ledger != m.usd && c.Ledger != m.eur:
		return ledger.ErrLedgerUnknown
	}
	m.accounts[c.ID] = modelAccount{n: int64(len(m.accounts) + 1), Account: ledger.Account{
		ID: c.ID, Ledger: c.Ledger, Code: c.Code, UserData: c.UserData, Limit: c.Limit,
	}}
	return nil
}

func (m *model) usable(id ledger.ID) (modelAccount, error) {
	a, known := m.accounts[id]
	switch {
	case !known:
		return a, ledger.ErrAccountUnknown
	case a.Closed:
		return a, ledger.ErrAccountClosed
	}
	return a, nil
}

// awaited tells whether something on its way, or in suspense, may come to an
// account.
func (m *model) awaited(id ledger.ID) bool {
	for _, h := range m.holds {
		if h.inFlight > 0 && h.toward == id {
			return true
		}
	}
	return slices.ContainsFunc(m.items, func(i modelItem) bool {
		return (i.state == 0 || i.resolvedNow) && (i.bearer == id || i.counterparty == id)
	})
}

func (m *model) closeAccount(c ledger.CloseAccount) error {
	a, err := m.usable(c.ID)
	if err != nil {
		return err
	}
	switch a.Code {
	case ledger.CodeExchange, ledger.CodeEquity, ledger.CodeOutgoing, ledger.CodeSuspense, ledger.CodeUsed:
		return ledger.ErrHouseAccount
	}
	if m.awaited(c.ID) || a.DebitsPosted != a.CreditsPosted || a.DebitsPending > 0 || a.CreditsPending > 0 {
		return ledger.ErrNotEmpty
	}
	a.Closed = true
	m.accounts[c.ID] = a
	return nil
}

func (m *model) setLimit(c ledger.SetLimit) error {
	if c.Limit > math.MaxInt64 {
		return ledger.ErrAmount
	}
	a, err := m.usable(c.ID)
	if err != nil {
		return err
	}
	a.Limit = c.Limit
	a.lowered = a.lowered || !affords(a, 0)
	m.accounts[c.ID] = a
	return nil
}

func (m *model) pair(debit, credit ledger.ID, amount uint64) (d, c modelAccount, err error) {
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
	switch {
	case d.Ledger != c.Ledger:
		return d, c, ledger.ErrLedgerMismatch
	case d.Code == ledger.CodeSuspense || c.Code == ledger.CodeSuspense:
		return d, c, ledger.ErrSuspenseAccount
	}
	return d, c, nil
}

// flying sums up what is in flight toward an account.
func (m *model) flying(id ledger.ID) *big.Int {
	total := new(big.Int)
	for _, h := range m.holds {
		if h.inFlight > 0 && h.toward == id {
			total.Add(total, sum(h.inFlight))
		}
	}
	return total
}

// hasRoom tells whether an account can be credited, beside what is in flight
// toward it.
func (m *model) hasRoom(credit modelAccount, amount uint64) bool {
	total := sum(credit.CreditsPosted, amount)
	return total.Add(total, m.flying(credit.ID)).Cmp(largest) <= 0
}

// enter posts a row that was checked.
func (m *model) enter(row modelRow) error {
	debit, credit := m.accounts[row.Debit], m.accounts[row.Credit]
	if !within(largest, debit.DebitsPosted, debit.DebitsPending, row.Amount) || !m.hasRoom(credit, row.Amount) {
		return ledger.ErrOverflow
	}
	debit.DebitsPosted += row.Amount
	credit.CreditsPosted += row.Amount
	m.accounts[row.Debit], m.accounts[row.Credit] = debit, credit
	m.posted = append(m.posted, row)
	return nil
}

// name enters a row under its id.
func (m *model) name(t modelTransfer, from modelKey) error {
	if _, twice := m.named[t.ID]; twice {
		return ledger.ErrExistsDifferent
	}
	m.named[t.ID] = t
	return m.enter(modelRow{Transfer: t.Transfer, from: from})
}

func (m *model) transfer(c ledger.Transfer) error {
	debit, _, err := m.pair(c.Debit, c.Credit, c.Amount)
	if err != nil {
		return err
	}
	if !affords(debit, c.Amount) {
		return ledger.ErrInsufficient
	}
	return m.name(modelTransfer{Transfer: c}, modelKey{})
}

func (m *model) packet(c ledger.Packet) error {
	debit, _, err := m.pair(c.Debit, c.Credit, c.Amount)
	if err != nil {
		return err
	}
	if !affords(debit, c.Amount) {
		return ledger.ErrInsufficient
	}
	return m.enter(modelRow{packets: 1, Transfer: ledger.Transfer{
		Debit: c.Debit, Credit: c.Credit, Amount: c.Amount, Code: c.Code, Reference: c.Reference,
	}})
}

func (m *model) openHold(c ledger.OpenHold) error {
	debit, credit, err := m.pair(c.Debit, c.Credit, c.Amount)
	if err != nil {
		return err
	}
	key := modelKey{c.Reference, c.Debit, c.Credit}
	h := modelHold{n: int64(len(m.holds) + 1), reserved: c.Amount}
	if !c.Expires.IsZero() {
		h.expires = c.Expires.UnixMicro()
	}
	_, known := m.holds[key]
	switch {
	case known:
		return ledger.ErrHoldExists
	case !affords(debit, c.Amount):
		return ledger.ErrInsufficient
	case m.expired(h):
		return ledger.ErrHoldExpired
	}
	m.holds[key] = h
	return m.pend(debit, credit, c.Amount)
}

func (m *model) expired(h modelHold) bool { return h.expires != 0 && h.expires <= m.now }

// pend adds to what is pending between two accounts.
func (m *model) pend(debit, credit modelAccount, amount uint64) error {
	if !within(largest, debit.DebitsPosted, debit.DebitsPending, amount) || !within(largest, credit.CreditsPending, amount) {
		return ledger.ErrOverflow
	}
	debit.DebitsPending += amount
	credit.CreditsPending += amount
	m.accounts[debit.ID], m.accounts[credit.ID] = debit, credit
	return nil
}

// unpend takes off what a hold held.
func (m *model) unpend(key modelKey, amount uint64) {
	debit, credit := m.accounts[key.debit], m.accounts[key.credit]
	debit.DebitsPending -= amount
	credit.CreditsPending -= amount
	m.accounts[key.debit], m.accounts[key.credit] = debit, credit
}

// open returns a hold that isn't closed.
func (m *model) open(key modelKey) (modelHold, error) {
	h, known := m.holds[key]
	if !known || h.closed {
		return h, ledger.ErrHoldUnknown
	}
	return h, nil
}

func (m *model) draw(c ledger.Draw) error {
	if _, _, err := m.pair(c.Debit, c.To, c.Amount); err != nil {
		return err
	}
	key := modelKey{c.Reference, c.Debit, c.Credit}
	h, err := m.open(key)
	switch {
	case err != nil:
		return err
	case m.expired(h):
		return ledger.ErrHoldExpired
	case h.reserved < c.Amount:
		return ledger.ErrHoldExceeded
	}
	h.reserved -= c.Amount
	h.drawn += c.Amount
	m.holds[key] = h
	m.unpend(key, c.Amount)
	transfer, _ := asTransfer(c)
	return m.name(transfer, key)
}

func (m *model) closeHold(c ledger.CloseHold) error {
	key := modelKey{c.Reference, c.Debit, c.Credit}
	if h := m.holds[key]; h.closed && m.expired(h) {
		return nil
	}
	h, err := m.open(key)
	switch {
	case err != nil:
		return err
	case h.inFlight > 0:
		return ledger.ErrHoldInFlight
	}
	m.end(key)
	return nil
}

// end returns what a hold has left.
func (m *model) end(key modelKey) {
	h := m.holds[key]
	m.unpend(key, h.reserved)
	h.returned += h.reserved
	h.reserved, h.closed = 0, true
	m.holds[key] = h
}

// endExpired ends the holds whose time is over and that have nothing in flight.
func (m *model) endExpired() {
	for key, h := range m.holds {
		if !h.closed && m.expired(h) && h.inFlight == 0 {
			m.end(key)
		}
	}
}

func (m *model) take(c ledger.Take) error {
	debit, credit, err := m.pair(c.Debit, c.Credit, c.Amount)
	if err != nil {
		return err
	}
	toward, err := m.usable(c.Toward)
	if err != nil {
		return err
	}
	if toward.Ledger != debit.Ledger {
		return ledger.ErrLedgerMismatch
	}
	if toward.Code == ledger.CodeSuspense {
		return ledger.ErrSuspenseAccount
	}
	key := modelKey{c.Reference, c.Debit, c.Credit}
	h, known := m.holds[key]
	if !known && c.Unreserved {
		h = modelHold{n: int64(len(m.holds) + 1), unreserved: true}
		known = true
	}
	switch {
	case !known || h.closed:
		return ledger.ErrHoldUnknown
	case m.expired(h):
		return ledger.ErrHoldExpired
	case h.unreserved != c.Unreserved:
		return ledger.ErrHoldExists
	case !c.Unreserved && h.reserved < c.Amount:
		return ledger.ErrHoldExceeded
	case c.Unreserved && !affords(debit, c.Amount):
		return ledger.ErrInsufficient
	case !within(largest, h.drawn, h.inFlight, c.Amount):
		return ledger.ErrOverflow
	case h.inFlight > 0 && h.toward != c.Toward:
		return ledger.ErrHoldToward
	case !m.hasRoom(toward, c.Amount):
		return ledger.ErrOverflow
	}
	h.inFlight += c.Amount
	h.toward = c.Toward
	if c.Unreserved {
		m.holds[key] = h
		return m.pend(debit, credit, c.Amount)
	}
	h.reserved -= c.Amount
	m.holds[key] = h
	return nil
}

// land takes an amount out of flight that came to its end.
func (m *model) land(key modelKey, amount uint64) {
	h := m.holds[key]
	h.inFlight -= amount
	if h.inFlight == 0 {
		h.toward = ledger.ID{}
	}
	m.holds[key] = h
}

// deliver posts what is in flight.
func (m *model) deliver(key modelKey, to ledger.ID, amount uint64, code uint16) error {
	m.land(key, amount)
	h := m.holds[key]
	h.drawn += amount
	m.holds[key] = h
	m.unpend(key, amount)
	return m.enter(modelRow{packets: 1, from: key, Transfer: ledger.Transfer{
		Debit: key.debit, Credit: to, Amount: amount, Code: code, Reference: key.reference,
	}})
}

// giveBack undoes what was taken.
func (m *model) giveBack(key modelKey, amount uint64) {
	m.land(key, amount)
	h := m.holds[key]
	if h.unreserved {
		m.unpend(key, amount)
		return
	}
	h.reserved += amount
	m.holds[key] = h
}

func (m *model) post(c ledger.Post) error {
	if _, _, err := m.pair(c.Debit, c.To, c.Amount); err != nil {
		return err
	}
	key := modelKey{c.Reference, c.Debit, c.Credit}
	h, err := m.open(key)
	if err != nil {
		return err
	}
	if h.inFlight < c.Amount {
		return ledger.ErrHoldExceeded
	}
	return m.deliver(key, c.To, c.Amount, c.Code)
}

func (m *model) release(c ledger.Release) error {
	if c.Amount == 0 || c.Amount > math.MaxInt64 {
		return ledger.ErrAmount
	}
	key := modelKey{c.Reference, c.Debit, c.Credit}
	h, err := m.open(key)
	if err != nil {
		return err
	}
	if h.inFlight < c.Amount {
		return ledger.ErrHoldExceeded
	}
	m.giveBack(key, c.Amount)
	return nil
}

func (m *model) resolve(c ledger.ResolveSuspense) error {
	if c.Item < 1 || c.Item > int64(len(m.items)) {
		return ledger.ErrSuspenseUnknown
	}
	named := m.items[c.Item-1]
	for n, i := range m.items {
		if i.together != named.together {
			continue
		}
		if i.state != 0 {
			return ledger.ErrSuspenseResolved
		}
		to := i.bearer
		i.state, i.resolvedNow = 1, true
		if c.Pay {
			to, i.state = i.counterparty, 2
		}
		m.items[n] = i
		if err := m.enter(m.waiting(i, m.suspense(i), to)); err != nil {
			return err
		}
	}
	return nil
}

// suspense returns the account on which an item waits.
func (m *model) suspense(i modelItem) ledger.ID {
	if m.accounts[i.bearer].Ledger == m.eur {
		return ledger.HouseAccount(eur, ledger.CodeSuspense)
	}
	return ledger.HouseAccount(usd, ledger.CodeSuspense)
}

// waiting is how an item comes into suspense, and out of it.
func (m *model) waiting(i modelItem, debit, credit ledger.ID) modelRow {
	return modelRow{packets: 1, Transfer: ledger.Transfer{
		Debit: debit, Credit: credit, Amount: i.amount, Code: ledger.CodeSuspended, Reference: i.reference,
	}}
}

// restart is what a start makes of the holds with something in flight. It
// returns an error where a total would exceed 2^63-1.
func (m model) restart() (model, error) {
	next := m.clone()
	keys := slices.SortedFunc(maps.Keys(m.holds), func(a, b modelKey) int { return int(m.holds[a].n - m.holds[b].n) })
	had := len(m.items)
	for _, key := range keys {
		if h := m.holds[key]; h.inFlight > 0 {
			if err := next.recover(key, h); err != nil {
				return m, err
			}
		}
	}
	for n := had; n < len(next.items); n++ {
		next.items[n].together = int64(m.first(next.items, had, n) + 1)
	}
	return next, nil
}

// first returns the place of the first item that one of a recovery is resolved
// with: itself, unless one peer only can tell about all with its reference.
func (m *model) first(items []modelItem, had, n int) int {
	peers := map[ledger.ID]bool{}
	for key, h := range m.holds {
		if h.inFlight > 0 && key.reference == items[n].reference && m.accounts[h.toward].Code == ledger.CodePeer {
			peers[h.toward] = true
		}
	}
	if len(peers) != 1 || items[n].reference == (ledger.ID{}) {
		return n
	}
	return had + slices.IndexFunc(items[had:], func(i modelItem) bool { return i.reference == items[n].reference })
}

func (m *model) recover(key modelKey, h modelHold) error {
	equity := ledger.HouseAccount(usd, ledger.CodeEquity)
	if m.accounts[key.debit].Ledger == m.eur {
		equity = ledger.HouseAccount(eur, ledger.CodeEquity)
	}
	item := modelItem{reference: key.reference, bearer: key.debit, counterparty: h.toward, amount: h.inFlight}
	switch m.accounts[key.debit].Code {
	case ledger.CodeAuthority, ledger.CodeCap:
		return m.deliver(key, key.credit, h.inFlight, ledger.CodeSuspended)
	case ledger.CodePeer:
		m.giveBack(key, h.inFlight)
		if m.accounts[h.toward].Code != ledger.CodePeer {
			return nil
		}
		item.bearer = equity
		if err := m.suspend(item); err != nil {
			return err
		}
		if a := m.accounts[equity]; !affords(a, item.amount) { // it is lost, whatever the limit was
			limit := sum(a.DebitsPosted, a.DebitsPending, item.amount)
			if limit.Sub(limit, sum(a.CreditsPosted)); limit.Cmp(largest) > 0 {
				return ledger.ErrOverflow
			}
			a.Limit = limit.Uint64()
			m.accounts[equity] = a
		}
		return m.enter(m.waiting(item, equity, m.suspense(item)))
	}
	if err := m.suspend(item); err != nil {
		return err
	}
	return m.deliver(key, m.suspense(item), h.inFlight, ledger.CodeSuspended)
}

// suspend notes an item, and opens the account for it.
func (m *model) suspend(i modelItem) error {
	m.items = append(m.items, i)
	return m.openAccount(ledger.OpenAccount{
		ID: m.suspense(i), Ledger: m.accounts[i.bearer].Ledger, Code: ledger.CodeSuspense, IfAbsent: true,
	})
}

// settle is told the number of the batch that wrote what is new.
func (m *model) settle(batch int64) {
	m.posted, m.items = slices.Clone(m.posted), slices.Clone(m.items)
	for i := range m.posted {
		if m.posted[i].batch == 0 {
			m.posted[i].batch = batch
		}
	}
	for i := range m.items {
		if m.items[i].batch == 0 {
			m.items[i].batch = batch
		}
		m.items[i].resolvedNow = false
	}
	for id, a := range m.accounts {
		a.lowered = a.lowered && !affords(a, 0)
		m.accounts[id] = a
	}
}
