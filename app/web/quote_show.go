package web

import (
	"math"

	"pochi/app/payments"
	"pochi/app/problem"
	"pochi/views"

	"github.com/gofiber/fiber/v2"
)

func (s *Site) showQuote(c *fiber.Ctx) error { return s.renderQuote(c, fiber.StatusOK, "") }

// renderQuote shows the quote that the path names; refusal says why the last
// confirmation was refused.
func (s *Site) renderQuote(c *fiber.Ctx, status int, refusal string) error {
	ctx, who := c.UserContext(), person(c)
	id, err := paramID(c)
	if err != nil {
		return err
	}
	q, err := s.Quotes.FindQuote(ctx, who.ID, id)
	if q.Confirmed || problem.CodeOf(err) == problem.NotFound { // quotes are forgotten before payments
		if _, err := s.Payments.FindOutgoing(ctx, who.ID, id); err == nil {
			return see(c, "/payments/"+id.String())
		}
	}
	if err != nil {
		return err
	}
	account, err := s.accountName(c, q.AccountID)
	if err != nil {
		return err
	}
	payee := name(q.ReceiverName, q.Receiver)
	if _, ok := requestElsewhere(q.Receiver); ok && q.ReceiverName == "" {
		payee = "Payment request"
	}
	left := q.ExpiresAt.Sub(s.Now())
	title := "Confirm payment"
	if left <= 0 {
		title = "Quote expired"
	}
	return render(c, status, views.Quote(s.page(c, title, views.NavSend), views.QuotePage{
		ID: q.ID.String(), Send: money(q.DebitAmount), Receive: money(q.ReceiveAmount),
		Rate: q.Rate, Fee: "None",
		Payee: payee, Pointer: q.Receiver, Account: account,
		Expires: views.Moment{Text: q.ExpiresAt.Format("15:04:05 UTC"), ISO: iso(q.ExpiresAt)}, SecondsLeft: max(0, int(math.Ceil(left.Seconds()))),
		AtLeast: s.elsewhere(q.Receiver), AtMost: s.elsewhere(q.Receiver) && q.Fixed == payments.FixedReceive,
		Expired: left <= 0, ChangeURL: "/send?" + changeQuery(q), Problem: refusal,
	}))
}

// changeQuery fills the send form with what a quote was asked for.
func changeQuery(q payments.Quote) string {
	side := views.SideSend
	if q.Fixed == payments.FixedReceive {
		side = views.SideReceive
	}
	return query("to", q.Receiver, "account", q.AccountID.String(), "amount", q.AskedAmount.Decimal(), "side", side)
}

// name is what to call the other side.
func name(public, pointer string) string {
	if public != "" {
		return public
	}
	return pointer
}
