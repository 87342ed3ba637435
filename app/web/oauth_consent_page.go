package web

import (
	"context"
	"math/bits"
	"slices"
	"strings"
	"time"

	"pochi/app/accounts"
	"pochi/app/agreements"
	"pochi/app/oauth"
	"pochi/ilp"
	"pochi/ledger"
	"pochi/views"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"
)

// renderConsent shows what is asked for, with what was chosen and what is wrong
// with that.
func (s *Site) renderConsent(c *fiber.Ctx, status int, asked asking, chosen choice, errs views.Errors) error {
	AllowFormAction(c, asked.FormURLs...)
	can, cannot := abilities(asked.Scopes)
	logo, err := s.logo(c.UserContext(), asked.App.ID)
	if err != nil {
		return err
	}
	page := views.ConsentPage{
		Action: pathOAuthConsent, Challenge: asked.Challenge, Seal: s.seal(c, asked),
		App: asked.App.Name, Logo: logo, Host: strings.Join(asked.Hosts, " or "), PolicyURL: asked.App.PolicyURL, TermsURL: asked.App.TermsURL,
		Person: person(c).Name, Email: person(c).Email, Can: can, Cannot: cannot, Errors: errs,
	}
	if asked.terms != nil {
		if !asked.terms.Interval.IsOne() {
			page.Cannot = append(page.Cannot, keepsNothing)
		}
		if page.Agreement, err = s.consentAgreement(c, asked, chosen); err != nil {
			return err
		}
		if errs["amount"] != "" { // what was typed, also nothing: another click must not allow what was asked for
			page.Agreement.Amount = chosen.amount
		}
	}
	return render(c, status, views.Consent(s.page(c, "Allow "+asked.App.Name+"?", views.NavNone), page))
}

// logo returns where an app's logo is, "" for none.
func (s *Site) logo(ctx context.Context, clientID string) (string, error) {
	if s.OAuth.Logos == nil {
		return "", nil
	}
	versions, err := s.OAuth.Logos.Logos(ctx, []string{clientID})
	if err != nil || versions[clientID] == "" {
		return "", err
	}
	return "/apps/" + clientID + "/logo?" + query("v", versions[clientID]), nil
}

// consentAgreement is the agreement that is asked for, in words.
func (s *Site) consentAgreement(c *fiber.Ctx, asked asking, chosen choice) (*views.ConsentAgreement, error) {
	terms, now := *asked.terms, s.Now()
	payers, err := s.payers(c, terms.Amount)
	if err != nil {
		return nil, err
	}
	if chosen.amount == "" {
		chosen.amount = terms.Amount.Decimal()
	}
	allowed := terms
	if amount, err := granted(chosen.amount, terms.Amount); err == nil {
		allowed.Amount = amount
	}
	begins, _ := terms.Begins(now)
	page := views.ConsentAgreement{
		Description: terms.Description, Most: money(terms.Amount), Often: terms.Interval.Words(),
		Receivers: terms.Receivers, Ends: shortMoment(terms.Ends(now)), Packets: terms.Packets(),
		Worst: worst(allowed, now), Amount: chosen.amount, Currency: terms.Amount.Asset.Code,
		RefreshURL: pathOAuthConsent + "?" + query("consent_challenge", asked.Challenge),
	}
	if most, takes := s.takesPassword(terms); takes {
		page.Password = "Needed to allow more than " + most.Whole() + " in four weeks."
	}
	if begins.After(now) {
		page.Starts = shortMoment(begins)
	}
	if terms.PaymentMax > 0 {
		page.PaymentMax = money(ledger.Amount{Value: terms.PaymentMax, Asset: terms.Amount.Asset})
	}
	for _, p := range payers {
		page.Accounts = append(page.Accounts, p.choice(terms.Amount))
	}
	choose(page.Accounts, chosen.account)
	return &page, nil
}

// payer is an account that can pay for an agreement.
type payer struct {
	accounts.Account
	about ledger.Amount // what the agreement's amount is in its currency
}

// payers are the person's accounts that can pay, those in the agreement's own
// currency first.
func (s *Site) payers(c *fiber.Ctx, most ledger.Amount) ([]payer, error) {
	all, err := s.Accounts.List(c.UserContext(), person(c).ID)
	if err != nil {
		return nil, err
	}
	var same, others []payer
	for _, account := range all {
		if account.Asset() == most.Asset {
			same = append(same, payer{account, most})
			continue
		}
		about, err := s.Rates.Convert(c.UserContext(), most.Value, ilp.Asset(most.Asset), ilp.Asset(account.Asset()))
		if err == nil { // else nothing can be exchanged right now
			others = append(others, payer{account, ledger.Amount{Value: about, Asset: account.Asset()}})
		}
	}
	return append(same, others...), nil
}

func (p payer) choice(most ledger.Amount) views.ConsentAccount {
	out := views.ConsentAccount{ID: p.ID.String(), Name: p.Name, Balance: money(p.Available)}
	switch {
	case p.Asset() != most.Asset:
		out.About = "About " + p.about.Whole() + " for " + most.Whole() + ", at today's rate"
	case p.Available.Value < most.Value:
		out.About = "Less than " + most.Whole() + " right now"
	}
	return out
}

// choose marks the account that was chosen, or else the first.
func choose(all []views.ConsentAccount, id string) {
	i := slices.IndexFunc(all, func(a views.ConsentAccount) bool { return a.ID == id })
	if len(all) > 0 {
		all[max(i, 0)].Chosen = true
	}
}

// granted reads the amount that the person allows.
func granted(text string, most ledger.Amount) (ledger.Amount, error) {
	amount, err := ledger.ParseAmount(text, most.Asset)
	if err != nil {
		return ledger.Amount{}, err
	}
	if amount.Value > most.Value {
		return ledger.Amount{}, ledger.AmountError("That is more than is asked for: allow " + most.Whole() + " or less.")
	}
	return amount, nil
}

// approval is what the person allows, or what is wrong with the form.
func (s *Site) approval(c *fiber.Ctx, asked asking) (agreements.Approval, views.Errors) {
	approval, errs := agreements.Approval{
		Proposal: asked.proposal, UserID: person(c).ID, AccountID: formID(c, "account"),
		ClientID: asked.App.ID, App: asked.App.Name, Terms: *asked.terms, Consent: asked.Key,
	}, views.Errors{}
	if approval.AccountID == uuid.Nil {
		errs["account"] = "Choose one of your accounts."
	}
	amount, err := granted(text(c, "amount"), asked.terms.Amount)
	if err != nil {
		errs["amount"] = err.Error()
	}
	approval.Amount = amount.Value
	if len(errs) > 0 {
		return approval, errs
	}
	return approval, nil
}

// worst says what the terms can cost, if all goes as badly as it can.
func worst(terms agreements.Terms, now time.Time) string {
	const uncounted = "At most more than can be counted here: allow less."
	if terms.Interval.IsOne() {
		return "At most " + terms.Amount.Whole() + ", once and never again."
	}
	if total, ok := terms.WorstCase(now); ok {
		return "At most " + total.Whole() + " in all."
	}
	if !terms.Ends(now).IsZero() {
		return uncounted
	}
	begins, _ := terms.Begins(now)
	first, _ := terms.At(now, begins)
	last, _ := terms.At(now, begins.AddDate(1, 0, 0).Add(-1))
	over, total := bits.Mul64(terms.Amount.Value, uint64(last.N-first.N)+1)
	if over != 0 || total > ledger.AmountMax {
		return uncounted
	}
	return "At most " + ledger.Amount{Value: total, Asset: terms.Amount.Asset}.Whole() + " in the first year, and so on until you end it."
}

// abilities says in sentences what the scopes allow, and what they don't.
func abilities(scopes []oauth.Scope) (can, cannot []string) {
	spends := slices.Contains(scopes, oauth.AgreementScope)
	for _, ability := range []struct {
		scope       oauth.Scope
		can, cannot string
	}{
		{oauth.OpenID, "Recognise you when you come back.", ""},
		{oauth.Profile, "See your name and your payment pointers.", "See your name or your payment pointers."},
		{oauth.AccountsRead, "See your accounts and what is in them.", "See what is in your accounts."},
		{oauth.TransactionsRead, "See your payments: when, how much, and with whom.", "See your payments."},
		{oauth.PaymentsRequest, "Ask others to pay you, and see whether they did.", ""},
		{oauth.OfflineAccess, "Keep this access while you are away.", ""},
	} {
		switch {
		case slices.Contains(scopes, ability.scope):
			can = append(can, ability.can)
		case spends && ability.scope == oauth.TransactionsRead:
			cannot = append(cannot, "See payments that it didn't ask for.")
		case ability.cannot != "":
			cannot = append(cannot, ability.cannot)
		}
	}
	if spends {
		return can, append(cannot, "Spend more than you allow here, or from another account.", "Change what you allow here.")
	}
	return can, append(cannot, "See your e-mail address.", "Move money.")
}
