package accounts_test

import (
	"context"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"pochi/app/accounts"
	"pochi/app/problem"
	"pochi/db"
	"pochi/ledger"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
)

var (
	usd = ledger.Asset{Code: "USD", Scale: 2}
	jpy = ledger.Asset{Code: "JPY", Scale: 0}
)

type wallet struct {
	*accounts.Service
	t      *testing.T
	db     *db.DB
	ledger *ledger.Ledger
}

func newWallet(t *testing.T) *wallet {
	t.Helper()
	ctx := context.Background()
	d, err := db.Open(ctx, db.Options{URL: "sqlite:" + filepath.Join(t.TempDir(), "pochi.db")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	l, err := ledger.Open(ctx, d)
	if err != nil {
		t.Fatal(err)
	}
	for _, asset := range []ledger.Asset{usd, jpy} {
		if _, err := l.OpenAsset(ctx, asset, 0); err != nil {
			t.Fatal(err)
		}
	}
	return &wallet{accounts.New(d, l, []ledger.Asset{usd, jpy}, time.Now), t, d, l}
}

// signUp returns a new person with an account in dollars.
func (w *wallet) signUp(pointer string) (person, account uuid.UUID) {
	w.t.Helper()
	ctx := context.Background()
	person = uuid.Must(uuid.NewV7())
	chain, rows, err := w.Opening(ctx, person, "USD", pointer)
	if err != nil {
		w.t.Fatal(err)
	}
	err = w.ledger.Submit(ctx, chain, func(tx db.Tx) error {
		_, err := tx.ExecContext(ctx, "INSERT INTO users (id, email, name, password_hash, created_at) VALUES (?, ?, ?, '', 0)",
			person[:], pointer+"@example.com", pointer)
		if err != nil {
			return err
		}
		return rows(tx)
	})
	if err != nil {
		w.t.Fatal(err)
	}
	list, err := w.List(ctx, person)
	if err != nil || len(list) != 1 {
		w.t.Fatal(list, err)
	}
	return person, list[0].ID
}

func TestOpeningMakesAccountAndPointer(t *testing.T) {
	w := newWallet(t)
	ann, account := w.signUp("ann")
	list, err := w.List(context.Background(), ann)
	if err != nil {
		t.Fatal(err)
	}
	want := []accounts.Account{{
		ID: account, UserID: ann, Name: accounts.FirstAccountName,
		Available: ledger.Amount{Asset: usd}, Pending: ledger.Amount{Asset: usd},
	}}
	if diff := cmp.Diff(want, list); diff != "" {
		t.Error(diff)
	}
	payee, err := w.PayeeByName(context.Background(), "Ann")
	if err != nil || payee.AccountID != account || payee.PersonName != "ann" || payee.Asset != usd {
		t.Errorf("payee %+v, %v", payee, err)
	}
}

func TestOpeningTellsAllThatIsWrong(t *testing.T) {
	w := newWallet(t)
	_, _, err := w.Opening(context.Background(), uuid.New(), "XXX", "a b")
	fields := problem.Fields(err)
	if fields["currency"] == "" || fields["pointer"] == "" {
		t.Errorf("%v", err)
	}
}

// Two people choose the same free name at the same time: one gets it.
func TestPointerRace(t *testing.T) {
	w := newWallet(t)
	ctx := context.Background()
	ann, annAccount := w.signUp("ann")
	ben, benAccount := w.signUp("ben")
	errs := make([]error, 2)
	var both sync.WaitGroup
	both.Go(func() { errs[0] = w.AddPointer(ctx, ann, "shop", annAccount) })
	both.Go(func() { errs[1] = w.AddPointer(ctx, ben, "shop", benAccount) })
	both.Wait()
	if (errs[0] == nil) == (errs[1] == nil) {
		t.Fatalf("want one winner: %v, %v", errs[0], errs[1])
	}
	for _, err := range errs {
		if err != nil && problem.Fields(err)["name"] == "" {
			t.Errorf("the loser sees %v", err)
		}
	}
}

func TestParseName(t *testing.T) {
	for name, want := range map[string]string{
		"ann": "ann", " Ann ": "ann", "ann-1": "ann-1", "a1b": "a1b", strings.Repeat("a", 30): strings.Repeat("a", 30),
	} {
		if got, err := accounts.ParseName("pointer", name); err != nil || got != want {
			t.Errorf("%q: %q, %v", name, got, err)
		}
	}
	for name, says := range map[string]string{
		"": "Choose", "an": "3 to 30", strings.Repeat("a", 31): "3 to 30", "1ann": "Start with a letter", "ann-": "Start with a letter",
		"a--b": "Start with a letter", "-ann": "Start with a letter", "änn": "letters a to z", "ann.b": "letters a to z",
		"a/b": "letters a to z", "ann b": "letters a to z", "admin": "reserved", "Login": "reserved", "oauth2": "reserved",
	} {
		_, err := accounts.ParseName("pointer", name)
		if err == nil || err.Field != "pointer" || !strings.Contains(err.Message, says) {
			t.Errorf("%q: %v, want %q", name, err, says)
		}
	}
}

func TestOpenRenameClose(t *testing.T) {
	w := newWallet(t)
	ctx := context.Background()
	ann, first := w.signUp("ann")
	ben, _ := w.signUp("ben")
	yen, err := w.Open(ctx, ann, "JPY", "")
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Rename(ctx, ann, yen, "  Japan   trip "); err != nil {
		t.Fatal(err)
	}
	if a, err := w.Find(ctx, ann, yen); err != nil || a.Name != "Japan trip" || a.Asset() != jpy {
		t.Errorf("%+v, %v", a, err)
	}
	for _, name := range []string{"👩\u200d🚀 Mars", "پس\u200cانداز"} {
		if err := w.Rename(ctx, ann, yen, name); err != nil {
			t.Errorf("rename to %q: %v", name, err)
		}
		if now, err := w.Name(ctx, ann, yen); err != nil || now != name {
			t.Errorf("after it was renamed to %q: %q, %v", name, now, err)
		}
	}
	if name, err := w.Name(ctx, ben, yen); problem.CodeOf(err) != problem.NotFound {
		t.Errorf("Ben reads what Ann calls it: %q, %v", name, err)
	}
	for _, name := range []string{"", "  ", strings.Repeat("x", 41), "a\u202eb", "a\x00b", "\u3164", "\u2800 \u2800", "\u200d"} {
		if err := w.Rename(ctx, ann, yen, name); problem.Fields(err)["name"] == "" {
			t.Errorf("rename to %q: %v", name, err)
		}
	}
	if _, err := w.Open(ctx, ann, "XXX", "x"); problem.Fields(err)["currency"] == "" {
		t.Errorf("open in XXX: %v", err)
	}
	if err := w.Rename(ctx, ben, yen, "Mine"); problem.CodeOf(err) != problem.NotFound {
		t.Errorf("Ben renames Ann's account: %v", err)
	}
	if err := w.Close(ctx, ben, yen); problem.CodeOf(err) != problem.NotFound {
		t.Errorf("Ben closes Ann's account: %v", err)
	}
	if err := w.Close(ctx, ann, first); problem.CodeOf(err) != problem.Conflict {
		t.Errorf("close an account that a pointer pays: %v", err)
	}
	if err := w.Close(ctx, ann, yen); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(ctx, ann, yen); problem.CodeOf(err) != problem.NotFound {
		t.Errorf("close twice: %v", err)
	}
	if list, err := w.List(ctx, ann); err != nil || len(list) != 1 {
		t.Errorf("%v, %v", list, err)
	}
	if list, err := w.ListClosed(ctx, ann); err != nil || len(list) != 1 || list[0].ID != yen || !list[0].Closed {
		t.Errorf("closed: %v, %v", list, err)
	}
	if list, err := w.ListClosed(ctx, ben); err != nil || len(list) != 0 {
		t.Errorf("closed by Ben: %v, %v", list, err)
	}
}

// Accounts without a name of their own are told apart by a number, also at the
// same time and from those that are closed.
func TestOpenWithoutName(t *testing.T) {
	w := newWallet(t)
	ctx := context.Background()
	ann, _ := w.signUp("ann")
	ben, _ := w.signUp("ben")
	if _, err := w.Open(ctx, ann, "USD", "USD 3"); err != nil {
		t.Fatal(err)
	}
	closed, err := w.Open(ctx, ann, "USD", "")
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Close(ctx, ann, closed); err != nil {
		t.Fatal(err)
	}
	var both sync.WaitGroup
	for range 2 {
		both.Go(func() {
			if _, err := w.Open(ctx, ann, "USD", " "); err != nil {
				t.Error(err)
			}
		})
	}
	both.Wait()
	for _, open := range []struct {
		person   uuid.UUID
		currency string
	}{{ann, "JPY"}, {ben, "USD"}} {
		if _, err := w.Open(ctx, open.person, open.currency, ""); err != nil {
			t.Fatal(err)
		}
	}
	for person, want := range map[uuid.UUID][]string{
		ann: {accounts.FirstAccountName, "JPY", "USD 2", "USD 3", "USD 4"}, ben: {accounts.FirstAccountName, "USD"},
	} {
		list, err := w.List(ctx, person)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, a := range list {
			got = append(got, a.Name)
		}
		slices.Sort(got)
		slices.Sort(want)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	}
}

func TestClosesOnce(t *testing.T) {
	one, none := ledger.Amount{Value: 1, Asset: usd}, ledger.Amount{Asset: usd}
	for _, test := range []struct {
		available, pending ledger.Amount
		paid               bool
		apps               []string
		want               string
	}{
		{none, none, false, nil, ""},
		{none, none, true, nil, "no payment pointer pays it"},
		{none, one, false, nil, "its payments have ended"},
		{none, one, true, nil, "its payments have ended and no payment pointer pays it"},
		{one, none, false, nil, "it is empty"},
		{one, one, true, nil, "it is empty and no payment pointer pays it"}, // what is on its way is in it too
		{none, none, false, []string{"Shop"}, "you have revoked what Shop may spend from it"},
		{one, none, false, []string{"Jar", "News", "Shop"}, "it is empty and you have revoked what Jar, News and Shop may spend from it"},
	} {
		a := accounts.Account{Available: test.available, Pending: test.pending}
		if got := a.ClosesOnce(test.paid, test.apps); got != test.want {
			t.Errorf("%+v: %q, want %q", test, got, test.want)
		}
	}
}

func TestAccountWithMoneyStaysOpen(t *testing.T) {
	w := newWallet(t)
	ctx := context.Background()
	ann, _ := w.signUp("ann")
	yen, err := w.Open(ctx, ann, "JPY", "Yen")
	if err != nil {
		t.Fatal(err)
	}
	err = w.ledger.Submit(ctx, ledger.Chain{ledger.Transfer{
		ID: uuid.Must(uuid.NewV7()), Debit: ledger.HouseAccount(jpy, ledger.CodeEquity), Credit: yen, Amount: 1,
	}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	err = w.Close(ctx, ann, yen)
	if problem.CodeOf(err) != problem.Conflict || !strings.Contains(problem.MessageOf(err), "once it is empty.") {
		t.Errorf("close with money in it: %v", err)
	}
}

func TestRepoint(t *testing.T) {
	w := newWallet(t)
	ctx := context.Background()
	ann, first := w.signUp("ann")
	ben, benAccount := w.signUp("ben")
	yen, err := w.Open(ctx, ann, "JPY", "Yen")
	if err != nil {
		t.Fatal(err)
	}
	pointers, err := w.Pointers(ctx, ann)
	if err != nil || len(pointers) != 1 {
		t.Fatal(pointers, err)
	}
	id := pointers[0].ID
	if err := w.AddPointer(ctx, ann, " Ann ", first); !strings.Contains(problem.Fields(err)["name"], "You have this pointer") {
		t.Errorf("the same pointer again: %v", err)
	}
	if err := w.AddPointer(ctx, ben, "ann", benAccount); !strings.Contains(problem.Fields(err)["name"], "Somebody has this name") {
		t.Errorf("another's pointer: %v", err)
	}
	for name, err := range map[string]error{
		"somebody else's account": w.Repoint(ctx, ann, id, benAccount),
		"no account":              w.Repoint(ctx, ann, id, uuid.Nil),
		"another's pointer":       w.Repoint(ctx, ben, id, benAccount),
		"add to another's":        w.AddPointer(ctx, ann, "second", benAccount),
	} {
		if err == nil {
			t.Errorf("%s was accepted", name)
		}
	}
	if err := w.Repoint(ctx, ann, id, yen); err != nil {
		t.Fatal(err)
	}
	if payee, err := w.PayeeByID(ctx, id); err != nil || payee.AccountID != yen || payee.Asset != jpy {
		t.Errorf("%+v, %v", payee, err)
	}
	if err := w.Close(ctx, ann, first); err != nil {
		t.Errorf("close the account that nothing pays any more: %v", err)
	}
	if err := w.Repoint(ctx, ann, id, first); problem.Fields(err)["account"] == "" {
		t.Errorf("pay a closed account: %v", err)
	}
}

func TestLimits(t *testing.T) {
	w := newWallet(t)
	ctx := context.Background()
	ann, first := w.signUp("ann")
	for range accounts.AccountsMax - 1 {
		if _, err := w.Open(ctx, ann, "JPY", "Yen"); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := w.Open(ctx, ann, "JPY", "Yen"); problem.CodeOf(err) != problem.Conflict {
		t.Errorf("one account too many: %v", err)
	}
	for i := range accounts.PointersMax - 1 {
		if err := w.AddPointer(ctx, ann, "ann-"+strings.Repeat("x", i/10+1)+string(rune('0'+i%10)), first); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.AddPointer(ctx, ann, "one-more", first); problem.CodeOf(err) != problem.Conflict {
		t.Errorf("one pointer too many: %v", err)
	}
}
