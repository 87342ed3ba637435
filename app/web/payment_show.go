package web

import (
	"fmt"

	"pochi/app/payments"
	"pochi/app/problem"
	"pochi/views"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"
)

// showPayment shows a payment from the person's side: what they sent, or what
// they got.
func (s *Site) showPayment(c *fiber.Ctx) error {
	ctx, who := c.UserContext(), person(c)
	id, err := paramID(c)
	if err != nil {
		return err
	}
	if c.Query("side") != "in" {
		p, err := s.Payments.FindOutgoing(ctx, who.ID, id)
		if err == nil {
			return s.renderOutgoing(c, p)
		}
		if problem.CodeOf(err) != problem.NotFound {
			return err
		}
	}
	p, err := s.Payments.FindIncoming(ctx, who.ID, id)
	if err != nil {
		return err
	}
	return s.renderIncoming(c, p)
}

func (s *Site) renderOutgoing(c *fiber.Ctx, p payments.Outgoing) error {
	account, err := s.accountName(c, p.AccountID)
	if err != nil {
		return err
	}
	v := views.PaymentPage{
		ID: p.ID.String(), State: paymentState(p), Who: name(p.ReceiverName, p.Receiver), Pointer: p.Receiver,
		Account: account, AccountID: p.AccountID.String(),
		Asked: money(p.DebitAmount), Sent: money(p.SentAmount), Received: money(p.DeliveredAmount),
		Rate: p.Rate, Fee: "None",
		Reason: p.Reason, Started: moment(p.CreatedAt), Ended: moment(p.EndedAt),
	}
	switch v.State {
	case views.PaymentFailed:
		v.Where = fmt.Sprintf("Nothing was taken from %s.", account)
	case views.PaymentPartly:
		rest := p.DebitAmount
		rest.Value -= p.SentAmount.Value
		v.Where = fmt.Sprintf("%s arrived; %s is back in %s.", p.DeliveredAmount, rest, account)
	}
	return render(c, fiber.StatusOK, views.Payment(s.page(c, "Payment", views.NavNone), v))
}

func (s *Site) renderIncoming(c *fiber.Ctx, p payments.Incoming) error {
	account, err := s.accountName(c, p.AccountID)
	if err != nil {
		return err
	}
	v := views.PaymentPage{
		ID: p.ID.String(), State: views.PaymentCompleted, In: true, Who: p.SenderName,
		Account: account, AccountID: p.AccountID.String(),
		Received: money(p.Received), Started: moment(p.CreatedAt), Ended: moment(p.UpdatedAt),
	}
	if p.Pointer != "" {
		v.Pointer = s.pointer(p.Pointer)
	}
	return render(c, fiber.StatusOK, views.Payment(s.page(c, "Payment", views.NavNone), v))
}

func paymentState(p payments.Outgoing) views.PaymentState {
	switch {
	case p.State == payments.Sending:
		return views.PaymentSending
	case p.State == payments.Completed:
		return views.PaymentCompleted
	case p.SentAmount.Value > 0:
		return views.PaymentPartly
	}
	return views.PaymentFailed
}

// accountName names an account of the person, also one that is closed.
func (s *Site) accountName(c *fiber.Ctx, id uuid.UUID) (string, error) {
	a, err := s.Accounts.FindAny(c.UserContext(), person(c).ID, id)
	return a.Name, err
}
