package ledger

import "math"

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
