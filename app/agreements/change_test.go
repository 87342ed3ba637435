package agreements_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"pochi/app/agreements"
	"pochi/app/problem"
	"pochi/ledger"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"
)

// Only its owner changes an agreement, only its app gives it up, and neither once it
// has ended.
func TestWhoMayChangeWhat(t *testing.T) {
	w := newWallet(t)
	ann, ben := w.person("ann"), w.person("ben")
	a := w.approve(ann, monthly(t))
	for who, id := range map[string]uuid.UUID{"somebody else": ben.id, "nobody": uuid.Nil} {
		wantCode(t, who+" lowers it", w.Lower(ctx, id, a.ID, 1), problem.NotFound)
		wantCode(t, who+" pauses it", w.Pause(ctx, id, a.ID), problem.NotFound)
		wantCode(t, who+" resumes it", w.Resume(ctx, id, a.ID), problem.NotFound)
		wantCode(t, who+" revokes it", w.Revoke(ctx, id, a.ID), problem.NotFound)
		_, err := w.FindOf(ctx, id, a.ID)
		wantCode(t, who+" finds it", err, problem.NotFound)
	}
	wantCode(t, "another app gives it up", w.GiveUp(ctx, "another", a.ID), problem.NotFound)
	_, err := w.OfClient(ctx, "another", a.ID)
	wantCode(t, "another app finds it", err, problem.NotFound)
	if got, err := w.OfClient(ctx, "shop", a.ID); err != nil || got.State != agreements.Active {
		t.Errorf("%+v, %v", got, err)
	}
	for _, amount := range []uint64{0, 1201} {
		if err := w.Lower(ctx, ann.id, a.ID, amount); problem.Fields(err)["amount"] == "" {
			t.Errorf("lower to %d: %v", amount, err)
		}
	}
	asked, err := w.Propose(ctx, "shop", "Shop", monthly(t))
	if err != nil {
		t.Fatal(err)
	}
	wantCode(t, "give up what was only asked for", w.GiveUp(ctx, "shop", asked.ID), problem.NotFound)
	if err := w.GiveUp(ctx, "shop", a.ID); err != nil {
		t.Fatal(err)
	}
	wantCode(t, "lower what has ended", w.Lower(ctx, ann.id, a.ID, 1), problem.Conflict)
	wantCode(t, "pause what has ended", w.Pause(ctx, ann.id, a.ID), problem.Conflict)
	wantCode(t, "resume what has ended", w.Resume(ctx, ann.id, a.ID), problem.Conflict)
	wantCode(t, "revoke what has ended", w.Revoke(ctx, ann.id, a.ID), "")
	if got := w.find(a.ID); got.State != agreements.Revoked || !got.EndedAt.Equal(w.now()) {
		t.Errorf("%+v", got)
	}
}

// The same click, twice, leaves one line in the timeline.
func TestChangesCanBeRepeated(t *testing.T) {
	w := newWallet(t)
	ann := w.person("ann")
	a := w.approve(ann, monthly(t))
	for range 2 {
		for _, err := range []error{w.Lower(ctx, ann.id, a.ID, 1000), w.Pause(ctx, ann.id, a.ID), w.Pause(ctx, ann.id, a.ID)} {
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	w.set("2027-02-01T00:00:00Z")
	for range 2 {
		if err := w.Revoke(ctx, ann.id, a.ID); err != nil {
			t.Fatal(err)
		}
	}
	got, err := w.Timeline(ctx, a.ID)
	begun := moment(t, "2027-01-31T12:00:00Z")
	want := []agreements.Event{
		{Agreement: a.ID, Kind: agreements.EventAsked, At: begun, Amount: 1200},
		{Agreement: a.ID, Kind: agreements.EventApproved, At: begun, Amount: 1200},
		{Agreement: a.ID, Kind: agreements.EventLowered, At: begun, Amount: 1000},
		{Agreement: a.ID, Kind: agreements.EventPaused, At: begun, Amount: 1000},
		{Agreement: a.ID, Kind: agreements.EventRevoked, At: w.now(), Amount: 1000},
	}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Error(diff, err)
	}
}

func TestAnAgreementExpires(t *testing.T) {
	w := newWallet(t)
	ann := w.person("ann")
	terms := monthly(t)
	terms.Interval = rule(t, "R2/P1M") // until 31 March
	a := w.approve(ann, terms)
	w.set("2027-03-31T11:59:59Z")
	if got := w.find(a.ID); got.State != agreements.Active {
		t.Errorf("%+v", got)
	}
	w.set("2027-03-31T12:00:00Z")
	got := w.find(a.ID)
	if got.State != agreements.Expired || !got.EndedAt.Equal(w.now()) {
		t.Errorf("%+v", got)
	}
	list, err := w.List(ctx, ann.id)
	if diff := cmp.Diff([]agreements.Agreement{got}, list); diff != "" || err != nil {
		t.Error(diff, err)
	}
	timeline, err := w.Timeline(ctx, a.ID)
	if err != nil || timeline[len(timeline)-1].Kind != agreements.EventExpired {
		t.Errorf("%+v, %v", timeline, err)
	}
	wantCode(t, "pause it", w.Pause(ctx, ann.id, a.ID), problem.Conflict)
	if err := w.EndApp(ctx, "shop", "The app was removed."); err != nil {
		t.Error(err)
	}
}

func TestAnAppsEnd(t *testing.T) {
	w := newWallet(t)
	ann := w.person("ann")
	var ended []uuid.UUID
	var one sync.Mutex
	w.OnEnd(func(id uuid.UUID) {
		one.Lock()
		defer one.Unlock()
		ended = append(ended, id)
	})
	a, b := w.approve(ann, monthly(t)), w.approve(ann, monthly(t))
	if err := w.Pause(ctx, ann.id, b.ID); err != nil {
		t.Fatal(err)
	}
	yes := approval(ann, monthly(t))
	yes.ClientID = "another"
	other, err := w.Approve(ctx, yes)
	if err != nil {
		t.Fatal(err)
	}
	asked, err := w.Propose(ctx, "shop", "Shop", monthly(t))
	if err != nil {
		t.Fatal(err)
	}
	if err := w.EndApp(ctx, "shop", "The app was removed."); err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(ended, func(a, b uuid.UUID) int { return strings.Compare(a.String(), b.String()) })
	if diff := cmp.Diff([]uuid.UUID{a.ID, b.ID}, ended); diff != "" {
		t.Error(diff)
	}
	wantCode(t, "another app's token", w.Live(ctx, other.ID), "")
	_, err = w.Proposal(ctx, "shop", asked.ID)
	wantCode(t, "what it has asked for", err, problem.NotFound)
	timeline, err := w.Timeline(ctx, b.ID)
	if last := timeline[len(timeline)-1]; err != nil || last.Kind != agreements.EventGivenUp || last.Note != "The app was removed." {
		t.Errorf("%+v, %v", last, err)
	}
}

func TestAnApprovalThatIsRefused(t *testing.T) {
	w := newWallet(t)
	ann, ben := w.person("ann"), w.person("ben")
	asked, err := w.Propose(ctx, "shop", "Shop", monthly(t))
	if err != nil {
		t.Fatal(err)
	}
	closed, err := w.accounts.Open(ctx, ann.id, "USD", "")
	if err != nil {
		t.Fatal(err)
	}
	if err := w.accounts.Close(ctx, ann.id, closed); err != nil {
		t.Fatal(err)
	}
	good := agreements.Approval{Proposal: asked.ID, UserID: ann.id, AccountID: ann.account, ClientID: "shop", Amount: 1200, Consent: challenge()}
	for name, c := range map[string]struct {
		change func(*agreements.Approval)
		code   problem.Code
		field  string
	}{
		"somebody else's account": {func(p *agreements.Approval) { p.AccountID = ben.account }, problem.Invalid, "account"},
		"a closed account":        {func(p *agreements.Approval) { p.AccountID = closed }, problem.Invalid, "account"},
		"no account":              {func(p *agreements.Approval) { p.AccountID = uuid.Nil }, problem.Invalid, "account"},
		"nothing":                 {func(p *agreements.Approval) { p.Amount = 0 }, problem.Invalid, "amount"},
		"more than was asked for": {func(p *agreements.Approval) { p.Amount = 1201 }, problem.Invalid, "amount"},
		"another app's":           {func(p *agreements.Approval) { p.ClientID = "another" }, problem.NotFound, ""},
		"none":                    {func(p *agreements.Approval) { p.Proposal = uuid.New() }, problem.NotFound, ""},
	} {
		p := good
		c.change(&p)
		_, err := w.Approve(ctx, p)
		if problem.CodeOf(err) != c.code || c.field != "" && problem.Fields(err)[c.field] == "" {
			t.Errorf("%s: %v", name, err)
		}
	}
	w.set("2027-02-01T12:00:00Z")
	_, err = w.Approve(ctx, good)
	wantCode(t, "a day later", err, problem.Gone)
	bad := approval(ann, monthly(t))
	bad.Terms.Amount.Value = 0
	_, err = w.Approve(ctx, bad)
	if problem.Fields(err)["amount"] == "" {
		t.Errorf("terms that nobody may ask for: %v", err)
	}
	late := approval(ann, monthly(t))
	late.Terms.ExpiresAt = w.now()
	_, err = w.Approve(ctx, late)
	wantCode(t, "terms that have expired while they were read", err, problem.Gone)
}

// The same answer, again, is the same agreement; another one is refused.
func TestAConsentIsAnsweredOnce(t *testing.T) {
	w := newWallet(t)
	ann, ben := w.person("ann"), w.person("ben")
	yes := approval(ann, monthly(t))
	yes.Amount = 1000
	a, err := w.Approve(ctx, yes)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Lower(ctx, ann.id, a.ID, 500); err != nil {
		t.Fatal(err)
	}
	if again, err := w.Approve(ctx, yes); err != nil || again.ID != a.ID || again.Amount.Value != 500 {
		t.Errorf("%+v, %v", again, err)
	}
	other, err := w.accounts.Open(ctx, ann.id, "USD", "")
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*agreements.Approval){
		"another amount":  func(p *agreements.Approval) { p.Amount = 999 },
		"another account": func(p *agreements.Approval) { p.AccountID = other },
		"another person":  func(p *agreements.Approval) { p.UserID, p.AccountID = ben.id, ben.account },
		"another app":     func(p *agreements.Approval) { p.ClientID = "another" },
		"other terms":     func(p *agreements.Approval) { p.Terms.Interval = parsed("R/P1W") },
		"a cap":           func(p *agreements.Approval) { p.Terms.PaymentMax = 100 },
	} {
		p := yes
		change(&p)
		_, err := w.Approve(ctx, p)
		wantCode(t, name, err, problem.Conflict)
	}
	if err := w.Revoke(ctx, ann.id, a.ID); err != nil {
		t.Fatal(err)
	}
	_, err = w.Approve(ctx, yes)
	wantCode(t, "it has been revoked", err, problem.Gone)
}

func TestLimitsOnNumbers(t *testing.T) {
	w := newWallet(t)
	ann := w.person("ann")
	propose := func() error {
		_, err := w.Propose(ctx, "shop", "Shop", monthly(t))
		return err
	}
	times(t, agreements.ProposalsMax, propose)
	wantCode(t, "one request too many", propose(), problem.TooMany)
	if _, err := w.Propose(ctx, "another", "Another", monthly(t)); err != nil {
		t.Error(err)
	}
	w.set("2027-02-01T12:00:00Z")
	if err := propose(); err != nil {
		t.Errorf("a day later: %v", err)
	}
	approve := func() error {
		_, err := w.Approve(ctx, approval(ann, monthly(t)))
		return err
	}
	times(t, agreements.LiveMax, approve)
	wantCode(t, "one agreement too many", approve(), problem.Conflict)
}

// times does something so often, many at once.
func times(t *testing.T, n int, do func() error) {
	t.Helper()
	var all errgroup.Group
	all.SetLimit(64)
	for range n {
		all.Go(do)
	}
	if err := all.Wait(); err != nil {
		t.Fatal(err)
	}
}

func TestAnAccountThatAppsSpendFromStaysOpen(t *testing.T) {
	w := newWallet(t)
	ann := w.person("ann")
	account, err := w.accounts.Open(ctx, ann.id, "EUR", "")
	if err != nil {
		t.Fatal(err)
	}
	for i, app := range []string{"Shop", "Jar", "Shop"} {
		yes := approval(person{ann.id, account}, monthly(t))
		yes.App, yes.ClientID = app, fmt.Sprint(i)
		if _, err := w.Approve(ctx, yes); err != nil {
			t.Fatal(err)
		}
	}
	err = w.accounts.Close(ctx, ann.id, account)
	wantCode(t, "close it", err, problem.Conflict)
	if want := "The account can be closed once you have revoked what Jar and Shop may spend from it."; problem.MessageOf(err) != want {
		t.Errorf("%q, want %q", problem.MessageOf(err), want)
	}
	all, err := w.List(ctx, ann.id)
	if err != nil {
		t.Fatal(err)
	}
	for i, a := range all {
		if i == 0 { // a stream to a peer leaves an empty hold behind
			w.stream(a, account)
		}
		if err := w.Revoke(ctx, ann.id, a.ID); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.accounts.Close(ctx, ann.id, account); err != nil {
		t.Error(err)
	}
}

// stream takes a packet to another node into flight and releases it.
func (w *wallet) stream(a agreements.Agreement, account uuid.UUID) {
	w.t.Helper()
	via, toward := ledger.HouseAccount(eur, ledger.CodeOutgoing), ledger.HouseAccount(eur, ledger.CodeExchange)
	for _, chain := range []ledger.Chain{
		{ledger.Transfer{ID: uuid.Must(uuid.NewV7()), Debit: ledger.HouseAccount(eur, ledger.CodeEquity), Credit: account, Amount: 5}},
		{ledger.Take{Reference: a.ID, Debit: account, Credit: via, Toward: toward, Amount: 5, Unreserved: true}},
		{ledger.Release{Reference: a.ID, Debit: account, Credit: via, Amount: 5}},
		{ledger.Transfer{ID: uuid.Must(uuid.NewV7()), Debit: account, Credit: ledger.HouseAccount(eur, ledger.CodeEquity), Amount: 5}},
	} {
		if err := w.ledger.Submit(ctx, chain, nil); err != nil {
			w.t.Fatal(err)
		}
	}
}
