package web

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"

	"pochi/app/payments"
	"pochi/app/problem"
	"pochi/ledger"
	"pochi/views"

	"github.com/a-h/templ"
	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"
)

// showPayment shows a payment from the person's side: what they sent, or what
// they got.
func (s *Site) showPayment(c *fiber.Ctx) error {
	return live(s, c, func() (views.PaymentPage, error) { return s.payment(c) }, func(v views.PaymentPage) templ.Component {
		return views.Payment(s.livePage(c, "Payment", views.NavNone), v)
	})
}

func (s *Site) payment(c *fiber.Ctx) (views.PaymentPage, error) {
	ctx, who := c.UserContext(), person(c)
	id, err := paramID(c)
	if err != nil {
		return views.PaymentPage{}, err
	}
	if c.Query("side") != "in" {
		p, err := s.Payments.FindOutgoing(ctx, who.ID, id)
		if err == nil {
			return s.outgoing(c, p)
		}
		if problem.CodeOf(err) != problem.NotFound {
			return views.PaymentPage{}, err
		}
	}
	p, err := s.Payments.FindIncoming(ctx, who.ID, id)
	if err != nil {
		return views.PaymentPage{}, err
	}
	return s.incoming(c, p)
}

func (s *Site) outgoing(c *fiber.Ctx, p payments.Outgoing) (views.PaymentPage, error) {
	account, err := s.accountName(c, p.AccountID)
	v := views.PaymentPage{
		ID: p.ID.String(), State: paymentState(p), Who: name(p.ReceiverName, p.Receiver), Pointer: p.Receiver,
		Account: account, AccountID: p.AccountID.String(),
		Asked: money(p.DebitAmount), Promised: money(p.ReceiveAmount), AtLeast: s.elsewhere(p.Receiver),
		Sent: money(p.SentAmount), Received: money(p.DeliveredAmount),
		Rate: p.Rate, Fee: "None",
		Reason: p.Reason, Started: moment(p.CreatedAt), Ended: moment(p.EndedAt),
	}
	v.Checking, v.Back = moneyUnlessZero(p.Suspended.Open), moneyUnlessZero(back(p))
	if p.App != "" {
		v.App, v.AppURL, v.AppSays = p.App, agreementURL(p.AgreementID), p.Description
	}
	if p.State == payments.NeedsReview {
		v.Held = moneyUnlessZero(p.Held())
	}
	if host, ok := requestElsewhere(p.Receiver); ok && p.ReceiverName == "" {
		v.RequestAt = host
	}
	v.Where = where(p, v.State, account)
	if err == nil && s.isRequest(p.Receiver) {
		err = s.showWhatFor(c, p, &v)
	}
	return v, err
}

// showWhatFor adds the payment request of ours that a payment was for.
func (s *Site) showWhatFor(c *fiber.Ctx, p payments.Outgoing, v *views.PaymentPage) error {
	id, err := uuid.Parse(strings.TrimPrefix(p.Receiver, s.pointer("requests/")))
	if err != nil {
		return nil // it was none
	}
	r, err := s.Requests.FindRequest(c.UserContext(), id)
	if problem.CodeOf(err) == problem.NotFound {
		return nil
	}
	v.Request, v.RequestURL = cmp.Or(r.Description, "Payment request"), "/requests/"+id.String()
	return err
}

// where says where the money of a payment is that isn't simply sent, and what
// the amounts on the page leave open.
func where(p payments.Outgoing, state views.PaymentState, account string) string {
	rest := p.DebitAmount
	rest.Value -= p.SentAmount.Value + p.Suspended.Open.Value
	var all []string
	switch {
	case state == views.PaymentReview && p.Held().Value > 0:
		all = append(all, fmt.Sprintf("%s stays reserved in %s.", p.Held().Whole(), account))
	case state == views.PaymentFailed:
		all = append(all, fmt.Sprintf("Nothing was taken from %s.", account))
	case state == views.PaymentPartly && p.Suspended.Paid.Value == 0:
		all = append(all, fmt.Sprintf("%s arrived; %s is back in %s.", p.DeliveredAmount.Whole(), rest.Whole(), account))
	case (state == views.PaymentPartly || state == views.PaymentChecking) && rest.Value > 0:
		all = append(all, fmt.Sprintf("%s is back in %s.", rest.Whole(), account))
	}
	if open := p.Suspended.Open; open.Value > 0 {
		all = append(all, fmt.Sprintf("Whether %s of it arrived is being checked with the other wallet. If it didn't, it comes back to %s.", open.Whole(), account))
	}
	if paid := p.Suspended.Paid; paid.Value > 0 {
		all = append(all, fmt.Sprintf("%s of it turned out to have arrived; it isn't counted in what they got.", paid.Whole()))
	}
	return strings.Join(all, " ")
}

// back is what came back to the account of a payment that was checked with the
// other wallet, when it has ended with what was never sent, and of one that needed
// less than was confirmed.
func back(p payments.Outgoing) ledger.Amount {
	checked := p.Suspended.Open.Value+p.Suspended.Released.Value+p.Suspended.Paid.Value > 0
	if p.State == payments.Completed || p.State.Ended() && checked {
		return p.Back()
	}
	return p.Suspended.Released
}

// moneyUnlessZero is an amount that is shown only if there is something.
func moneyUnlessZero(a ledger.Amount) views.Money {
	if a.Value == 0 {
		return views.Money{}
	}
	return money(a)
}

func (s *Site) incoming(c *fiber.Ctx, p payments.Incoming) (views.PaymentPage, error) {
	account, err := s.accountName(c, p.AccountID)
	v := views.PaymentPage{
		ID: p.ID.String(), State: views.PaymentCompleted, In: true, Who: p.SenderName,
		Account: account, AccountID: p.AccountID.String(),
		Received: money(p.Received), Started: moment(p.CreatedAt), Ended: moment(p.UpdatedAt),
	}
	if p.Sender != "" {
		v.Pointer = s.pointer(p.Sender)
	}
	if p.Pointer != "" {
		v.Paid = s.pointer(p.Pointer)
	}
	if p.RequestID != uuid.Nil {
		v.RequestURL, v.Request = "/requests/"+p.RequestID.String(), cmp.Or(p.Description, "Payment request")
	}
	if p.SenderName == "" {
		v.Packets = strconv.Itoa(p.Packets)
	}
	return v, err
}

func paymentState(p payments.Outgoing) views.PaymentState {
	switch {
	case p.State == payments.Sending:
		return views.PaymentSending
	case p.State == payments.NeedsReview:
		return views.PaymentReview
	case p.State == payments.Completed:
		return views.PaymentCompleted
	case p.Suspended.Open.Value > 0:
		return views.PaymentChecking
	case p.SentAmount.Value > 0:
		return views.PaymentPartly
	}
	return views.PaymentFailed
}

// accountName names an account of the person, also one that is closed.
func (s *Site) accountName(c *fiber.Ctx, id uuid.UUID) (string, error) {
	return s.Accounts.Name(c.UserContext(), person(c).ID, id)
}
