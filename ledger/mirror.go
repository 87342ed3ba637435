package ledger

import "errors"

// mirror is the ledger made again from nothing but log and transfers, apart from
// the engine that wrote them.
type mirror struct {
	assets   map[uint32]Asset
	accounts map[ID]*Account
	holds    map[holdKey]*hold
	spans    map[*Account]span // of the accounts that the current batch touched
}

func newMirror() *mirror {
	return &mirror{
		assets: map[uint32]Asset{}, accounts: map[ID]*Account{}, holds: map[holdKey]*hold{}, spans: map[*Account]span{},
	}
}

// Why an entry or a transfer could not have been accepted.
var (
	errTwice    = errors.New("it was there before")
	errNothing  = errors.New("it names what is not there, or is closed")
	errAmount   = errors.New("its amount does not fit")
	errNotEmpty = errors.New("it was not empty")
)

// touch returns an open account that the batch is about to change.
func (m *mirror) touch(id ID) (*Account, error) {
	a, known := m.accounts[id]
	if !known || a.Closed {
		return nil, errNothing
	}
	m.track(a)
	return a, nil
}

// track remembers what an account was before the batch.
func (m *mirror) track(a *Account) {
	if _, seen := m.spans[a]; !seen {
		m.spans[a] = span{*a, a.Limit}
	}
}

// between returns the two accounts of a movement on one ledger.
func (m *mirror) between(debitID, creditID ID) (debit, credit *Account, err error) {
	if debit, err = m.touch(debitID); err != nil {
		return nil, nil, err
	}
	if credit, err = m.touch(creditID); err != nil {
		return nil, nil, err
	}
	if debit == credit || debit.Ledger != credit.Ledger {
		return nil, nil, errNothing
	}
	return debit, credit, nil
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
	if _, taken := m.accounts[e.id]; taken {
		return errTwice
	}
	if _, known := m.assets[e.ledger]; !known {
		return errNothing
	}
	a := &Account{ID: e.id, Ledger: e.ledger, Code: e.code, Limit: e.limit}
	m.accounts[e.id] = a
	m.spans[a] = span{*a, a.Limit}
	if e.limit > AmountMax {
		return errAmount
	}
	return nil
}

func (e accountClosed) replay(m *mirror) error {
	a, err := m.touch(e.id)
	if err != nil {
		return err
	}
	a.Closed = true
	if !a.empty() {
		return errNotEmpty
	}
	return nil
}

func (e limitSet) replay(m *mirror) error {
	a, err := m.touch(e.id)
	if err != nil {
		return err
	}
	s := m.spans[a]
	s.limit = max(s.limit, e.limit)
	m.spans[a], a.Limit = s, e.limit
	if e.limit > AmountMax {
		return errAmount
	}
	return nil
}

func (e holdOpened) replay(m *mirror) error {
	debit, credit, err := m.between(e.key.debit, e.key.credit)
	if err != nil {
		return err
	}
	if _, taken := m.holds[e.key]; taken {
		return errTwice
	}
	m.holds[e.key] = &hold{key: e.key, reserved: e.amount}
	tooMuch := e.amount == 0 || exceeds(debit.DebitsPending, e.amount) || exceeds(credit.CreditsPending, e.amount)
	debit.DebitsPending += e.amount
	credit.CreditsPending += e.amount
	if tooMuch {
		return errAmount
	}
	return nil
}

func (e holdClosed) replay(m *mirror) error {
	h, known := m.holds[e.key]
	if !known || h.closed {
		return errNothing
	}
	debit, credit := m.accounts[e.key.debit], m.accounts[e.key.credit] // closed, perhaps, when all was drawn
	m.track(debit)
	m.track(credit)
	debit.DebitsPending -= h.reserved
	credit.CreditsPending -= h.reserved
	reserved := h.reserved
	h.reserved, h.returned, h.closed = 0, h.returned+e.returned, true
	if reserved != e.returned {
		return errAmount
	}
	return nil
}

// post replays a transfer. Its totals move whatever hold it names, so that one
// change is not named twice.
func (m *mirror) post(t postedTransfer) error {
	debit, credit, err := m.between(t.Debit, t.Credit)
	if err != nil {
		return err
	}
	if debit.Ledger != t.ledger {
		return errNothing
	}
	tooMuch := t.Amount == 0 || exceeds(debit.DebitsPosted, t.Amount) || exceeds(credit.CreditsPosted, t.Amount)
	debit.DebitsPosted += t.Amount
	credit.CreditsPosted += t.Amount
	switch {
	case tooMuch:
		return errAmount
	case t.drawn:
		return m.draw(t)
	}
	return nil
}

func (m *mirror) draw(t postedTransfer) error {
	h, known := m.holds[t.holdKey()]
	if !known || h.closed {
		return errNothing
	}
	debit, credit, err := m.between(t.Debit, t.hold)
	if err != nil {
		return err
	}
	if h.reserved < t.Amount {
		return errAmount
	}
	h.reserved -= t.Amount
	h.drawn += t.Amount
	debit.DebitsPending -= t.Amount
	credit.CreditsPending -= t.Amount
	return nil
}
