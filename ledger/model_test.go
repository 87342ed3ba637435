package ledger_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"pochi/db"
	"pochi/ledger"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"pgregory.net/rapid"
)

// run is a ledger beside its model.
type run struct {
	*choices
	m     model
	batch int64           // the last one that was looked at
	order map[int64]int64 // of the batches with transfers: others come in between by themselves
}

// The ledger does what the plain model does, command by command, across
// restarts and with hardly anything in memory, and Check agrees. For a longer
// search: -run TestModel -rapid.checks 5000.
func TestModel(t *testing.T) {
	dir := t.TempDir()
	sizes := ledger.SetSizes(tiny)
	defer ledger.SetSizes(sizes)
	begun := template{path: filepath.Join(dir, "pochi.db")}
	clock := newModelClock()
	newWorldOf(t, begun.path, clock.now).db.Close()
	rapid.Check(t, func(t *rapid.T) {
		path, err := os.MkdirTemp(dir, "run")
		if err != nil {
			t.Fatal(err)
		}
		defer os.RemoveAll(path)
		ledger.SetSizes(drawSizes(t))
		clock := newModelClock()
		w := begun.copy(t, filepath.Join(path, "pochi.db"), clock.now)
		defer func() { w.db.Close() }()
		r := newRun(w, clock)
		t.Repeat(map[string]func(*rapid.T){
			"batch":  r.submitBatch,
			"more":   r.submitBatch, // oftener than the others
			"most":   r.submitBatch,
			"reopen": r.reopen,
			"later":  r.later,
			"then":   r.later,
			"":       r.compare,
		})
		w.clean()
	})
}

// newModelClock begins at a fixed time: what is said about a failure must be
// the same each time, or rapid doesn't make it smaller.
func newModelClock() *clock {
	c := &clock{}
	c.micros.Store(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).UnixMicro())
	return c
}

func drawSizes(t *rapid.T) ledger.Sizes {
	s := tiny
	s.Accounts = rapid.IntRange(0, 4).Draw(t, "accounts kept")
	s.Holds = rapid.IntRange(0, 2).Draw(t, "holds kept")
	s.QuietAfter = rapid.Int64Range(0, 3).Draw(t, "quiet after")
	s.SegmentFull = rapid.IntRange(1, 12).Draw(t, "segment")
	s.SegmentIdle = rapid.SampledFrom([]int{1000, 1, 5}).Draw(t, "idle segment")
	s.SliceIdle = rapid.SampledFrom([]int{100, 2}).Draw(t, "idle slice")
	return s
}

func newRun(w *world, clock *clock) *run {
	r := &run{choices: &choices{w: w, clock: clock}, m: newModel(w), order: map[int64]int64{}}
	dollars, euros := ledger.HouseAccount(usd, ledger.CodeEquity), ledger.HouseAccount(eur, ledger.CodeEquity)
	opened := []struct {
		ledger  uint32
		code    uint16
		limit   uint64
		balance uint64
	}{
		{w.usd, ledger.CodePerson, 0, 300}, {w.usd, ledger.CodePerson, 0, 300}, {w.usd, ledger.CodePerson, 500, 300},
		{w.usd, ledger.CodePeer, 200, 100}, {w.usd, ledger.CodePeer, 0, 300}, {w.usd, ledger.CodeAuthority, 150, 0},
		{w.usd, ledger.CodeCap, 60, 0}, {w.usd, ledger.CodeUsed, 0, 0}, {w.usd, ledger.CodePerson, math.MaxInt64, 300},
		{w.eur, ledger.CodePerson, 0, 300}, {w.eur, ledger.CodePeer, 100, 0},
	}
	var chain ledger.Chain
	for _, a := range opened {
		id := r.id()
		r.accounts = append(r.accounts, id)
		chain = append(chain, ledger.OpenAccount{ID: id, Ledger: a.ledger, Code: a.code, Limit: a.limit})
		if a.balance > 0 {
			house := dollars
			if a.ledger == w.eur {
				house = euros
			}
			chain = append(chain, ledger.Transfer{ID: r.id(), Debit: house, Credit: id, Amount: a.balance})
		}
	}
	r.fresh = []ledger.ID{r.id(), r.id(), r.id()}
	r.accounts = append(append(r.accounts, r.fresh...), dollars, ledger.HouseAccount(usd, ledger.CodeExchange), r.id(),
		euros, ledger.HouseAccount(eur, ledger.CodeExchange), ledger.HouseAccount(usd, ledger.CodeSuspense))
	r.m.now = clock.now().UnixMicro()
	r.m.accounts = r.stored().accounts // the house's
	var err error
	if r.m, err = r.m.submit(chain); err != nil {
		w.t.Fatalf("the model refuses the beginning: %v", err)
	}
	w.do(chain...)
	r.settle()
	return r
}

// submitBatch submits some units in one batch and moves the model along.
func (r *run) submitBatch(t *rapid.T) {
	var calls []func(context.Context) error
	var said []string
	var want []error
	for range rapid.IntRange(1, 6).Draw(t, "units") {
		if oneIn(t, 20, "expire") {
			r.m = r.m.clone()
			r.m.endExpired()
			calls, said, want = append(calls, r.w.ledger.CloseExpired), append(said, "expire"), append(want, nil)
			continue
		}
		chain := r.chain(t, r.m)
		rows, text, rowsErr := r.rows(t)
		next, err := r.m.submit(chain)
		if err == nil {
			err = rowsErr
		}
		if err == nil {
			if r.m = next; rows != nil {
				r.m.notes[text] = true
			}
		}
		calls = append(calls, func(ctx context.Context) error { return r.w.ledger.Submit(ctx, chain, rows) })
		said, want = append(said, fmt.Sprintf("%+v", chain)), append(want, err)
	}
	got := r.w.atOnce(calls...)
	for i := range calls {
		if !errors.Is(got[i], want[i]) {
			t.Fatalf("unit %d of the batch, %s: got error %v, want %v", i, said[i], got[i], want[i])
		}
	}
	r.settle()
}

// rows are a caller's own, or none, and their error.
func (r *run) rows(t *rapid.T) (rows func(db.Tx) error, text string, err error) {
	text = r.id().String()
	switch rapid.IntRange(0, 3).Draw(t, "rows") {
	case 0:
		return note(text), text, nil
	case 1:
		return func(tx db.Tx) error { return errors.Join(errOwn, note(text)(tx)) }, text, errOwn
	}
	return nil, text, nil
}

// reopen restarts the wallet, as after a crash: what was in flight is in doubt.
func (r *run) reopen(t *rapid.T) {
	next, err := r.m.restart()
	if err != nil {
		t.Skip("more was lost than can be counted")
	}
	r.m = next
	r.w.reopen()
	r.settle()
}

// later lets time pass; the ledger may be slow to notice.
func (r *run) later(t *rapid.T) {
	r.clock.pass(rapid.SampledFrom([]time.Duration{time.Minute, 2 * time.Hour, time.Microsecond}).Draw(t, "after"))
	r.m.now = r.clock.now().UnixMicro()
	if rapid.Bool().Draw(t, "noticed") {
		r.m = r.m.clone()
		r.m.endExpired()
		r.w.want(r.w.ledger.CloseExpired(context.Background()), nil)
	}
}

// settle finds out the number of the batch that a step wrote.
func (r *run) settle() {
	var batches []int64
	r.w.each(fmt.Sprintf("SELECT seq, transfers FROM batches WHERE seq > %d ORDER BY seq", r.batch), func(scan func(...any) error) error {
		var transfers int64
		err := scan(&r.batch, &transfers)
		if transfers > 0 {
			batches = append(batches, r.batch)
		}
		return err
	})
	pending := slices.ContainsFunc(r.m.posted, func(row modelRow) bool { return row.batch == 0 })
	switch {
	case !pending && len(batches) == 0:
		r.m.settle(0)
	case pending && len(batches) == 1:
		r.order[batches[0]] = int64(len(r.order) + 1)
		r.m.settle(r.order[batches[0]])
	default:
		r.w.t.Fatalf("transfers in %d batches, the model has some: %t", len(batches), pending)
	}
}

// compare expects that the tables and the histories say what the model says.
func (r *run) compare(t *rapid.T) {
	stored := r.stored()
	if !r.m.equal(stored) {
		t.Logf("model and ledger: %s", cmp.Diff(r.m.lines(), stored.lines()))
		t.Fatal("the ledger differs from the model")
	}
	if broken := stored.broken(r.m); len(broken) > 0 {
		t.Fatalf("the ledger broke its rules: %q", broken)
	}
	r.checkHistory(t, r.storedLines(), rapid.SampledFrom(r.accounts).Draw(t, "whose history"))
}

// postedKey is what rows are summed up by: packets of one batch that share it are
// one transfer.
type postedKey struct {
	id, debit, credit ledger.ID
	code              uint16
	reference         ledger.ID
	from              modelKey
	batch             int64
}

type postedSum struct {
	amount  uint64
	packets int64
}

func (r modelRow) key() postedKey {
	return postedKey{r.ID, r.Debit, r.Credit, r.Code, r.Reference, r.from, r.batch}
}

func (m model) sums() map[postedKey]postedSum {
	sums := map[postedKey]postedSum{}
	for _, row := range m.posted {
		s := sums[row.key()]
		sums[row.key()] = postedSum{s.amount + row.Amount, s.packets + row.packets}
	}
	return sums
}

func (m model) equal(stored model) bool {
	sameAccount := func(a, b modelAccount) bool { return a.n == b.n && a.Account == b.Account }
	return maps.EqualFunc(m.accounts, stored.accounts, sameAccount) && maps.Equal(m.holds, stored.holds) &&
		maps.Equal(m.sums(), stored.sums()) && slices.Equal(m.items, stored.items) && maps.Equal(m.notes, stored.notes)
}

// lines is the state in an order that can be compared.
func (m model) lines() []string {
	var all []string
	for _, a := range m.accounts {
		all = append(all, fmt.Sprintf("account %d %+v", a.n, a.Account))
	}
	for k, h := range m.holds {
		all = append(all, fmt.Sprintf("hold %d %s: %d reserved, %d in flight toward %s, %d drawn, %d returned, expires %d, unreserved %t, closed %t",
			h.n, k, h.reserved, h.inFlight, h.toward, h.drawn, h.returned, h.expires, h.unreserved, h.closed))
	}
	for k, s := range m.sums() {
		all = append(all, fmt.Sprintf("posted %s from %s to %s: %d as %d packets, code %d for %s, from hold %s, batch %d",
			k.id, k.debit, k.credit, s.amount, s.packets, k.code, k.reference, k.from, k.batch))
	}
	for n, i := range m.items {
		all = append(all, fmt.Sprintf("item %d for %s: %d of %s for %s, batch %d, with %d, state %d",
			n+1, i.reference, i.amount, i.bearer, i.counterparty, i.batch, i.together, i.state))
	}
	for n := range m.notes {
		all = append(all, "note "+n)
	}
	slices.Sort(all)
	return all
}

// broken names the rules that a stored state doesn't keep.
func (m model) broken(known model) (rules []string) {
	posted, pending := map[uint32]*big.Int{}, map[ledger.ID]*[2]big.Int{}
	for id, a := range m.accounts {
		if posted[a.Ledger] == nil {
			posted[a.Ledger] = new(big.Int)
		}
		posted[a.Ledger].Add(posted[a.Ledger], sum(a.DebitsPosted))
		posted[a.Ledger].Sub(posted[a.Ledger], sum(a.CreditsPosted))
		pending[id] = &[2]big.Int{}
		if !affords(a, 0) && !known.accounts[id].lowered {
			rules = append(rules, fmt.Sprintf("account %s exceeds its limit", id))
		}
	}
	for number, s := range posted {
		if s.Sign() != 0 {
			rules = append(rules, fmt.Sprintf("ledger %d sums to %s", number, s))
		}
	}
	for k, h := range m.holds {
		held := sum(h.reserved, h.inFlight)
		pending[k.debit][0].Add(&pending[k.debit][0], held)
		pending[k.credit][1].Add(&pending[k.credit][1], held)
	}
	for id, a := range m.accounts {
		if sum(a.DebitsPending).Cmp(&pending[id][0]) != 0 || sum(a.CreditsPending).Cmp(&pending[id][1]) != 0 {
			rules = append(rules, fmt.Sprintf("account %s has other totals pending than its holds", id))
		}
	}
	rows := map[postedKey]bool{}
	for _, row := range m.posted {
		if rows[row.key()] {
			rules = append(rules, fmt.Sprintf("packets are two transfers: %v", row.key()))
		}
		rows[row.key()] = true
	}
	return rules
}

// stored reads the same from the database.
func (r *run) stored() model {
	r.w.t.Helper()
	m := newModel(r.w)
	numbers := map[int64]ledger.ID{}
	r.w.each(`SELECT n, id, ledger, code, user_data, debit_limit, debits_pending, debits_posted, credits_pending, credits_posted, closed
		FROM accounts`, func(scan func(...any) error) error {
		var a modelAccount
		err := scan(&a.n, &a.ID, &a.Ledger, &a.Code, &a.UserData, &a.Limit, &a.DebitsPending, &a.DebitsPosted, &a.CreditsPending,
			&a.CreditsPosted, &a.Closed)
		m.accounts[a.ID], numbers[a.n] = a, a.ID
		return err
	})
	holds := map[int64]modelKey{}
	r.w.each(`SELECT n, reference, debit, credit, reserved, in_flight, drawn, returned, coalesce(toward, 0), expires, unreserved, closed
		FROM holds`, func(scan func(...any) error) error {
		var reference ledger.ID
		var h modelHold
		var debit, credit, toward int64
		err := scan(&h.n, &reference, &debit, &credit, &h.reserved, &h.inFlight, &h.drawn, &h.returned, &toward, &h.expires, &h.unreserved, &h.closed)
		h.toward = numbers[toward]
		holds[h.n] = modelKey{reference, numbers[debit], numbers[credit]}
		m.holds[holds[h.n]] = h
		return err
	})
	r.w.each("SELECT id, batch, debit, credit, amount, code, reference, coalesce(hold, 0), packets FROM transfers", func(scan func(...any) error) error {
		var t modelRow
		var id uuid.NullUUID
		var debit, credit, hold int64
		err := scan(&id, &t.batch, &debit, &credit, &t.Amount, &t.Code, &t.Reference, &hold, &t.packets)
		t.ID, t.Debit, t.Credit, t.from, t.batch = id.UUID, numbers[debit], numbers[credit], holds[hold], r.order[t.batch]
		m.posted = append(m.posted, t)
		return err
	})
	r.w.each("SELECT reference, bearer, counterparty, amount, batch, together, state FROM suspense ORDER BY n", func(scan func(...any) error) error {
		var i modelItem
		var bearer, counterparty int64
		err := scan(&i.reference, &bearer, &counterparty, &i.amount, &i.batch, &i.together, &i.state)
		i.bearer, i.counterparty, i.batch = numbers[bearer], numbers[counterparty], r.order[i.batch]
		m.items = append(m.items, i)
		return err
	})
	r.w.each("SELECT note FROM notes", func(scan func(...any) error) error {
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

// storedLines are all transfers, in their order, as a history shows them but
// for the running totals.
func (r *run) storedLines() []ledger.Line {
	r.w.t.Helper()
	var lines []ledger.Line
	r.w.each("SELECT seq, id, batch, at, debit, credit, amount, code, reference, packets FROM ledger_transfers ORDER BY seq",
		func(scan func(...any) error) error {
			var l ledger.Line
			var id uuid.NullUUID
			var batch, at int64
			err := scan(&l.Seq, &id, &batch, &at, &l.Debit, &l.Credit, &l.Amount, &l.Code, &l.Reference, &l.Packets)
			l.At = time.UnixMicro(at).UTC()
			if l.ID = id.UUID; !id.Valid {
				l.ID = ledger.PacketsID(batch, l.Seq)
			}
			lines = append(lines, l)
			return err
		})
	return lines
}

// checkHistory pages through an account's history and expects its transfers,
// and what they come to.
func (r *run) checkHistory(t *rapid.T, all []ledger.Line, account ledger.ID) {
	page := rapid.SampledFrom([]int{50, 3, 1}).Draw(t, "page")
	var got []ledger.Line
	for before := int64(0); ; before = got[len(got)-1].Seq {
		lines, err := r.w.ledger.History(context.Background(), account, before, page)
		if _, known := r.m.accounts[account]; !known && errors.Is(err, ledger.ErrAccountUnknown) {
			return
		}
		if err != nil {
			t.Fatalf("history of %s before %d: %v", account, before, err)
		}
		if len(lines) == 0 {
			break
		}
		got = append(got, lines...)
	}
	var want []ledger.Line
	var debits, credits uint64
	for _, line := range all {
		switch account {
		case line.Debit:
			debits += line.Amount
		case line.Credit:
			credits += line.Amount
		default:
			continue
		}
		line.Debits, line.Credits = debits, credits
		want = append(want, line)
	}
	slices.Reverse(want)
	if !slices.Equal(want, got) {
		t.Logf("the transfers and the history: %s", cmp.Diff(want, got))
		t.Fatalf("the history of %s is wrong", account)
	}
	if a := r.m.accounts[account]; debits != a.DebitsPosted || credits != a.CreditsPosted {
		t.Fatalf("account %s: its transfers come to %d and %d, it has %+v", account, debits, credits, a)
	}
	r.checkStatement(t, all, account)
}

// checkStatement expects the totals at both ends of some period.
func (r *run) checkStatement(t *rapid.T, all []ledger.Line, account ledger.ID) {
	times := []time.Time{{}, r.clock.now().Add(24 * time.Hour)}
	for _, line := range all {
		times = append(times, line.At)
	}
	from, to := rapid.SampledFrom(times).Draw(t, "from"), rapid.SampledFrom(times).Draw(t, "to")
	want := ledger.Statement{First: 1}
	for _, line := range all {
		if line.At.Before(from) {
			want.First = line.Seq + 1
			add(&want.OpeningDebits, &want.OpeningCredits, line, account)
		}
		if line.At.Before(to) {
			want.Last = line.Seq
			add(&want.ClosingDebits, &want.ClosingCredits, line, account)
		}
	}
	got, err := r.w.ledger.Statement(context.Background(), account, from, to)
	if err != nil || got != want {
		t.Logf("from %v to %v: %+v, want %+v", from, to, got, want)
		t.Fatalf("the statement of %s is wrong (%v)", account, err)
	}
}

func add(debits, credits *uint64, line ledger.Line, account ledger.ID) {
	switch account {
	case line.Debit:
		*debits += line.Amount
	case line.Credit:
		*credits += line.Amount
	}
}
