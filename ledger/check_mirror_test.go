package ledger

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

// script is a mirror that is told batches which no engine would write.
type script struct {
	t     *testing.T
	m     *mirror
	batch int64
	at    int64
	seq   int64
	found []string
}

// The accounts of a script: their numbers.
const (
	scriptHouse = iota + 1
	scriptAnn
	scriptBen
	scriptPeer
)

func scriptID(n int64) ID { return ID{15: byte(n)} }

func newScript(t *testing.T) *script {
	s := &script{t: t, m: newMirror()}
	s.do(assetOpened{1, Asset{Code: "USD", Scale: 2}},
		accountOpened{id: scriptID(scriptHouse), ledger: 1, code: CodeEquity, limit: 1000},
		accountOpened{id: scriptID(scriptAnn), ledger: 1, code: CodePerson, limit: 100},
		accountOpened{id: scriptID(scriptBen), ledger: 1, code: CodePerson},
		accountOpened{id: scriptID(scriptPeer), ledger: 1, code: CodePeer})
	s.do(s.move(scriptHouse, scriptBen, 500))
	return s
}

// do is a batch, one second after the last.
func (s *script) do(effects ...any) { s.doAt(s.at+time.Second.Microseconds(), effects...) }

func (s *script) doAt(at int64, effects ...any) {
	s.t.Helper()
	s.batch, s.at = s.batch+1, at
	s.m.begin(s.batch, at)
	for _, effect := range effects {
		var err error
		switch e := effect.(type) {
		case entry:
			err = e.replay(s.m)
		case transferRow:
			s.seq++
			e.seq, e.batch = s.seq, s.batch
			_, _, err = s.m.post(&e)
		}
		if err != nil {
			s.found = append(s.found, err.Error())
		}
	}
	s.m.judge(fmt.Sprintf("batch %d", s.batch), func(name, _ string, _ ...any) { s.found = append(s.found, name) })
}

func (s *script) want(want ...string) {
	s.t.Helper()
	slices.Sort(s.found)
	if !slices.Equal(s.found, want) {
		s.t.Errorf("got %v, want %v", s.found, want)
	}
}

func (s *script) move(debit, credit int64, amount uint64) transferRow {
	return transferRow{named: true, debit: debit, credit: credit, amount: amount}
}

func (s *script) packets(debit, credit int64, amount uint64) transferRow {
	return transferRow{packets: 1, debit: debit, credit: credit, amount: amount}
}

func limitOf(n int64, limit uint64) limitSet { return limitSet{scriptID(n), limit} }

var scriptHold = holdKey{ID{1}, scriptID(scriptAnn), scriptID(scriptBen)}

// What a limit forbids is seen in the batch that does it.
func TestMirrorJudgesLimits(t *testing.T) {
	const ann, ben = scriptAnn, scriptBen
	defect := []string{DefectLimit}
	tests := map[string]struct {
		do   func(s *script)
		want []string
	}{
		"as far as it goes":     {func(s *script) { s.do(s.move(ann, ben, 100)) }, nil},
		"further":               {func(s *script) { s.do(s.move(ann, ben, 101)) }, defect},
		"further, with packets": {func(s *script) { s.do(s.packets(ann, ben, 101)) }, defect},
		"as far, with what is held": {func(s *script) {
			s.do(holdOpened{key: scriptHold, amount: 60}, s.move(ann, ben, 40))
		}, nil},
		"further, with what is held": {func(s *script) {
			s.do(holdOpened{key: scriptHold, amount: 60})
			s.do(s.move(ann, ben, 41))
		}, defect},
		"lowered below what is owed": {func(s *script) { s.do(s.move(ann, ben, 100)); s.do(limitOf(ann, 0)) }, nil},
		"lowered after it was used":  {func(s *script) { s.do(s.move(ann, ben, 100), limitOf(ann, 0)) }, nil},
		"raised, used and lowered": {func(s *script) {
			s.do(limitOf(ann, 150), s.move(ann, ben, 150), limitOf(ann, 0))
		}, nil},
		"used, with packets, before it was lowered": {func(s *script) { s.do(limitOf(ann, 0), s.packets(ann, ben, 100)) }, nil},
		"used, with packets, after it was raised": {func(s *script) {
			s.do(limitOf(ann, 0))
			s.do(limitOf(ann, 100), s.move(ben, ann, 1), s.packets(ann, ben, 100), limitOf(ann, 0))
		}, nil},
		"packets after a transfer, and a higher limit": {func(s *script) {
			s.do(limitOf(ann, 0))
			s.do(s.move(ben, ann, 10), s.move(ann, ben, 10), limitOf(ann, 50), s.packets(ann, ben, 50))
		}, nil},
		"paid back in part": {func(s *script) {
			s.do(s.move(ann, ben, 100))
			s.do(limitOf(ann, 0))
			s.do(s.move(ben, ann, 40))
		}, nil},
		"paid back in part, with a hold that is drawn": {func(s *script) {
			s.do(s.move(ann, ben, 40), holdOpened{key: scriptHold, amount: 60})
			s.do(limitOf(ann, 0))
			draw := s.move(ann, ben, 60)
			draw.hold, draw.reference = 1, scriptHold.reference
			s.do(s.move(ben, ann, 40), draw)
		}, nil},
		"lowered before, paid back and debited again": {func(s *script) {
			s.do(s.move(ann, ben, 100))
			s.do(limitOf(ann, 0))
			s.do(s.move(ben, ann, 100), s.move(ann, ben, 100))
		}, defect},
		"lowered before, paid back and held again": {func(s *script) {
			s.do(s.move(ann, ben, 100))
			s.do(limitOf(ann, 0))
			s.do(s.move(ben, ann, 100), holdOpened{key: scriptHold, amount: 100})
		}, defect},
		"lowered before, paid back and debited again with packets": {func(s *script) {
			s.do(s.move(ann, ben, 100))
			s.do(limitOf(ann, 0))
			s.do(s.move(ben, ann, 100), s.packets(ann, ben, 100))
		}, defect},
		"lowered, paid back and debited again in one batch": {func(s *script) {
			s.do(s.move(ann, ben, 100))
			s.do(limitOf(ann, 0), s.move(ben, ann, 100), s.move(ann, ben, 100))
		}, defect},
		"a hold is closed and the money debited, above a lowered limit": {func(s *script) {
			s.do(holdOpened{key: scriptHold, amount: 100})
			s.do(limitOf(ann, 0))
			s.do(s.move(ann, ben, 30), holdClosed{scriptHold, 100})
		}, defect},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := newScript(t)
			test.do(s)
			s.want(test.want...)
		})
	}
}

// What is drawn or taken after a hold's time is seen, where batches tell the
// time.
func TestMirrorJudgesExpiry(t *testing.T) {
	const minute = int64(time.Minute / time.Microsecond)
	tests := map[string]struct {
		do   func(s *script, draw transferRow, take holdsMoved, expires int64)
		want []string
	}{
		"in time": {func(s *script, draw transferRow, take holdsMoved, expires int64) {
			s.doAt(expires-1, draw, take)
		}, nil},
		"hardly late: the batch may have taken so long": {func(s *script, draw transferRow, take holdsMoved, expires int64) {
			s.doAt(expires + 1)
			s.doAt(expires+minute-1, draw, take)
		}, nil},
		"late, and the first batch since": {func(s *script, draw transferRow, take holdsMoved, expires int64) {
			s.doAt(expires - 1)
			s.doAt(expires+3*minute, draw, take)
		}, nil},
		"drawn late": {func(s *script, draw transferRow, _ holdsMoved, expires int64) {
			s.doAt(expires)
			s.doAt(expires+minute, draw)
		}, []string{errLate.Error()}},
		"taken late": {func(s *script, _ transferRow, take holdsMoved, expires int64) {
			s.doAt(expires)
			s.doAt(expires+minute, take)
		}, []string{errLate.Error()}},
		"landed late": {func(s *script, draw transferRow, take holdsMoved, expires int64) {
			s.do(take)
			s.doAt(expires)
			draw.packets, draw.named = 1, false
			s.doAt(expires+minute, draw)
		}, nil},
		"released late": {func(s *script, _ transferRow, take holdsMoved, expires int64) {
			s.do(take)
			s.doAt(expires)
			s.doAt(expires+minute, holdsMoved{{1, -take[0].net, 0}})
		}, nil},
		"the clock was set back": {func(s *script, draw transferRow, take holdsMoved, expires int64) {
			s.doAt(expires + 3*minute)
			s.doAt(s.at+1, draw)
			s.doAt(s.at+1, take)
		}, nil},
		"the clock was set back, and batches were not the ledger's": {func(s *script, draw transferRow, take holdsMoved, expires int64) {
			s.doAt(expires + 3*minute)
			s.batch += 7
			s.doAt(s.at+minute, draw, take)
		}, nil},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := newScript(t)
			expires := s.at + time.Hour.Microseconds()
			s.do(holdOpened{key: scriptHold, amount: 100, expires: expires})
			draw := s.move(scriptAnn, scriptBen, 5)
			draw.hold, draw.reference = 1, scriptHold.reference
			test.do(s, draw, holdsMoved{{1, 5, scriptPeer}}, expires)
			s.want(test.want...)
		})
	}
}

// Of a hold without a reservation that has nothing in flight little is kept, and
// all comes back when it is used again.
func TestMirrorKeepsLittleOfIdleHolds(t *testing.T) {
	s := newScript(t)
	const holds = 200
	key := func(n int) holdKey {
		return holdKey{ID{2, byte(n), byte(n >> 8)}, scriptID(scriptBen), scriptID(scriptHouse)}
	}
	land := func(n int, amount uint64) transferRow {
		t := s.packets(scriptBen, scriptHouse, amount)
		t.hold, t.reference = int64(n), key(n).reference
		return t
	}
	for n := 1; n <= holds; n++ {
		s.do(unreservedOpened{key(n)}, holdsMoved{{int64(n), 2, scriptPeer}})
	}
	if got := len(s.m.holds); got != holds {
		t.Errorf("%d holds have something in flight", got)
	}
	for n := 1; n <= holds; n++ {
		s.do(land(n, 1))
		s.do(holdsMoved{{int64(n), -1, 0}})
	}
	if len(s.m.holds) != 0 || len(s.m.byKey) != holds || len(s.m.idle) != holds {
		t.Errorf("%d holds and %d keys are kept, and %d that are idle", len(s.m.holds), len(s.m.byKey), len(s.m.idle))
	}
	s.do(holdsMoved{{7, 3, scriptPeer}})
	s.do(land(7, 3))
	s.want()
	h := s.m.look(7)
	want := mirrorHold{n: 7, key: s.m.keyOf(key(7)), holdState: holdState{drawn: 4, unreserved: true}}
	if h == nil || *h != want {
		t.Errorf("got %+v, want %+v", h, want)
	}
	if s.m.account(scriptBen).DebitsPending != 0 {
		t.Error("something is pending")
	}
	wrong := land(8, 1)
	wrong.reference = ID{}
	s.do(wrong)
	s.want(errNothing.Error())
}
