package web

import (
	"fmt"
	"strings"

	"pochi/app/agreements"
	"pochi/ledger"
	"pochi/views"

	"github.com/a-h/templ"
	"github.com/gofiber/fiber/v2"
)

// showAgreement shows what one app may spend, and what was paid under it.
func (s *Site) showAgreement(c *fiber.Ctx) error {
	return live(s, c, func() (views.AgreementPage, error) { return s.agreement(c) }, func(a views.AgreementPage) templ.Component {
		return views.Agreement(s.livePage(c, a.App.Name, views.NavApps), a)
	})
}

func (s *Site) agreement(c *fiber.Ctx) (views.AgreementPage, error) {
	ctx, who := c.UserContext(), person(c)
	a, err := s.findAgreement(c)
	if err != nil {
		return views.AgreementPage{}, err
	}
	logos, err := s.logosOf(ctx, a)
	if err != nil {
		return views.AgreementPage{}, err
	}
	row, err := s.agreementRow(ctx, a, logos[a.ClientID])
	if err != nil {
		return views.AgreementPage{}, err
	}
	account, err := s.accountName(c, a.AccountID)
	if err != nil {
		return views.AgreementPage{}, err
	}
	events, err := s.Agreements.Timeline(ctx, a.ID)
	if err != nil {
		return views.AgreementPage{}, err
	}
	told, err := s.agreementNotices(c, a.ID)
	if err != nil {
		return views.AgreementPage{}, err
	}
	before := c.Query("before")
	movements, older, err := s.AgreementPayments.AgreementMovements(ctx, who.ID, a.ID, before, historyPage)
	page := views.AgreementPage{
		AgreementRow: row, Account: account, AccountID: a.AccountID.String(), Notices: told,
		Days: s.days(movements), Older: older, Later: before != "",
	}
	page.Can, page.Cannot = s.ability(a, account, approved(events)), inability(a)
	for _, e := range events {
		page.Events = append(page.Events, views.AgreementEvent{Text: eventText(a, e), At: minute(e.At)})
		if e.Kind == agreements.EventRevoked {
			page.State = views.AgreementRevoked
		}
	}
	return page, err
}

// findAgreement returns the person's agreement that the path names.
func (s *Site) findAgreement(c *fiber.Ctx) (agreements.Agreement, error) {
	id, err := paramID(c)
	if err != nil {
		return agreements.Agreement{}, err
	}
	return s.Agreements.FindOf(c.UserContext(), person(c).ID, id)
}

// approved is the amount that an agreement began with, 0 before it did.
func approved(events []agreements.Event) uint64 {
	for _, e := range events {
		if e.Kind == agreements.EventApproved {
			return e.Amount
		}
	}
	return 0
}

// ability says in sentences what an app can do under an agreement that began with an
// amount.
func (s *Site) ability(a agreements.Agreement, account string, began uint64) []string {
	spend := fmt.Sprintf("Spend up to %s %s from %s", a.Amount.Whole(), a.Interval.Per(), account)
	if a.Amount.Value < began {
		spend += ", lowered from " + ledger.Amount{Value: began, Asset: a.Amount.Asset}.Whole()
	}
	can := []string{spend + "."}
	if a.PaymentMax > 0 {
		can = append(can, fmt.Sprintf("Pay %s at most at a time.", ledger.Amount{Value: a.PaymentMax, Asset: a.Amount.Asset}.Whole()))
	}
	if len(a.Receivers) > 0 {
		can = append(can, "Pay "+joinWords(a.Receivers)+".")
	} else {
		can = append(can, "Pay anybody, here or at another wallet.")
	}
	if begins := a.Begins(); s.Now().Before(begins) {
		can = append(can, "Begin on "+begins.UTC().Format("2 January 2006, 15:04 UTC")+".")
	}
	if ends := a.Ends(); !ends.IsZero() {
		return append(can, "Go on until "+ends.UTC().Format("2 January 2006, 15:04 UTC")+", or until you revoke it.")
	}
	return append(can, "Go on until you revoke it.")
}

// keepsNothing says of a repeated amount that it doesn't add up.
const keepsNothing = "Keep what is left for the next time."

// inability says what an app can't do under an agreement.
func inability(a agreements.Agreement) []string {
	cannot := []string{"Spend more than that, or raise the limit."}
	if !a.Interval.IsOne() {
		cannot = append(cannot, keepsNothing)
	}
	if len(a.Receivers) > 0 {
		cannot = append(cannot, "Pay anybody else.")
	}
	return append(cannot, "See your balance or your other payments.")
}

// joinWords lists things as a sentence does: "a, b and c".
func joinWords(all []string) string {
	last := len(all) - 1
	if last == 0 {
		return all[0]
	}
	return strings.Join(all[:last], ", ") + " and " + all[last]
}

// eventText says what happened to an agreement.
func eventText(a agreements.Agreement, e agreements.Event) string {
	amount := ledger.Amount{Value: e.Amount, Asset: a.Amount.Asset}.Whole()
	text := ""
	switch e.Kind {
	case agreements.EventAsked:
		text = fmt.Sprintf("%s asked for %s %s.", a.App, amount, a.Interval.Per())
	case agreements.EventApproved:
		text = fmt.Sprintf("You allowed %s %s.", amount, a.Interval.Per())
	case agreements.EventLowered:
		text = fmt.Sprintf("You lowered the limit to %s.", amount)
	case agreements.EventNear:
		text = fmt.Sprintf("%s was used, 80 %% of the limit or more.", amount)
	case agreements.EventReached:
		text = fmt.Sprintf("%s was used, and nothing was left.", amount)
	case agreements.EventExpired:
		text = "It ended as it was agreed."
	default:
		text = turnText(a, e)
	}
	return strings.TrimSpace(text + " " + e.Note)
}

// turnText says who stopped an agreement, or let it go on. What has a note wasn't
// done by whoever usually does it.
func turnText(a agreements.Agreement, e agreements.Event) string {
	switch {
	case e.Kind == agreements.EventPaused && e.Note == "":
		return "You paused it."
	case e.Kind == agreements.EventPaused:
		return "It was paused."
	case e.Kind == agreements.EventResumed:
		return "You resumed it."
	case e.Kind == agreements.EventRevoked:
		return "You revoked it."
	case e.Note == "":
		return a.App + " gave it up."
	}
	return "It ended."
}
