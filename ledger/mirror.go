package ledger

import (
	"errors"
	"fmt"
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
	byKey    map[mirrorKey]int64 // of those in holds and in idle
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
		m.holds[n] = h
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

// rest keeps less of a hold that has nothing in flight.
func (m *mirror) rest(h *mirrorHold) {
	i := idleHold{h.key.reference, uint32(h.key.debit), uint32(h.key.credit), h.drawn}
	fits := mirrorKey{i.reference, int64(i.debit), int64(i.credit)} == h.key
	if !fits || h.holdState != (holdState{drawn: h.drawn, unreserved: true}) {
		return
	}
	m.idle[h.n] = i
	delete(m.holds, h.n)
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
