package web

import (
	"fmt"
	"time"

	"pochi/app/payments"
	"pochi/ledger"
	"pochi/views"

	"github.com/google/uuid"
)

const minus = "−" // the sign, not the hyphen

func money(a ledger.Amount) views.Money {
	return views.Money{Text: a.Symbolic(), Code: a.Asset.Code}
}

// days groups a page of movements by date, in UTC.
func (s *Site) days(movements []payments.Movement) []views.Day {
	var out []views.Day
	for _, m := range movements {
		label := s.dayLabel(m.At)
		if len(out) == 0 || out[len(out)-1].Label != label {
			out = append(out, views.Day{Label: label})
		}
		day := &out[len(out)-1]
		day.Movements = append(day.Movements, s.movement(m))
	}
	return out
}

func (s *Site) dayLabel(at time.Time) string {
	const date = "2 January 2006"
	now := s.Now().UTC()
	switch label := at.UTC().Format(date); label {
	case now.Format(date):
		return "Today"
	case now.AddDate(0, 0, -1).Format(date):
		return "Yesterday"
	default:
		return label
	}
}

func (s *Site) movement(m payments.Movement) views.Movement {
	v := views.Movement{
		ID: m.ID.String(), URL: "/payments/" + m.ID.String(), In: m.In,
		Who: m.Who, Detail: m.Pointer, Amount: money(m.Amount),
		State: movementState(m), Time: views.Moment{Text: m.At.UTC().Format("15:04 UTC"), ISO: iso(m.At)},
	}
	switch {
	case m.In:
		v.URL += "?side=in" // paying oneself, both sides have one id
		v.Amount.Text = "+" + v.Amount.Text
		switch {
		case m.Pointer != "":
			v.Detail = s.pointer(m.Pointer)
		case m.Who == "" && m.Paid != "":
			v.Paid, v.Detail = s.pointer(m.Paid), packets(m.Packets)
		}
	case m.State == payments.Failed && !m.Partly && !m.Checking:
		v.Void = true
	default:
		v.Amount.Text = minus + v.Amount.Text
	}
	if m.Stream {
		v.URL, v.Who = agreementURL(m.AgreementID), name(m.Who, "Another wallet")
	}
	if m.Description != "" {
		v.Detail = m.Description
	}
	if s.isRequest(m.Pointer) {
		v.Detail = "Payment request"
	}
	if host, ok := requestElsewhere(m.Pointer); ok && m.Who == "" {
		v.Who, v.Detail = "Payment request", "at "+host
	}
	if v.Who == "" && v.Paid == "" {
		v.Who, v.Detail = v.Detail, ""
	}
	if m.App != "" {
		v.Detail = "by " + m.App
	}
	return v
}

// agreementURL is the page of an agreement.
func agreementURL(id uuid.UUID) string { return "/agreements/" + id.String() }

// packets says in how many packets an amount came.
func packets(n int) string {
	if n == 1 {
		return "1 packet"
	}
	return fmt.Sprintf("%d packets", n)
}

func movementState(m payments.Movement) string {
	switch {
	case m.State == payments.Sending:
		return "Sending"
	case m.State == payments.NeedsReview:
		return "Needs review"
	case m.Checking:
		return "Being checked"
	case m.Partly:
		return "Partly delivered"
	case m.State == payments.Failed:
		return "Failed"
	}
	return ""
}

func iso(at time.Time) string { return at.UTC().Format(time.RFC3339) }

// minute is a time without seconds; the zero time is empty.
func minute(at time.Time) views.Moment {
	if at.IsZero() {
		return views.Moment{}
	}
	return views.Moment{Text: at.UTC().Format("2 January 2006, 15:04 UTC"), ISO: iso(at)}
}

// day is a date; the zero time is empty.
func day(at time.Time) views.Moment {
	if at.IsZero() {
		return views.Moment{}
	}
	return views.Moment{Text: at.UTC().Format("2 January 2006 UTC"), ISO: iso(at)}
}

// moment is a time for a page of details; the zero time is empty.
func moment(at time.Time) views.Moment {
	if at.IsZero() {
		return views.Moment{}
	}
	return views.Moment{Text: at.UTC().Format("2 January 2006, 15:04:05 UTC"), ISO: iso(at)}
}

// shortMoment is moment without the seconds.
func shortMoment(at time.Time) views.Moment {
	if at.IsZero() {
		return views.Moment{}
	}
	return views.Moment{Text: at.UTC().Format("2 January 2006, 15:04 UTC"), ISO: iso(at)}
}
