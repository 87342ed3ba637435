package web_test

import (
	"cmp"
	"context"
	"errors"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"pochi/app/agreements"
	"pochi/app/agreements/interval"
	"pochi/app/oauth"
	"pochi/app/problem"
	"pochi/app/web"
	"pochi/ledger"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
)

var (
	eur        = ledger.Asset{Code: "EUR", Scale: 2}
	agreed     = uuid.MustParse("0194d0b0-0000-7000-8000-0000000000aa")
	proposed   = uuid.MustParse("0194d0b0-0000-7000-8000-0000000000bb")
	consentNow = time.Date(2027, time.January, 31, 12, 0, 0, 0, time.UTC)
)

// deals are agreements that keep what was approved.
type deals struct {
	terms    agreements.Terms // of the one proposal
	err      error            // of proposals
	wrong    error            // of inline terms
	refused  error            // of approvals
	approved []agreements.Approval
	state    agreements.State // of what was approved
	taken    [][32]byte       // withdrawn
}

func (d *deals) Check(t agreements.Terms) (agreements.Terms, error) { return t, d.wrong }

func (d *deals) Proposal(_ context.Context, clientID string, id uuid.UUID) (agreements.Agreement, error) {
	if clientID != "c1" || id != proposed {
		return agreements.Agreement{}, problem.New(problem.NotFound, "There is no such agreement.")
	}
	return agreements.Agreement{ID: id, ClientID: clientID, Terms: d.terms}, d.err
}

func (d *deals) Approve(_ context.Context, p agreements.Approval) (agreements.Agreement, error) {
	if d.refused != nil {
		return agreements.Agreement{}, d.refused
	}
	d.approved = append(d.approved, p)
	made, err := d.Answered(context.Background(), p.UserID, p.Consent)
	if err == nil && (made.Amount.Value != p.Amount || made.AccountID != p.AccountID) {
		err = problem.New(problem.Conflict, "This request was answered already, in another way.")
	}
	return made, err
}

func (d *deals) Answered(_ context.Context, userID uuid.UUID, consent [32]byte) (agreements.Agreement, error) {
	if len(d.approved) == 0 || d.approved[0].Consent != consent || d.approved[0].UserID != userID {
		return agreements.Agreement{}, problem.New(problem.NotFound, "There is no such agreement.")
	}
	first := d.approved[0] // which is what counts
	made := agreements.Agreement{
		ID: agreed, UserID: userID, AccountID: first.AccountID, ClientID: first.ClientID, Terms: first.Terms, State: cmp.Or(d.state, agreements.Active),
	}
	made.Amount.Value = first.Amount
	return made, nil
}

func (d *deals) Withdraw(_ context.Context, _ uuid.UUID, consent [32]byte) error {
	d.taken = append(d.taken, consent)
	return nil
}

func monthly(t *testing.T) agreements.Terms {
	t.Helper()
	rule, err := interval.Parse("R/P1M")
	if err != nil {
		t.Fatal(err)
	}
	return agreements.Terms{
		Description: "Flowers <every> month", Amount: ledger.Amount{Value: 1200, Asset: eur}, Interval: rule,
		PaymentMax: 500, Receivers: []string{"$shop.example/flowers"}, ExpiresAt: consentNow.AddDate(1, 0, 0),
	}
}

func agreementRequest(detail oauth.Detail) oauth.ConsentRequest {
	request := consentRequest(oauth.OpenID, oauth.AgreementScope)
	request.Detail, request.Key = &detail, [32]byte{7}
	return request
}

func openAgreement(t *testing.T, h *hydra, d *deals) *browser {
	t.Helper()
	b := browseSite(t, web.OAuth{Logins: h, Consents: h, Logouts: h, Approvals: d}, func() time.Time { return consentNow })
	b.logIn(ann())
	return b
}

// accountsOn are the accounts that a consent page offers, the chosen one first.
func accountsOn(page reply) (ids []string) {
	for _, match := range regexp.MustCompile(`name="account" value="([^"]*)"[^>]*?( checked)?( id="[^"]*")?>`).FindAllStringSubmatch(page.Body, -1) {
		if match[2] != "" {
			ids = append([]string{match[1]}, ids...)
		} else {
			ids = append(ids, match[1])
		}
	}
	return ids
}

func TestConsentPageShowsTheWholeAgreement(t *testing.T) {
	b := openAgreement(t, &hydra{consent: agreementRequest(oauth.Detail{Terms: monthly(t)})}, &deals{})
	got := b.get("/oauth/consent?consent_challenge=sesame")
	if got.Status != 200 || !got.shows(
		"to spend your money", "shop.example", "€12.00", "every month", "Flowers <every> month", "up to", "€5.00", "$shop.example<wbr>/flowers", "Nobody else",
		"31 January 2028, 12:00 UTC", "At most €144.00 EUR in all", "This wallet makes each payment itself",
		"Everyday", "€0.00", "Savings", "About $13.13 USD for €12.00 EUR", "Recognise you", "See what is in your accounts", "or from another account", "Keep what is left for the next time",
		`value="12.00"`, "You can lower, pause or end it",
	) {
		t.Errorf("%d %s", got.Status, got.Body)
	}
	if got.shows("Tokyo") { // nothing can be exchanged
		t.Error("an account that can't pay is offered")
	}
	if strings.Contains(got.Body, "<every>") {
		t.Error("the app's words aren't escaped")
	}
}

func TestConsentSaysTheWorst(t *testing.T) {
	rule := func(text string) interval.Rule {
		r, err := interval.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	for name, tt := range map[string]struct {
		change func(*agreements.Terms)
		amount string
		want   string
	}{
		"once":                    {func(x *agreements.Terms) { x.Interval = interval.Rule{} }, "", "At most €12.00 EUR, once and never again."},
		"for ever":                {func(x *agreements.Terms) { x.ExpiresAt = time.Time{} }, "", "At most €144.00 EUR in the first year, and so on"},
		"lowered":                 {func(x *agreements.Terms) { x.ExpiresAt = time.Time{} }, "2.50", "At most €30.00 EUR in the first year"},
		"raised":                  {func(*agreements.Terms) {}, "99", "At most €144.00 EUR in all"},
		"nonsense":                {func(*agreements.Terms) {}, "x", "At most €144.00 EUR in all"},
		"every two years":         {func(x *agreements.Terms) { x.ExpiresAt, x.Interval = time.Time{}, rule("R/P2Y") }, "", "At most €12.00 EUR in the first year"},
		"intervals that have run": {func(x *agreements.Terms) { x.ExpiresAt, x.Interval = time.Time{}, rule("R/2027-01-15T00:00:00Z/P1M") }, "", "At most €156.00 EUR in the first year"},
		"twice":                   {func(x *agreements.Terms) { x.ExpiresAt, x.Interval = time.Time{}, rule("R2/P1M") }, "", "At most €24.00 EUR in all"},
		"countless":               {func(x *agreements.Terms) { x.Amount.Value = ledger.AmountMax }, "", "more than can be counted"},
		"countless, for ever":     {func(x *agreements.Terms) { x.Amount.Value, x.ExpiresAt = ledger.AmountMax, time.Time{} }, "", "more than can be counted"},
	} {
		terms := monthly(t)
		tt.change(&terms)
		b := openAgreement(t, &hydra{consent: agreementRequest(oauth.Detail{Terms: terms})}, &deals{})
		got := b.get("/oauth/consent?consent_challenge=sesame&amount=" + tt.amount)
		if !got.shows(tt.want) {
			t.Errorf("%s: %s", name, regexp.MustCompile(`id="consent-worst"[^<]*<`).FindString(got.Body))
		}
	}
}

func TestConsentSaysWhomItCannotSee(t *testing.T) {
	terms := monthly(t)
	terms.Receivers, terms.PaymentMax, terms.ExpiresAt, terms.StartsAt = nil, 0, time.Time{}, consentNow.AddDate(0, 0, 7)
	b := openAgreement(t, &hydra{consent: agreementRequest(oauth.Detail{Terms: terms})}, &deals{})
	if got := b.get("/oauth/consent?consent_challenge=sesame"); !got.shows("Anybody", "can't see whom they reach", "7 February 2027, 12:00 UTC", "When you end it") ||
		got.shows("One payment") {
		t.Error(got.Body)
	}
}

func TestAllowingAnAgreement(t *testing.T) {
	for name, tt := range map[string]struct {
		detail  oauth.Detail
		amount  string
		granted uint64
	}{
		"as asked":            {oauth.Detail{Terms: monthly(t)}, "12.00", 1200},
		"less":                {oauth.Detail{Terms: monthly(t)}, " 5 ", 500},
		"by reference":        {oauth.Detail{ID: proposed}, "12", 1200},
		"by reference, lower": {oauth.Detail{ID: proposed}, "0.01", 1},
	} {
		h, d := &hydra{consent: agreementRequest(tt.detail)}, &deals{terms: monthly(t)}
		b := openAgreement(t, h, d)
		account := accountsOn(b.get("/oauth/consent?consent_challenge=sesame"))[0]
		got := b.post("/oauth/consent", "consent_challenge", "sesame", "seal", b.seal("sesame"), "decision", "allow", "account", account, "amount", tt.amount)
		if got.Status != 303 || got.Location != onward || len(d.approved) != 1 {
			t.Fatalf("%s: %d to %q: %s", name, got.Status, got.Location, got.Body)
		}
		want := agreements.Approval{
			Proposal: tt.detail.ID, UserID: ann().ID, AccountID: uuid.MustParse(account), ClientID: "c1", App: "Shop <of> Ben",
			Terms: monthly(t), Amount: tt.granted, Consent: [32]byte{7},
		}
		if diff := gocmp.Diff(want, d.approved[0], gocmp.Comparer(func(a, b interval.Rule) bool { return a == b })); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		if diff := gocmp.Diff(oauth.Grant{Scopes: []oauth.Scope{oauth.OpenID, oauth.AgreementScope}, Name: "Ann", Agreement: agreed}, h.granted); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestTheAccountInTheAgreementsCurrencyIsChosenFirst(t *testing.T) {
	b := openAgreement(t, &hydra{consent: agreementRequest(oauth.Detail{Terms: monthly(t)})}, &deals{})
	page := b.get("/oauth/consent?consent_challenge=sesame")
	ids := accountsOn(page)
	if len(ids) != 2 || !regexp.MustCompile(ids[0]+`"[^<]*checked[^<]*>\s*<span class="consent-account"><b>Everyday`).MatchString(page.Body) {
		t.Errorf("%v: %s", ids, page.Body)
	}
	if other := accountsOn(b.get("/oauth/consent?consent_challenge=sesame&account=" + ids[1])); other[0] != ids[1] {
		t.Errorf("what was chosen isn't kept: %v", other)
	}
}

func TestWhatCannotBeAllowedComesBack(t *testing.T) {
	for name, tt := range map[string]struct {
		account, amount string
		refused         error
		status          int
		text            string
	}{
		"more than asked":    {"first", "12.01", nil, 422, "allow €12.00 EUR or less"},
		"nothing":            {"first", "", nil, 422, "Enter an amount"},
		"zero":               {"first", "0", nil, 422, "more than 0"},
		"no number":          {"first", "much", nil, 422, "as a number"},
		"no account":         {"", "12", nil, 422, "Choose one of your accounts"},
		"nobody's account":   {"x", "12", nil, 422, "Choose one of your accounts"},
		"somebody's account": {"first", "12", problem.Errors{problem.Field("account", "Choose one of yours.")}, 422, "Choose one of yours."},
		"answered otherwise": {"first", "12", problem.New(problem.Conflict, "This request was answered already."), 409, "answered already"},
	} {
		h, d := &hydra{consent: agreementRequest(oauth.Detail{Terms: monthly(t)})}, &deals{refused: tt.refused}
		b := openAgreement(t, h, d)
		if tt.account == "first" {
			tt.account = accountsOn(b.get("/oauth/consent?consent_challenge=sesame"))[0]
		}
		got := b.post("/oauth/consent", "consent_challenge", "sesame", "seal", b.seal("sesame"), "decision", "allow", "account", tt.account, "amount", tt.amount)
		if tt.amount == "" && got.shows(`value="12.00"`) {
			t.Errorf("%s: what was asked for stands in the field again", name)
		}
		if got.Status != tt.status || !got.shows(tt.text, "Flowers", `value="`+tt.amount+`"`) && tt.amount != "" || len(d.approved) != 0 || len(h.decided) != 0 {
			t.Errorf("%s: %d, approved %v, decided %v: %s", name, got.Status, d.approved, h.decided, got.Body)
		}
	}
}

func TestTermsThatChangeAreShownAgain(t *testing.T) {
	h, d := &hydra{consent: agreementRequest(oauth.Detail{Terms: monthly(t)})}, &deals{}
	b := openAgreement(t, h, d)
	account, seal := accountsOn(b.get("/oauth/consent?consent_challenge=sesame"))[0], b.seal("sesame")
	for name, change := range map[string]func(*agreements.Terms){
		"more":           func(x *agreements.Terms) { x.Amount.Value++ },
		"for others":     func(x *agreements.Terms) { x.Receivers = []string{"$evil.example"} },
		"for anybody":    func(x *agreements.Terms) { x.Receivers = nil },
		"without a cap":  func(x *agreements.Terms) { x.PaymentMax = 0 },
		"for longer":     func(x *agreements.Terms) { x.ExpiresAt = x.ExpiresAt.AddDate(1, 0, 0) },
		"sooner":         func(x *agreements.Terms) { x.StartsAt = consentNow },
		"once":           func(x *agreements.Terms) { x.Interval = interval.Rule{} },
		"something else": func(x *agreements.Terms) { x.Description = "Weeds" },
	} {
		terms := monthly(t)
		change(&terms)
		h.consent = agreementRequest(oauth.Detail{Terms: terms})
		got := b.post("/oauth/consent", "consent_challenge", "sesame", "seal", seal, "decision", "allow", "account", account, "amount", "12")
		if got.Status != 409 || !got.shows("isn't what you were shown before") || len(d.approved) != 0 || len(h.decided) != 0 {
			t.Errorf("%s: %d, approved %v", name, got.Status, d.approved)
		}
	}
}

func TestAProposalThatIsNoneIsRefused(t *testing.T) {
	for name, tt := range map[string]struct {
		id  uuid.UUID
		err error
	}{
		"unknown":  {agreed, nil},
		"too old":  {proposed, problem.New(problem.Gone, "This request has expired.")},
		"bad data": {uuid.Nil, problem.Errors{problem.Field("expiresAt", "It must expire in the future.")}},
	} {
		h := &hydra{consent: agreementRequest(oauth.Detail{ID: tt.id, Terms: monthly(t)})}
		b := openAgreement(t, h, &deals{err: tt.err, wrong: tt.err, refused: problem.New(problem.Gone, "No.")})
		want := []string{"reject consent: invalid_authorization_details sesame"}
		if got := b.get("/oauth/consent?consent_challenge=sesame"); got.Status != 303 || !slices.Equal(h.decided, want) {
			t.Errorf("%s: %d, %v", name, got.Status, h.decided)
		}
		h.decided = nil
		if got := b.post("/oauth/consent", "consent_challenge", "sesame", "decision", "allow"); got.Status != 303 || !slices.Equal(h.decided, want) {
			t.Errorf("%s, posted: %d, %v", name, got.Status, h.decided)
		}
	}
	h := &hydra{consent: agreementRequest(oauth.Detail{ID: proposed})}
	b := openAgreement(t, h, &deals{err: problem.New(problem.Unavailable, "Not now.")})
	if got := b.get("/oauth/consent?consent_challenge=sesame"); got.Status != 503 || len(h.decided) != 0 {
		t.Errorf("unavailable: %d, %v", got.Status, h.decided)
	}
}

// A browser follows the second answer only: it is the same as the first one's.
func TestAllowingAProposalTwiceIsAllowingItOnce(t *testing.T) {
	h, d := &hydra{consent: agreementRequest(oauth.Detail{ID: proposed})}, &deals{terms: monthly(t)}
	b := openAgreement(t, h, d)
	account := accountsOn(b.get("/oauth/consent?consent_challenge=sesame"))[0]
	form := []string{"consent_challenge", "sesame", "seal", b.seal("sesame"), "decision", "allow", "account", account, "amount", "12"}
	b.post("/oauth/consent", form...)
	d.err = problem.New(problem.Gone, "This request was answered already.")
	b.post("/oauth/consent", form...)
	if !slices.Equal(h.decided, []string{"accept consent sesame", "accept consent sesame"}) || h.granted.Agreement != agreed {
		t.Errorf("%v, %+v", h.decided, h.granted)
	}
	if got := b.post("/oauth/consent", append(form, "amount", "11")...); got.Status != 410 || len(d.taken) != 1 || len(h.decided) != 2 {
		t.Errorf("another amount: %d, withdrawn %v, decided %v", got.Status, d.taken, h.decided)
	}
}

// allowing sends the form of an agreement's consent page.
func (b *browser) allowing(decision string) reply {
	b.t.Helper()
	account := accountsOn(b.get("/oauth/consent?consent_challenge=sesame"))[0]
	return b.post("/oauth/consent", "consent_challenge", "sesame", "seal", b.seal("sesame"), "decision", decision, "account", account, "amount", "12")
}

// Somebody can go back and say no, and an app may not hear their yes.
func TestNothingStaysAllowedThatTheAppIsNotTold(t *testing.T) {
	for name, tt := range map[string]struct {
		decision string
		err      error // of Hydra's, on accepting
		status   int
		taken    int
	}{
		"denied":      {"deny", nil, 303, 1},
		"allowed":     {"allow", nil, 303, 0},
		"too late":    {"allow", problem.New(problem.Gone, "It has expired."), 410, 1},
		"never heard": {"allow", problem.New(problem.NotFound, "Its address may be damaged."), 404, 1},
		"no answer":   {"allow", problem.New(problem.Unavailable, "Not now."), 503, 0},
		"our mistake": {"allow", errors.New("bug"), 500, 0},
	} {
		h, d := &hydra{consent: agreementRequest(oauth.Detail{Terms: monthly(t)}), accepting: tt.err}, &deals{}
		got := openAgreement(t, h, d).allowing(tt.decision)
		if got.Status != tt.status || len(d.taken) != tt.taken || tt.taken > 0 && d.taken[0] != [32]byte{7} {
			t.Errorf("%s: %d, withdrawn %v", name, got.Status, d.taken)
		}
	}
}

func TestWhatWasAllowedAndEndedIsNotAllowedAgain(t *testing.T) {
	h, d := &hydra{consent: agreementRequest(oauth.Detail{Terms: monthly(t)})}, &deals{state: agreements.Revoked}
	if got := openAgreement(t, h, d).allowing("allow"); got.Status != 410 || !got.shows("Nothing is allowed now") || len(h.decided) != 0 {
		t.Errorf("%d, %v", got.Status, h.decided)
	}
}

// Hydra didn't answer, and the person has thought about the amount meanwhile.
func TestWhatIsAllowedIsWhatWasSeenLast(t *testing.T) {
	h, d := &hydra{consent: agreementRequest(oauth.Detail{Terms: monthly(t)}), accepting: problem.New(problem.Unavailable, "Not now.")}, &deals{}
	b := openAgreement(t, h, d)
	if got := b.allowing("allow"); got.Status != 503 {
		t.Fatalf("%d %s", got.Status, got.Body)
	}
	h.accepting = nil
	account := accountsOn(b.get("/oauth/consent?consent_challenge=sesame"))[0]
	got := b.post("/oauth/consent", "consent_challenge", "sesame", "seal", b.seal("sesame"), "decision", "allow", "account", account, "amount", "5")
	if got.Status != 410 || !got.shows("Nothing is allowed now") || len(h.decided) != 0 || len(d.taken) != 1 {
		t.Errorf("%d, decided %v, withdrawn %v", got.Status, h.decided, d.taken)
	}
	d.taken = nil
	if got := b.allowing("allow"); got.Status != 303 || len(d.taken) != 0 {
		t.Errorf("the same again: %d, withdrawn %v", got.Status, d.taken)
	}
}

// A session that somebody left open allows no large amounts.
func TestALargeAmountTakesThePassword(t *testing.T) {
	terms := monthly(t)
	terms.Amount.Value, terms.PaymentMax = 2000_01, 0
	for name, tt := range map[string]struct {
		amount, password string
		status           int
		text             string
	}{
		"no password":          {"2000.01", "", 422, "Enter your password to allow this much."},
		"a wrong one":          {"1000.01", "guess", 422, "isn't your password"},
		"the right one":        {"2000.01", "correct horse", 303, ""},
		"an amount that is ok": {"1000", "", 303, ""},
	} {
		h, d := &hydra{consent: agreementRequest(oauth.Detail{Terms: terms})}, &deals{}
		b := browseSite(t, web.OAuth{Logins: h, Consents: h, Logouts: h, Approvals: d, StepUp: 1000}, func() time.Time { return consentNow })
		b.logIn(ann())
		page := b.get("/oauth/consent?consent_challenge=sesame")
		if !page.shows(`name="password"`, "Needed to allow more than €1,000.00 EUR in four weeks.") {
			t.Fatal(page.Body)
		}
		got := b.post("/oauth/consent", "consent_challenge", "sesame", "seal", b.seal("sesame"), "decision", "allow",
			"account", accountsOn(page)[0], "amount", tt.amount, "password", tt.password)
		if allowed := tt.status == 303; got.Status != tt.status || !got.shows(tt.text) || len(d.approved) == 1 != allowed || len(h.decided) == 1 != allowed ||
			tt.password != "" && strings.Contains(got.Body, tt.password) {
			t.Errorf("%s: %d, approved %v, decided %v: %s", name, got.Status, d.approved, h.decided, got.Body)
		}
	}
	hourly, err := interval.Parse("R/PT1H")
	if err != nil {
		t.Fatal(err)
	}
	little := monthly(t)
	little.Amount.Value, little.Interval = 500, hourly
	for want, asked := range map[bool]agreements.Terms{true: little, false: monthly(t)} {
		h := &hydra{consent: agreementRequest(oauth.Detail{Terms: asked})}
		b := browseSite(t, web.OAuth{Logins: h, Consents: h, Logouts: h, Approvals: &deals{}, StepUp: 1000}, func() time.Time { return consentNow })
		b.logIn(ann())
		if got := b.get("/oauth/consent?consent_challenge=sesame"); got.shows(`name="password"`) != want {
			t.Errorf("%s: a password is asked for: %t", asked.Words(), !want)
		}
	}
	b := openAgreement(t, &hydra{consent: agreementRequest(oauth.Detail{Terms: terms})}, &deals{})
	if got := b.get("/oauth/consent?consent_challenge=sesame"); got.shows(`name="password"`) {
		t.Error("a password is asked for where no amount takes one")
	}
}

// The Enter key in a field doesn't deny, and allows only what was confirmed with a
// password: who types a lower amount first sees what that comes to.
func TestTheEnterKeyIsNoAnswer(t *testing.T) {
	h, d := &hydra{consent: agreementRequest(oauth.Detail{Terms: monthly(t)})}, &deals{}
	b := openAgreement(t, h, d)
	page := b.get("/oauth/consent?consent_challenge=sesame")
	if first := regexp.MustCompile(`name="decision" value="([^"]*)"`).FindStringSubmatch(page.Body); first[1] != "enter" {
		t.Errorf("the Enter key sends %q", first[1])
	}
	form := []string{"consent_challenge", "sesame", "seal", b.seal("sesame"), "decision", "enter", "account", accountsOn(page)[0], "amount", "5"}
	got := b.post("/oauth/consent", form...)
	if got.Status != 422 || !got.shows("Nothing is decided yet", `value="5"`, "At most €60.00 EUR in all") || len(d.approved)+len(h.decided) != 0 {
		t.Errorf("%d, approved %v, decided %v", got.Status, d.approved, h.decided)
	}
	if got := b.post("/oauth/consent", append(form, "password", "correct horse")...); got.Status != 303 || len(d.approved) != 1 {
		t.Errorf("with the password: %d, approved %v", got.Status, d.approved)
	}
}

func TestWhoCannotPayCanDeny(t *testing.T) {
	terms := monthly(t)
	terms.Amount.Asset = ledger.Asset{Code: "GBP", Scale: 2}
	h := &hydra{consent: agreementRequest(oauth.Detail{Terms: terms})}
	b := openAgreement(t, h, &deals{})
	got := b.get("/oauth/consent?consent_challenge=sesame")
	if !got.shows("no account that can pay in GBP", `href="/accounts?currency=GBP"`, `value="deny"`) || got.shows(`value="allow"`) {
		t.Error(got.Body)
	}
	if got := b.post("/oauth/consent", flat(url.Values{"consent_challenge": {"sesame"}, "decision": {"deny"}})...); got.Status != 303 {
		t.Errorf("denied: %d", got.Status)
	}
}
