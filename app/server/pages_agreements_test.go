package server

import (
	"context"
	"crypto/sha256"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"pochi/app/agreements"
	"pochi/app/agreements/interval"
	"pochi/app/payments"
	"pochi/db"
	"pochi/ledger"

	"github.com/google/uuid"
)

const flowerShop = "5f3c9e0a-7b1d-4c5e-9a55-1f0e2d3c4b5a"

// allow makes an agreement of the person with the flower shop, over so many cents
// a month unless change says otherwise.
func (b *browser) allow(cents uint64, change func(*agreements.Terms)) uuid.UUID {
	b.t.Helper()
	ctx := context.Background()
	account, err := uuid.Parse(b.account())
	if err != nil {
		b.t.Fatal(err)
	}
	var owner uuid.UUID
	if err := b.server.db.Read.QueryRowContext(ctx, "SELECT user_id FROM wallet_accounts WHERE id = ?", account[:]).Scan(&owner); err != nil {
		b.t.Fatal(err)
	}
	monthly, err := interval.Parse("R/P1M")
	if err != nil {
		b.t.Fatal(err)
	}
	terms := agreements.Terms{
		Description: "A bunch of flowers every week", Amount: ledger.Amount{Value: cents, Asset: ledger.Asset{Code: "USD", Scale: 2}}, Interval: monthly,
	}
	if change != nil {
		change(&terms)
	}
	a, err := b.server.agreements.Approve(ctx, agreements.Approval{
		UserID: owner, AccountID: account, ClientID: flowerShop, App: "Flower Shop", Terms: terms, Amount: terms.Amount.Value,
		Consent: sha256.Sum256([]byte(uuid.NewString())),
	})
	if err != nil {
		b.t.Fatal(err)
	}
	return a.ID
}

// charge has the shop pay a pointer so many cents.
func (b *browser) charge(agreement uuid.UUID, pointer string, cents int) {
	b.t.Helper()
	ctx := context.Background()
	c, err := b.server.payments.Charge(ctx, payments.ChargeRequest{
		AgreementID: agreement, Key: uuid.NewString(), Receiver: pointer, Fixed: payments.FixedDebit, Amount: fmt.Sprint(cents),
	})
	if err != nil {
		b.t.Fatal(err)
	}
	b.server.payments.Wait(ctx, c.ID)
}

// raw are the signs of ISO 8601 intervals.
var raw = regexp.MustCompile(`R\d*/|P\d+[DWMY]|PT\d`)

// buyer is Ann with 100 dollars, and Ben.
func buyer(t *testing.T) (s *server, ann, ben *browser) {
	t.Helper()
	s = newWallet(t)
	ann, ben = signUp(t, s, "ann", "USD"), signUp(t, s, "ben", "USD")
	ann.post("/deposit", "account", ann.account(), "amount", "100").expect(t, "deposit", http.StatusSeeOther)
	return s, ann, ben
}

func TestAgreementPages(t *testing.T) {
	_, ann, ben := buyer(t)
	ann.get("/agreements").expect(t, "no agreement", http.StatusOK, "No app may spend anything")
	ann.get("/").expect(t, "home", http.StatusOK, `href="/agreements"`)
	id := ann.allow(1200, func(terms *agreements.Terms) { terms.PaymentMax, terms.Receivers = 500, []string{pointerOf + "ben"} })
	path := "/agreements/" + id.String()
	ann.charge(id, pointerOf+"ben", 300)

	list := ann.get("/agreements").expect(t, "the list", http.StatusOK, "Flower Shop", "A bunch of flowers every week", "Active",
		"$12.00", "a month", "$3.00", " used", "$9.00", " left", "Renews on", `href="`+path+`"`)
	page := ann.get(path).expect(t, "its page", http.StatusOK, "Spend up to $12.00 USD a month from Everyday.", "Pay $5.00 USD at most at a time.",
		"Pay "+pointerOf+"ben.", "Pay anybody else.", "Go on until you revoke it.", "You allowed $12.00 USD a month.", "−$3.00", `href="/payments/`)
	for what, body := range map[string]string{"the list": list.Body, "its page": page.Body} {
		if found := raw.FindString(body); found != "" {
			t.Errorf("%s shows %q", what, found)
		}
	}
	for _, below := range []string{"", "/lower", "/revoke"} {
		ben.get(path+below).expect(t, "Ben at "+below, http.StatusNotFound)
	}
	for _, act := range []string{"/pause", "/resume", "/revoke", "/lower", "/notice"} {
		ben.post(path+act, "amount", "1").expect(t, "Ben's "+act, http.StatusNotFound)
	}
	if page := ben.get("/agreements").Body; strings.Contains(page, "Flower Shop") {
		t.Error("Ben sees Ann's agreement")
	}
}

func TestPauseAndResume(t *testing.T) {
	_, ann, _ := buyer(t)
	path := "/agreements/" + ann.allow(1200, nil).String()
	ann.get(path).expect(t, "its page", http.StatusOK, "Pause")
	ann.post(path+"/pause").expect(t, "pause", http.StatusSeeOther)
	ann.get(path).expect(t, "paused", http.StatusOK, "The agreement is paused.", "Paused", "You paused it.", "Resume")
	ann.post(path+"/resume").expect(t, "resume", http.StatusSeeOther)
	if page := ann.get(path).expect(t, "resumed", http.StatusOK, "You resumed it.", "Active"); strings.Contains(page.Body, "Nothing is paid under it") {
		t.Error("it still says that it is paused")
	}
}

func TestLowerAnAgreement(t *testing.T) {
	_, ann, _ := buyer(t)
	id := ann.allow(1200, nil)
	path := "/agreements/" + id.String()
	ann.charge(id, pointerOf+"ben", 300)
	ann.get(path+"/lower").expect(t, "the form", http.StatusOK, "$12.00", "a month", "$3.00", "You can't raise the limit again")
	for typed, want := range map[string]string{
		"": "Enter an amount.", "many": "Enter the amount as a number", "20": "You can lower the amount, not raise it", "0": "must be more than 0", "1.005": "at most 2 decimals",
	} {
		ann.post(path+"/lower", "amount", typed).expect(t, "lower to "+typed, http.StatusUnprocessableEntity, want, "error-summary", `value="`+typed+`"`)
	}
	ann.post(path+"/lower", "amount", "5").expect(t, "lower", http.StatusSeeOther)
	ann.get(path).expect(t, "lowered", http.StatusOK, "The limit is lowered", "You lowered the limit to $5.00 USD.", "$2.00", "Spend up to $5.00 USD a month")
	ann.post(path+"/lower", "amount", "1").expect(t, "below what is used", http.StatusSeeOther)
	page := ann.get(path).expect(t, "lowered again", http.StatusOK, "$0.00", "bar-full", "Used up", "Nothing left until", "$1.00 USD a month from", "lowered from $12.00 USD.")
	if strings.Contains(page.Body, "Active") || strings.Contains(page.Body, "Renews on") {
		t.Error("what is used up is said to be active")
	}
	ann.get("/agreements").expect(t, "the list", http.StatusOK, "Used up", "Nothing left until")
}

// Of a limit that was lowered below what is used it isn't said that this was used.
func TestLoweredBelowWhatIsUsed(t *testing.T) {
	s, ann, _ := buyer(t)
	id := ann.allow(1000, nil)
	path := "/agreements/" + id.String()
	ann.charge(id, pointerOf+"ben", 800)
	ann.post(path+"/lower", "amount", "1").expect(t, "lower", http.StatusSeeOther)
	s.look(t, ann, "can spend again from")
	ann.post(path+"/pause").expect(t, "pause", http.StatusSeeOther)
	if strings.Contains(ann.get("/").Body, "can spend again") {
		t.Error("what is paused is said to be able to spend again")
	}
	ann.post(path+"/resume").expect(t, "resume", http.StatusSeeOther)
	home := ann.get("/").expect(t, "home", http.StatusOK, "Flower Shop has used $8.00 USD, and has nothing left of $1.00 USD a month.")
	page := ann.get(path).expect(t, "its page", http.StatusOK, "$8.00 USD was used, and nothing was left.")
	for _, p := range []string{home.Body, page.Body} {
		if strings.Contains(p, "used up its $1.00") || strings.Contains(p, "All of the limit") {
			t.Error("more was used than the limit that is said to be used up")
		}
	}
	ann.post(path+"/revoke").expect(t, "revoke", http.StatusSeeOther)
	ann.get(path).expect(t, "ended", http.StatusOK, "It could", "Spend up to $1.00 USD a month from", "lowered from $10.00 USD.")
}

// Revoking takes two clicks, and neither the app nor Hydra, which isn't there.
func TestRevokeAnAgreement(t *testing.T) {
	s, ann, _ := buyer(t)
	id := ann.allow(1200, nil)
	path := "/agreements/" + id.String()
	ann.charge(id, pointerOf+"ben", 300)
	ann.get(path).expect(t, "its page", http.StatusOK, `href="`+path+`/revoke"`)
	ann.get(path+"/revoke").expect(t, "asked", http.StatusOK, "spend anything under it any more, at once", "You can&#39;t take this back", `action="`+path+`/revoke"`)
	if got := ann.get(path); !strings.Contains(got.Body, "Active") {
		t.Error("asking has revoked it")
	}
	ann.post(path+"/revoke").expect(t, "revoke", http.StatusSeeOther)
	_, err := s.payments.Charge(t.Context(), payments.ChargeRequest{
		AgreementID: id, Key: "k", Receiver: pointerOf + "ben", Fixed: payments.FixedDebit, Amount: "1",
	})
	if err == nil {
		t.Error("it can be charged")
	}
	page := ann.get(path).expect(t, "revoked", http.StatusOK, "The agreement is revoked.", "Revoked", "You revoked it.", "It could", "−$3.00")
	for _, action := range []string{"/pause", "/lower", path + "/revoke"} {
		if strings.Contains(page.Body, action) {
			t.Errorf("it offers %s", action)
		}
	}
	ann.get("/agreements").expect(t, "the list", http.StatusOK, "No app may spend anything now", "Ended", "Flower Shop", `href="`+path+`"`)
	ann.post(path+"/revoke").expect(t, "revoke it again", http.StatusSeeOther)
	ann.post(path+"/lower", "amount", "1").expect(t, "lower it", http.StatusConflict)
	ann.get(path+"/revoke").expect(t, "asked again", http.StatusSeeOther)
}

// What is nearly used up is told on home and on its page, until the person closes
// that, and stays in the timeline.
func TestNoticesOfAgreements(t *testing.T) {
	s, ann, ben := buyer(t)
	id := ann.allow(1000, nil)
	ann.charge(id, pointerOf+"ben", 800)
	s.look(t, ann, "has used $8.00 USD of $10.00 USD a month.")
	path := "/agreements/" + id.String()
	ann.get(path).expect(t, "its page", http.StatusOK, "has used $8.00 USD of $10.00 USD a month.", "80 % of the limit or more")
	if page := ben.get("/").Body; strings.Contains(page, "Flower Shop") {
		t.Error("Ben is told")
	}
	for _, wrong := range [][]string{{"period", "0", "kind", "reached"}, {"period", "7", "kind", "near"}, {"kind", "near"}, {"period", "0", "kind", "approved"}} {
		ann.post(path+"/notice", wrong...).expect(t, fmt.Sprint(wrong), http.StatusNotFound)
	}
	closed := ann.post(path+"/notice", "period", "0", "kind", "near", "next", "/").expect(t, "close", http.StatusSeeOther)
	if closed.Location != "/" {
		t.Errorf("and then to %s", closed.Location)
	}
	for _, where := range []string{"/", path} {
		if page := ann.get(where); strings.Contains(page.Body, "has used $8.00") {
			t.Errorf("%s still tells", where)
		}
	}
	ann.get(path).expect(t, "the timeline", http.StatusOK, "80 % of the limit or more")
	ann.charge(id, pointerOf+"ben", 200)
	s.look(t, ann, "has used up its $10.00 USD a month. It can spend again from")
	ann.post(path+"/revoke").expect(t, "revoke", http.StatusSeeOther)
	if page := ann.get("/"); strings.Contains(page.Body, "has used up") {
		t.Error("a revoked agreement is told of")
	}
}

// What a restore paused is told until its owner has resumed it: there is nothing to
// close.
func TestNoticeOfARestore(t *testing.T) {
	s, ann, _ := buyer(t)
	id := ann.allow(1000, nil)
	s.restored(t)
	path := "/agreements/" + id.String()
	for _, where := range []string{"/", path} {
		page := ann.get(where).expect(t, where, http.StatusOK, "Flower Shop is paused. This wallet was restored from a backup")
		if strings.Contains(page.Body, "has used") || strings.Contains(page.Body, path+"/notice") {
			t.Errorf("%s tells of a limit, or offers to close what goes on", where)
		}
	}
	for _, act := range []string{"/resume", "/pause"} { // whoever pauses it again knows that
		ann.post(path+act).expect(t, act, http.StatusSeeOther)
		if page := ann.get("/"); strings.Contains(page.Body, "restored from a backup") {
			t.Errorf("after %s home still tells of the restore", act)
		}
	}
}

// Many agreements that a restore paused don't fill the page.
func TestNoticeOfARestoreWithManyAgreements(t *testing.T) {
	s, ann, _ := buyer(t)
	first, second := ann.allow(1000, nil), ann.allow(2000, nil)
	s.restored(t)
	page := ann.get("/").expect(t, "home", http.StatusOK, "Several agreements with apps are paused. This wallet was restored", `href="/agreements">Look at them`)
	if strings.Count(page.Body, "restored from a backup") != 1 || strings.Contains(page.Body, "Flower Shop is paused") {
		t.Error("home tells of each")
	}
	ann.get("/agreements/"+first.String()).expect(t, "one", http.StatusOK, "Flower Shop is paused.")
	ann.post("/agreements/"+first.String()+"/resume").expect(t, "resume one", http.StatusSeeOther)
	ann.get("/").expect(t, "home, with one left", http.StatusOK, "Flower Shop is paused.", `href="/agreements/`+second.String()+`">Look at it`)
}

// restored pauses what a restore does.
func (s *server) restored(t *testing.T) {
	t.Helper()
	err := s.db.Write(t.Context(), func(tx db.Tx) error {
		_, err := agreements.PauseAll(t.Context(), tx, time.Now())
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// look lets the wallet look at what is used until home shows a text.
func (s *server) look(t *testing.T, b *browser, text string) {
	t.Helper()
	ctx, stop := context.WithTimeout(t.Context(), 10*time.Second)
	done := make(chan struct{})
	go func() { s.agreements.Run(ctx); close(done) }()
	defer func() { stop(); <-done }()
	for ctx.Err() == nil && !strings.Contains(spaced(b.get("/").Body), text) {
		time.Sleep(5 * time.Millisecond)
	}
	if err := ctx.Err(); err != nil {
		t.Fatalf("home never shows %q", text)
	}
}

func TestAgreementPagesAreLive(t *testing.T) {
	_, ann, _ := buyer(t)
	id := ann.allow(1200, nil)
	for _, path := range []string{"/agreements", "/agreements/" + id.String()} {
		page := ann.get(path).expect(t, path, http.StatusOK, `hx-get="`+path+`"`, `hx-trigger="every 2s"`)
		ann.again(path, page.Header.Get("ETag")).expect(t, path+" again", http.StatusNotModified)
		ann.charge(id, pointerOf+"ben", 100)
		ann.again(path, page.Header.Get("ETag")).expect(t, path+" after a charge", http.StatusOK, " used")
	}
}

// An agreement that can be used once, has ended by itself, hasn't begun or isn't
// used says so.
func TestAgreementsInTime(t *testing.T) {
	_, ann, _ := buyer(t)
	once := ann.allow(500, func(terms *agreements.Terms) { terms.Interval = interval.Rule{} })
	page := ann.get("/agreements/"+once.String()).expect(t, "once", http.StatusOK, "$5.00 USD in all")
	if strings.Contains(page.Body, "Renews") {
		t.Error("a single amount renews")
	}
	later := ann.allow(500, func(terms *agreements.Terms) { terms.StartsAt = time.Now().Add(48 * time.Hour) })
	ann.get("/agreements/"+later.String()).expect(t, "later", http.StatusOK, "Not begun", "Begins on", "Begin on")
	short := ann.allow(500, func(terms *agreements.Terms) { terms.ExpiresAt = time.Now().Add(time.Hour) })
	ann.get("/agreements/"+short.String()).expect(t, "short", http.StatusOK, "Go on until", "Ends on")
}
