package ledger

import (
	"errors"
	"fmt"
	"math"
	"time"
)

// mirror is the ledger made again from nothing but log and transfers, apart from
// the engine that wrote them: it judges by rules of its own. Accounts and holds
// have the numbers that follow from the order in which they were opened.
//
// What holds took into flight is logged at a batch's end, after transfers that
// may rest on it: in between, amounts of a hold and pending totals may lie below
// zero. They wrap around, and are judged at the end of the batch.
type mirror struct {
	batch    int64 // that is being replayed
	at       int64 // its time
	passed   int64 // a time that had passed when it was applied, 0 for unknown
	assets   map[uint32]Asset
	accounts []*mirrorAccount // number n is at n-1
	byID     map[ID]int64
	holds    map[int64]*mirrorHold // the open ones, by number, but for those in idle
	idle     map[int64]idleHold
	byKey    map[mirrorKey]int64 // of those in holds
	lastHold int64
	items    []mirrorItem     // of suspense, number n is at n-1
	inDoubt  map[uint32]int64 // what the open items of a ledger come to

	closed  func(n int64, h *mirrorHold) (keep bool) // called when a hold closes
	settled func(Resolved)                           // called when an item of suspense ends

	// What the current batch touched.
	touched      []*mirrorAccount
	spans        []mirrorSpan
	touchedHolds []touchedHold
	doubts       map[uint32]bool // ledgers whose items changed
	// What the entries of suspense say that moves between two accounts, less what
	// the transfers moved; and what they say that a counterparty would have got
	// from its debit account's holds, less what left those.
	owedMoves, owedHeld map[suspenseMove]int64
}

// mirrorSpan is an account's way through a batch.
type mirrorSpan struct {
	debits uint64 // before it, pending ones included
	limit  uint64 // the highest that was in force at the last placed debit, if there was one, or later
	placed bool   // there was a debit whose place in the batch is known
}

type touchedHold struct {
	*mirrorHold
	toward int64 // before the batch
}

type suspenseMove struct {
	debit, credit int64
	reference     ID
}

type mirrorAccount struct {
	Account
	n    int64
	span int // its place in spans, from 1; 0 when the batch didn't touch it
}

type mirrorKey struct {
	reference     ID
	debit, credit int64
}

func (k mirrorKey) String() string {
	return fmt.Sprintf("hold %s from account %d to %d", k.reference, k.debit, k.credit)
}

type mirrorHold struct {
	n   int64
	key mirrorKey
	holdState
	touched int // its place in touchedHolds, from 1; 0 when the batch didn't touch it
}

// idleHold is what a hold without a reservation is kept as while nothing of it
// is in flight: such holds stay open for ever. Its other amounts are zero.
type idleHold struct {
	reference     ID
	debit, credit uint32
	drawn         int64
}

// holdState is what may differ between a hold and its row.
type holdState struct {
	reserved, inFlight, drawn, returned int64
	toward, expires                     int64
	unreserved, closed                  bool
}

type mirrorItem struct {
	reference            ID
	bearer, counterparty int64
	amount               uint64
	batch                int64
	together             int64 // the number of the first of those that are resolved together
	state                suspenseState
}

func newMirror() *mirror {
	return &mirror{
		assets: map[uint32]Asset{}, byID: map[ID]int64{}, holds: map[int64]*mirrorHold{}, byKey: map[mirrorKey]int64{},
		idle: map[int64]idleHold{}, inDoubt: map[uint32]int64{}, doubts: map[uint32]bool{},
		owedMoves: map[suspenseMove]int64{}, owedHeld: map[suspenseMove]int64{},
		closed:  func(int64, *mirrorHold) bool { return false },
		settled: func(Resolved) {},
	}
}

// Why an entry or a transfer could not have been accepted.
var (
	errTwice    = errors.New("it was there before")
	errNothing  = errors.New("it names what is not there, or is closed")
	errAmount   = errors.New("its amount does not fit")
	errNotEmpty = errors.New("it was not empty")
	errLate     = errors.New("its hold had expired")
)

// slowest is how long the writer may take to apply a batch.
const slowest = time.Minute

// begin starts a batch. Its time is the clock's when it was written, a little
// after its commands were judged; or just after the batch before when the clock
// was set back, and then it says nothing of the clock. So a time has surely
// passed that is not after the batch before, and slowest before this one, if the
// clock gave this one its time: which can't be told where batches in between did
// not concern the ledger.
func (m *mirror) begin(batch, at int64) {
	m.passed = 0
	if batch == m.batch+1 && at > m.at+1 {
		m.passed = min(m.at, at-slowest.Microseconds())
	}
	m.batch, m.at = batch, at
}

func (m *mirror) late(expires int64) bool { return expires > 0 && expires <= m.passed }

// account returns the account with a number, nil for none.
func (m *mirror) account(n int64) *mirrorAccount {
	if n < 1 || n > int64(len(m.accounts)) {
		return nil
	}
	return m.accounts[n-1]
}

// idOf returns the id of the account with a number, zero for none.
func (m *mirror) idOf(n int64) ID {
	if a := m.account(n); a != nil {
		return a.ID
	}
	return ID{}
}

// open returns an open account that the batch is about to change.
func (m *mirror) open(n int64) (*mirrorAccount, error) {
	a := m.account(n)
	if a == nil || a.Closed {
		return nil, errNothing
	}
	m.touch(a)
	return a, nil
}

// touch remembers what an account was before the batch.
func (m *mirror) touch(a *mirrorAccount) {
	if a.span == 0 {
		m.touched = append(m.touched, a)
		m.spans = append(m.spans, mirrorSpan{debits: a.DebitsPosted + a.DebitsPending, limit: a.Limit})
		a.span = len(m.spans)
	}
}

// debited notes that a limit allowed a debit just now. Later ones may be out of
// sight: packets are written after all else, and what was taken and came back in
// one batch isn't at all.
func (m *mirror) debited(a *mirrorAccount) {
	s := &m.spans[a.span-1]
	s.limit, s.placed = a.Limit, true
}

func (m *mirror) touchHold(h *mirrorHold) {
	if h.touched == 0 {
		m.touchedHolds = append(m.touchedHolds, touchedHold{h, h.toward})
		h.touched = len(m.touchedHolds)
	}
}

// hold returns an open hold that the batch is about to change, nil for none.
func (m *mirror) hold(n int64) *mirrorHold {
	h := m.look(n)
	if h == nil || h.closed {
		return nil
	}
	if _, slept := m.idle[n]; slept {
		delete(m.idle, n)
		m.holds[n], m.byKey[h.key] = h, n
	}
	m.touchHold(h)
	return h
}

// look returns a hold to look at, nil for none.
func (m *mirror) look(n int64) *mirrorHold {
	if i, idle := m.idle[n]; idle {
		key := mirrorKey{i.reference, int64(i.debit), int64(i.credit)}
		return &mirrorHold{n: n, key: key, holdState: holdState{drawn: i.drawn, unreserved: true}}
	}
	return m.holds[n]
}

// rest keeps less of a hold that has nothing in flight. That its key may not come
// again only its row's UNIQUE constraint remembers, as of those that are closed.
func (m *mirror) rest(h *mirrorHold) {
	i := idleHold{h.key.reference, uint32(h.key.debit), uint32(h.key.credit), h.drawn}
	fits := mirrorKey{i.reference, int64(i.debit), int64(i.credit)} == h.key
	if !fits || h.holdState != (holdState{drawn: h.drawn, unreserved: true}) {
		return
	}
	m.idle[h.n] = i
	delete(m.holds, h.n)
	if m.byKey[h.key] == h.n {
		delete(m.byKey, h.key)
	}
}

// between returns the two accounts of a movement on one ledger.
func (m *mirror) between(debitN, creditN int64) (debit, credit *mirrorAccount, err error) {
	if debit, err = m.open(debitN); err != nil {
		return nil, nil, err
	}
	if credit, err = m.open(creditN); err != nil {
		return nil, nil, err
	}
	if debit == credit || debit.Ledger != credit.Ledger {
		return nil, nil, errNothing
	}
	return debit, credit, nil
}

func (m *mirror) keyOf(k holdKey) mirrorKey {
	return mirrorKey{k.reference, m.byID[k.debit], m.byID[k.credit]}
}

func (e assetOpened) replay(m *mirror) error {
	if _, taken := m.assets[e.ledger]; taken {
		return errTwice
	}
	for _, asset := range m.assets {
		if asset == e.asset {
			return errTwice
		}
	}
	m.assets[e.ledger] = e.asset
	return nil
}

func (e accountOpened) replay(m *mirror) error {
	if _, taken := m.byID[e.id]; taken {
		return errTwice
	}
	if _, known := m.assets[e.ledger]; !known {
		return errNothing
	}
	a := &mirrorAccount{Account: Account{ID: e.id, Ledger: e.ledger, Code: e.code, UserData: e.data, Limit: e.limit}}
	m.accounts = append(m.accounts, a)
	a.n = int64(len(m.accounts))
	m.byID[e.id] = a.n
	m.touch(a)
	if e.limit > AmountMax {
		return errAmount
	}
	return nil
}

func (e accountClosed) replay(m *mirror) error {
	a, err := m.open(m.byID[e.id])
	if err != nil {
		return err
	}
	a.Closed = true
	if holdsMoney(a.Account) {
		return errNotEmpty
	}
	return nil
}

func holdsMoney(a Account) bool {
	return a.DebitsPosted != a.CreditsPosted || a.DebitsPending != 0 || a.CreditsPending != 0
}

func (e limitSet) replay(m *mirror) error {
	a, err := m.open(m.byID[e.id])
	if err != nil {
		return err
	}
	s := &m.spans[a.span-1]
	s.limit, a.Limit = max(s.limit, e.limit), e.limit
	if e.limit > AmountMax {
		return errAmount
	}
	return nil
}

func (e holdOpened) replay(m *mirror) error {
	h, err := m.openHold(e.key)
	if err != nil {
		return err
	}
	h.reserved, h.expires = int64(e.amount), e.expires
	m.pend(h, h.reserved)
	m.debited(m.account(h.key.debit))
	switch {
	case e.amount == 0 || e.amount > AmountMax || e.expires < 0:
		return errAmount
	case m.late(e.expires):
		return errLate
	}
	return nil
}

func (e unreservedOpened) replay(m *mirror) error {
	h, err := m.openHold(e.key)
	if err != nil {
		return err
	}
	h.unreserved = true
	return nil
}

// openHold gives a hold its number. One that is closed may not come again either,
// but only its row's UNIQUE constraint remembers.
func (m *mirror) openHold(k holdKey) (*mirrorHold, error) {
	key := m.keyOf(k)
	if _, _, err := m.between(key.debit, key.credit); err != nil {
		return nil, err
	}
	if _, taken := m.byKey[key]; taken {
		return nil, errTwice
	}
	m.lastHold++
	h := &mirrorHold{n: m.lastHold, key: key}
	m.holds[h.n], m.byKey[key] = h, h.n
	m.touchHold(h)
	return h, nil
}

// pend moves the pending totals of a hold's accounts, which may be closed when
// all was drawn.
func (m *mirror) pend(h *mirrorHold, amount int64) {
	debit, credit := m.account(h.key.debit), m.account(h.key.credit)
	m.touch(debit)
	m.touch(credit)
	debit.DebitsPending += uint64(amount)
	credit.CreditsPending += uint64(amount)
}

func (e holdClosed) replay(m *mirror) error {
	key := m.keyOf(e.key)
	h := m.holds[m.byKey[key]]
	if h == nil || h.closed {
		return errNothing
	}
	m.touchHold(h)
	m.pend(h, -h.reserved)
	fits := uint64(h.reserved) == e.returned && h.inFlight == 0 && !h.unreserved
	h.returned += int64(e.returned)
	h.reserved, h.inFlight, h.toward, h.closed = 0, 0, 0, true
	delete(m.byKey, key)
	if !m.closed(h.n, h) {
		delete(m.holds, h.n)
	}
	if !fits {
		return errAmount
	}
	return nil
}

func (e holdsMoved) replay(m *mirror) (late error) {
	for _, moved := range e {
		h := m.hold(moved.hold)
		if h == nil {
			return errNothing
		}
		if moved.net > 0 && m.late(h.expires) {
			late = errLate
		}
		h.inFlight += moved.net
		if h.unreserved {
			m.pend(h, moved.net)
		} else {
			h.reserved -= moved.net
		}
		h.toward = 0
		if moved.toward == 0 {
			continue
		}
		toward := m.account(moved.toward)
		if toward == nil || toward.Closed || toward.Ledger != m.account(h.key.debit).Ledger {
			return errNothing
		}
		h.toward = moved.toward
	}
	return late
}

func (e suspended) replay(m *mirror) error {
	bearer, counterparty := m.account(m.byID[e.bearer]), m.account(m.byID[e.counterparty])
	if bearer == nil || counterparty == nil || bearer.Ledger != counterparty.Ledger {
		return errNothing
	}
	m.items = append(m.items, mirrorItem{
		reference: e.reference, bearer: bearer.n, counterparty: counterparty.n, amount: e.amount, batch: m.batch, together: e.together,
	})
	m.inDoubt[bearer.Ledger] += int64(e.amount)
	m.doubts[bearer.Ledger] = true
	m.owedMoves[suspenseMove{bearer.n, m.suspenseOf(bearer.Ledger), e.reference}] += int64(e.amount)
	m.owedHeld[suspenseMove{bearer.n, counterparty.n, e.reference}] += int64(e.amount)
	if e.together < 1 || e.together > int64(len(m.items)) {
		return errNothing
	}
	if first := m.items[e.together-1]; first.together != e.together || first.reference != e.reference || first.batch != m.batch {
		return errNothing
	}
	if e.amount == 0 || e.amount > AmountMax {
		return errAmount
	}
	return nil
}

func (e resolved) replay(m *mirror) error {
	if e.item < 1 || e.item > int64(len(m.items)) {
		return errNothing
	}
	i := &m.items[e.item-1]
	if i.state != suspenseOpen || e.state != suspenseReleased && e.state != suspensePaid {
		return errNothing
	}
	i.state = e.state
	bearer, to := m.account(i.bearer), i.bearer
	if e.state == suspensePaid {
		to = i.counterparty
	}
	m.inDoubt[bearer.Ledger] -= int64(i.amount)
	m.doubts[bearer.Ledger] = true
	m.owedMoves[suspenseMove{m.suspenseOf(bearer.Ledger), to, i.reference}] += int64(i.amount)
	m.settled(Resolved{
		Reference: i.reference, Bearer: i.bearer, BearerCode: bearer.Code, Amount: i.amount, Paid: e.state == suspensePaid,
	})
	return nil
}

// post replays a transfer. Its totals move whatever hold it names, so that one
// change is not named twice.
func (m *mirror) post(t *transferRow) (debit, credit *mirrorAccount, err error) {
	if debit, credit, err = m.between(t.debit, t.credit); err != nil {
		return nil, nil, err
	}
	tooMuch := t.amount == 0 || t.amount > AmountMax-debit.DebitsPosted || t.amount > AmountMax-credit.CreditsPosted
	debit.DebitsPosted += t.amount
	credit.CreditsPosted += t.amount
	if debit.Code == CodeSuspense || credit.Code == CodeSuspense {
		m.owedMoves[suspenseMove{debit.n, credit.n, t.reference}] -= int64(t.amount)
	}
	if tooMuch {
		return debit, credit, errAmount
	}
	switch {
	case t.hold != 0:
		err = m.draw(t, credit)
	case t.packets == 0:
		m.debited(debit)
	}
	return debit, credit, err
}

// draw takes a transfer out of its hold: a named one out of what is reserved, one
// of packets out of what is in flight.
func (m *mirror) draw(t *transferRow, credit *mirrorAccount) error {
	h := m.hold(t.hold)
	if h == nil || h.key.reference != t.reference || h.key.debit != t.debit {
		return errNothing
	}
	if t.packets > 0 {
		h.inFlight -= int64(t.amount)
	} else {
		h.reserved -= int64(t.amount)
	}
	h.drawn += int64(t.amount)
	m.pend(h, -int64(t.amount))
	if credit.Code == CodeSuspense {
		toward := m.touchedHolds[h.touched-1].toward
		m.owedHeld[suspenseMove{t.debit, toward, t.reference}] -= int64(t.amount)
	}
	if t.packets == 0 && m.late(h.expires) {
		return errLate
	}
	return nil
}

// judge ends a batch: it tells what may not stay as it is.
func (m *mirror) judge(where string, defect func(name, format string, args ...any)) {
	for _, touched := range m.touchedHolds {
		h := touched.mirrorHold
		h.touched = 0
		if h.inFlight == 0 {
			h.toward = 0
		}
		if h.reserved < 0 || h.inFlight < 0 || h.unreserved && h.reserved != 0 || (h.inFlight == 0) != (h.toward == 0) {
			defect(DefectHold, "%s has %d reserved and %d in flight to account %d after %s", h.key, h.reserved, h.inFlight, h.toward, where)
		}
		m.rest(h)
	}
	for i, a := range m.touched {
		a.span = 0
		if a.DebitsPending > AmountMax || a.CreditsPending > AmountMax {
			defect(DefectPending, "account %s has %d and %d pending after %s", a.ID, int64(a.DebitsPending), int64(a.CreditsPending), where)
		}
		if !m.spans[i].allows(&a.Account) {
			defect(DefectLimit, "account %s was debited beyond its limit in %s", a.ID, where)
		}
		if a.Code == CodeSuspense {
			m.doubts[a.Ledger] = true
		}
	}
	for ledger := range m.doubts {
		m.judgeDoubt(ledger, where, defect)
	}
	m.judgeSuspense(where, defect)
	m.touchedHolds, m.touched, m.spans = emptied(m.touchedHolds), emptied(m.touched), m.spans[:0]
	clear(m.doubts)
}

// allows tells whether an account may end a batch as it is. After a debit it is
// within a limit that was in force then or later, since what follows a debit and
// is none takes nothing away from what is available; without one it may be
// above, because the limit was lowered, but has no more debits than before.
func (s mirrorSpan) allows(after *Account) bool {
	debits := after.DebitsPosted + after.DebitsPending
	if debits <= after.CreditsPosted || debits-after.CreditsPosted <= s.limit {
		return true
	}
	return !s.placed && debits <= s.debits
}

// judgeSuspense compares what moved into and out of suspense with the entries
// that say whose it is. What goes there without a hold has no row that names its
// counterparty.
func (m *mirror) judgeSuspense(where string, defect func(name, format string, args ...any)) {
	if len(m.owedMoves)+len(m.owedHeld) == 0 {
		return
	}
	for move, owed := range m.owedMoves {
		if owed != 0 {
			defect(DefectSuspense, "from account %d to %d, for %s, the entries in %s say %d more than its transfers",
				move.debit, move.credit, move.reference, where, owed)
		}
	}
	for move, owed := range m.owedHeld {
		if owed < 0 {
			defect(DefectSuspense, "account %d had %d in flight to account %d, for %s, which went into suspense in %s for somebody else",
				move.debit, -owed, move.credit, move.reference, where)
		}
	}
	clear(m.owedMoves)
	clear(m.owedHeld)
}

// suspenseOf returns the number of a ledger's suspense account, 0 for none.
func (m *mirror) suspenseOf(ledger uint32) int64 {
	return m.byID[HouseAccount(m.assets[ledger], CodeSuspense)]
}

// judgeDoubt compares a ledger's suspense account with the open items.
func (m *mirror) judgeDoubt(ledger uint32, where string, defect func(name, format string, args ...any)) {
	var balance int64
	if a := m.account(m.suspenseOf(ledger)); a != nil {
		balance = int64(a.CreditsPosted - a.DebitsPosted)
	}
	if balance != m.inDoubt[ledger] || balance < 0 {
		defect(DefectSuspense, "ledger %d has %d in suspense after %s, the open items say %d", ledger, balance, where, m.inDoubt[ledger])
	}
}

// beforeAll is before all rows of whatever is numbered.
const beforeAll = math.MinInt64
