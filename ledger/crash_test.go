package ledger_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"pochi/db"
	"pochi/ledger"
)

// crashEnv makes the test binary commit to the database it names, until it is
// killed. crashSizesEnv are its ledger's sizes.
const (
	crashEnv      = "POCHI_CRASH_TEST_DB"
	crashSizesEnv = "POCHI_CRASH_TEST_SIZES"
	crashKillsEnv = "POCHI_CRASH_KILLS" // how many kills, for make test-crash
)

const crashCallers = 8

// crashAccounts are those that the child moves money between: two people, then
// two peers.
var crashAccounts = [4]ledger.ID{{15: 1}, {15: 2}, {15: 3}, {15: 4}}

const crashCode = 9 // of all that the child posts

func openCrashAccounts(number uint32) (chain ledger.Chain) {
	for i, id := range crashAccounts {
		open := ledger.OpenAccount{ID: id, Ledger: number, Code: ledger.CodePerson}
		if i >= 2 {
			open.Code, open.Limit = ledger.CodePeer, 1<<40
		}
		chain = append(chain, open, transfer(ledger.HouseAccount(usd, ledger.CodeEquity), id, 1<<40))
	}
	return chain
}

// crashSizes are some under which every few commits move the index along.
func crashSizes() ledger.Sizes {
	return but(func(s *ledger.Sizes) {
		s.Accounts, s.Holds, s.QuietAfter = 1+rand.IntN(4), 1+rand.IntN(4), 1+rand.Int64N(20)
		s.SegmentFull, s.SegmentIdle = 5+rand.IntN(100), 1+rand.IntN(50)
		s.SlicePerRow, s.SliceLeast, s.SliceIdle = 1, 1+rand.IntN(10), 1+rand.IntN(10)
	})
}

// TestKill kills a wallet at random moments, while it starts, recovers, commits
// and indexes, and looks at what the next one finds: everything that was
// acknowledged, and nothing that was not asked for.
func TestKill(t *testing.T) {
	kills := 50
	if asked, err := strconv.Atoi(os.Getenv(crashKillsEnv)); err == nil {
		kills = asked
	}
	withSizes(t, crashSizes())
	w := newWorldAt(t, filepath.Join(t.TempDir(), "pochi.db"))
	t.Cleanup(func() { w.db.Close() })
	w.do(openCrashAccounts(w.usd)...)
	said := &testimony{}
	moments := map[string]int{}
	for kill := 0; kill < kills; {
		w.want(w.db.Close(), nil)
		ledger.SetSizes(crashSizes())                                         // the test's end sets the usual ones again
		for again := true; again && kill < kills; again = rand.IntN(3) == 0 { // sometimes a child's successor is killed, too
			moments[runAndKill(t, w.path, said)]++
			kill++
		}
		w.open()
		said.check(w)
		if t.Failed() {
			t.Fatalf("after kill %d", kill)
		}
	}
	t.Logf("killed %v; %d transfers, %d holds and %d packets were acknowledged", moments, len(said.transfers), len(said.holds), said.packets)
	if len(said.transfers) == 0 || len(said.holds) == 0 || said.packets == 0 || moments["at work"] == 0 {
		t.Error("no child came to work")
	}
	w.sameHistory(rand.New(rand.NewPCG(21, 0)), crashAccounts[:]...)
	w.want(w.ledger.CatchUp(t.Context()), nil)
	w.indexComplete()
	w.clean()
}

// testimony is what the children said that they were about to do, and had done.
type testimony struct {
	transfers        []ledger.ID
	holds            []*crashHold
	packets, attempt uint64 // sums of packets that were acknowledged and that were asked for
	seen             map[string]*crashHold
}

// crashHold is a hold as one caller of a child knows it: what it was after the
// last step that was acknowledged, and what one more step would make of it.
type crashHold struct {
	reference ledger.ID
	peer      bool // nothing was reserved: it came from a peer
	now, next crashAmounts
}

type crashAmounts struct {
	there, closed                       bool
	reserved, inFlight, drawn, returned uint64
}

// step is what a step makes of a hold.
func (a crashAmounts) step(name string, amount uint64) crashAmounts {
	switch name {
	case "open":
		a.there, a.reserved = true, amount
	case "take":
		a.reserved, a.inFlight = a.reserved-amount, a.inFlight+amount
	case "peer-take":
		a.there, a.inFlight = true, a.inFlight+amount
	case "post":
		a.inFlight, a.drawn = a.inFlight-amount, a.drawn+amount
	case "release":
		a.inFlight, a.reserved = a.inFlight-amount, a.reserved+amount
	case "peer-release":
		a.inFlight -= amount
	case "draw":
		a.reserved, a.drawn = a.reserved-amount, a.drawn+amount
	case "close":
		a.closed, a.returned, a.reserved = true, a.reserved, 0
	}
	return a
}

// recovered is what a restart makes of a hold, and what it puts into suspense.
func (a crashAmounts) recovered(peer bool) (after crashAmounts, suspended uint64) {
	suspended = a.inFlight
	if a.inFlight = 0; !peer {
		a.drawn += suspended
	}
	return a, suspended
}

// hear takes down a line of a child's: "try" or "did", a step, an id, an amount.
func (s *testimony) hear(line string) error {
	var when, step, name string
	var amount uint64
	if _, err := fmt.Sscan(line, &when, &step, &name, &amount); err != nil {
		return fmt.Errorf("line %q: %w", line, err)
	}
	switch {
	case step == "packet" && when == "try":
		s.attempt += amount
		return nil
	case step == "packet":
		s.packets += amount
		return nil
	case step == "transfer":
		var id ledger.ID
		err := id.UnmarshalText([]byte(name))
		s.transfers = append(s.transfers, id)
		return err
	}
	h := s.seen[name]
	if h == nil {
		h = &crashHold{peer: step == "peer-take"}
		if err := h.reference.UnmarshalText([]byte(name)); err != nil {
			return err
		}
		if s.seen == nil {
			s.seen = map[string]*crashHold{}
		}
		s.seen[name] = h
		s.holds = append(s.holds, h)
	}
	if h.next = h.now.step(step, amount); when == "did" {
		h.now = h.next
	}
	return nil
}

// check compares what the children said with what is there.
func (s *testimony) check(w *world) {
	w.t.Helper()
	w.clean()
	onDisk, noted := map[ledger.ID]bool{}, map[string]bool{}
	w.each(fmt.Sprintf("SELECT id FROM transfers WHERE id IS NOT NULL AND code = %d", crashCode), func(scan func(...any) error) error {
		var id ledger.ID
		err := scan(&id)
		if onDisk[id] {
			w.t.Errorf("id %s is there twice", id)
		}
		onDisk[id] = true
		return err
	})
	for _, id := range s.transfers {
		if !onDisk[id] {
			w.t.Fatalf("transfer %s was acknowledged and is lost", id)
		}
	}
	for _, text := range rows(w.t, w.db.Read, "SELECT note FROM notes") {
		noted[text] = true
	}
	for id := range onDisk { // each transfer has its row and each row its transfer
		if !noted[id.String()] {
			w.t.Errorf("transfer %s is without its row", id)
		}
	}
	if len(noted) != len(onDisk) {
		w.t.Errorf("%d rows for %d transfers", len(noted), len(onDisk))
	}
	if len(s.transfers) > 0 {
		for range 3 {
			w.want(w.ledger.Submit(context.Background(), ledger.Chain{crashTransfer(s.transfers[rand.IntN(len(s.transfers))])}, nil), ledger.ErrExists)
		}
	}
	var packets uint64
	w.each(fmt.Sprintf("SELECT coalesce(sum(amount), 0) FROM transfers WHERE packets > 0 AND code = %d AND hold IS NULL", crashCode),
		func(scan func(...any) error) error { return scan(&packets) })
	if packets < s.packets || packets > s.attempt {
		w.t.Errorf("packets come to %d; %d were acknowledged, %d asked for", packets, s.packets, s.attempt)
	}
	s.checkHolds(w)
	r := rand.New(rand.NewPCG(rand.Uint64(), 0))
	page, err := w.ledger.History(context.Background(), crashAccounts[0], 0, 300)
	want := w.scan(crashAccounts[0])
	if len(page) < min(300, len(want)) || err != nil {
		w.t.Errorf("history has %d lines of %d, %v", len(page), len(want), err)
	}
	for i := range page {
		if page[i] != want[i] {
			w.t.Fatalf("line %d of the history is %+v, want %+v", i, page[i], want[i])
		}
	}
	w.sameStatement(r, crashAccounts[1], w.scan(crashAccounts[1]))
}

// checkHolds compares each hold that was not settled before with what its
// caller said, and settles it.
func (s *testimony) checkHolds(w *world) {
	w.t.Helper()
	stored, suspended, items := map[ledger.ID]crashAmounts{}, map[ledger.ID]uint64{}, map[ledger.ID]int64{}
	w.each("SELECT reference, reserved, in_flight, drawn, returned, closed FROM holds", func(scan func(...any) error) error {
		var reference ledger.ID
		a := crashAmounts{there: true}
		err := scan(&reference, &a.reserved, &a.inFlight, &a.drawn, &a.returned, &a.closed)
		stored[reference] = a
		return err
	})
	w.each("SELECT n, reference, amount FROM suspense WHERE state = 0", func(scan func(...any) error) error {
		var n int64
		var reference ledger.ID
		var amount uint64
		err := scan(&n, &reference, &amount)
		suspended[reference] += amount
		items[reference] = n
		return err
	})
	for _, h := range s.seen {
		got := stored[h.reference]
		now, away := h.now.recovered(h.peer)
		next, nextAway := h.next.recovered(h.peer)
		if sent := suspended[h.reference]; (got != now || sent != away) && (got != next || sent != nextAway) {
			w.t.Errorf("hold %s is %+v with %d in suspense; its caller knows of %+v, or perhaps %+v", h.reference, got, sent, h.now, h.next)
			continue
		}
		if got.there && !got.closed && !h.peer { // a reservation can still be drawn and returned
			rest := []ledger.Command{ledger.CloseHold{Reference: h.reference, Debit: crashAccounts[0], Credit: crashAccounts[1]}}
			if got.reserved > 0 {
				draw := ledger.Draw{ID: newID(), Reference: h.reference, Debit: crashAccounts[0], Credit: crashAccounts[1], To: crashAccounts[2], Amount: 1, Code: 8}
				rest = append([]ledger.Command{draw}, rest...)
			}
			w.want(w.submit(rest...), nil)
		}
		if n, there := items[h.reference]; there {
			w.want(w.submit(ledger.ResolveSuspense{Item: n, Pay: n%2 == 0}), nil)
		}
	}
	clear(s.seen)
}

// runAndKill starts a child, kills it at a random moment and adds all that it
// said. It returns when that was.
func runAndKill(t *testing.T, path string, said *testimony) (moment string) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	sizes, err := json.Marshal(crashSizes())
	if err != nil {
		t.Fatal(err)
	}
	child := exec.CommandContext(t.Context(), self)
	child.Env = append(os.Environ(), crashEnv+"="+path, crashSizesEnv+"="+string(sizes))
	child.Stderr = os.Stderr
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	kill := func() {
		if err := child.Process.Kill(); err != nil {
			t.Error(err)
		}
	}
	enough, soon := rand.IntN(400), rand.IntN(3) == 0 // how many lines; or a moment after the start
	if rand.IntN(5) == 0 {
		enough = rand.IntN(3)
	}
	lines := bufio.NewScanner(out)
	moment = "before it started"
	for n := 0; lines.Scan(); n++ {
		switch line := lines.Text(); line {
		case "starting":
			if moment = "while it started"; soon {
				time.AfterFunc(time.Duration(rand.IntN(15_000))*time.Microsecond, kill)
			}
		case "recovering":
			moment = "while it recovered"
		case "working":
			moment = "at work"
		default:
			if err := said.hear(line); err != nil {
				t.Error(err)
			}
		}
		if !soon && n == enough {
			kill()
		}
	}
	if err := child.Wait(); err == nil || child.ProcessState.Exited() {
		t.Errorf("the child ended by itself: %v", err)
	}
	return moment
}

// crashTransfer is the transfer with an id.
func crashTransfer(id ledger.ID) ledger.Transfer {
	i := int(id[15]) % 2
	return ledger.Transfer{ID: id, Debit: crashAccounts[i], Credit: crashAccounts[1-i], Amount: 1, Code: crashCode, Reference: id}
}

// crashChild commits and says what, before and after, until it is killed.
func crashChild(path string) int {
	err := func() error {
		var sizes ledger.Sizes
		if err := json.Unmarshal([]byte(os.Getenv(crashSizesEnv)), &sizes); err != nil {
			return err
		}
		ledger.SetSizes(sizes)
		fmt.Println("starting")
		d, err := db.Open(context.Background(), db.Options{URL: "sqlite:" + path, Log: slog.New(slog.DiscardHandler)})
		if err != nil {
			return err
		}
		fmt.Println("recovering")
		l, err := ledger.Open(context.Background(), d)
		if err != nil {
			return err
		}
		fmt.Println("working")
		clients := crashClients{l, func(line string) { fmt.Println(line) }} // one write: no line is torn
		return clients.work(-1)
	}()
	fmt.Fprintln(os.Stderr, err)
	return 1
}

// crashClients are callers of a ledger that say what they are about to do, and
// what was acknowledged.
type crashClients struct {
	ledger *ledger.Ledger
	say    func(line string)
}

// work has all clients do their sort of work some times, without end when times
// is negative. It returns why they had to stop.
func (c crashClients) work(times int) error {
	failed := make([]error, crashCallers)
	var all sync.WaitGroup
	for i := range failed {
		all.Go(func() {
			for n := 0; n != times && failed[i] == nil; n++ {
				failed[i] = []func(int) error{c.transfer, c.packet, c.payment, c.forwarding}[i%4](i / 4)
			}
		})
	}
	all.Wait()
	return errors.Join(failed...)
}

// submit says what is submitted, before and after.
func (c crashClients) submit(step string, name ledger.ID, amount uint64, command ledger.Command) error {
	said := strings.Join([]string{step, name.String(), fmt.Sprint(amount)}, " ")
	c.say("try " + said)
	if err := c.ledger.Submit(context.Background(), ledger.Chain{command}, nil); err != nil {
		return fmt.Errorf("%s: %w", said, err)
	}
	c.say("did " + said)
	return nil
}

func (c crashClients) transfer(int) error {
	id := newID()
	if err := c.ledger.Submit(context.Background(), ledger.Chain{crashTransfer(id)}, note(id.String())); err != nil {
		return err
	}
	c.say("did transfer " + id.String() + " 1")
	return nil
}

func (c crashClients) packet(i int) error {
	amount := rand.Uint64N(9) + 1
	return c.submit("packet", ledger.ID{}, amount, ledger.Packet{
		Debit: crashAccounts[i], Credit: crashAccounts[2], Amount: amount, Code: crashCode, Reference: ledger.ID{1},
	})
}

// payment opens a hold, spends of it in all ways and perhaps closes it.
func (c crashClients) payment(int) error {
	reference := newID()
	ann, ben, peer := crashAccounts[0], crashAccounts[1], crashAccounts[2]
	take := ledger.Take{Reference: reference, Debit: ann, Credit: ben, Toward: peer, Amount: 20}
	for _, step := range []struct {
		name    string
		amount  uint64
		command ledger.Command
	}{
		{"open", 100, ledger.OpenHold{Reference: reference, Debit: ann, Credit: ben, Amount: 100}},
		{"take", 20, take},
		{"draw", 5, ledger.Draw{ID: newID(), Reference: reference, Debit: ann, Credit: ben, To: peer, Amount: 5, Code: 8}},
		{"take", 20, take},
		{"post", 15, ledger.Post{Reference: reference, Debit: ann, Credit: ben, To: peer, Amount: 15, Code: 8}},
		{"release", 25, ledger.Release{Reference: reference, Debit: ann, Credit: ben, Amount: 25}},
		{"close", 0, ledger.CloseHold{Reference: reference, Debit: ann, Credit: ben}},
	} {
		if step.name == "close" && rand.IntN(2) == 0 {
			return nil // the reservation stays
		}
		if err := c.submit(step.name, reference, step.amount, step.command); err != nil {
			return err
		}
	}
	return nil
}

// forwarding passes packets on from one peer to the other.
func (c crashClients) forwarding(int) error {
	reference := newID()
	from, to := crashAccounts[2], crashAccounts[3]
	outgoing := ledger.HouseAccount(usd, ledger.CodeOutgoing)
	take := ledger.Take{Reference: reference, Debit: from, Credit: outgoing, Toward: to, Amount: 30, Unreserved: true}
	for _, step := range []struct {
		name    string
		amount  uint64
		command ledger.Command
	}{
		{"peer-take", 30, take},
		{"post", 10, ledger.Post{Reference: reference, Debit: from, Credit: outgoing, To: to, Amount: 10, Code: 8}},
		{"peer-release", 20, ledger.Release{Reference: reference, Debit: from, Credit: outgoing, Amount: 20}},
		{"peer-take", 30, take},
	} {
		if err := c.submit(step.name, reference, step.amount, step.command); err != nil {
			return err
		}
	}
	return nil
}
