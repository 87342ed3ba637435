package ledger

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
	h := m.hold(m.byKey[key])
	if h == nil {
		return errNothing
	}
	m.pend(h, -h.reserved)
	fits := uint64(h.reserved) == e.returned && h.inFlight == 0
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
