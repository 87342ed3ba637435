package web

import (
	"fmt"
	"slices"
	"strconv"

	"pochi/app/agreements"
	"pochi/app/notices"
	"pochi/app/problem"
	"pochi/ledger"
	"pochi/views"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"
)

// noticesMax is how many of the last notices are looked at for those to show.
const noticesMax = 20

// agreementNotices are the notices of one agreement, or of all for the zero id:
// those of the intervals that run, unless the person has closed them.
func (s *Site) agreementNotices(c *fiber.Ctx, only uuid.UUID) ([]views.AgreementNotice, error) {
	ctx, who := c.UserContext(), person(c)
	events, err := s.Agreements.Notices(ctx, who.ID, noticesMax)
	if err != nil || len(events) == 0 {
		return nil, err
	}
	closed, err := s.Notices.Closed(ctx, who.ID)
	if err != nil {
		return nil, err
	}
	var out []views.AgreementNotice
	told := map[uuid.UUID]bool{}
	for _, e := range events { // newest first: that a limit is reached comes before that it was near
		if told[e.Agreement] || only != uuid.Nil && e.Agreement != only {
			continue
		}
		told[e.Agreement] = true
		if closed[noticeOf(e)] {
			continue
		}
		text, err := s.noticeText(c, e)
		if err != nil {
			return nil, err
		}
		if text != "" {
			out = append(out, views.AgreementNotice{
				AgreementID: e.Agreement.String(), Text: text, Period: strconv.FormatInt(e.Interval, 10), Kind: string(e.Kind),
				Next: c.Path(), Here: only != uuid.Nil,
			})
		}
	}
	return out, nil
}

func noticeOf(e agreements.Event) notices.Notice {
	return notices.Notice{Agreement: e.Agreement, Kind: string(e.Kind), Interval: e.Interval}
}

// noticeText is what a notice says, "" when it is about what is over.
func (s *Site) noticeText(c *fiber.Ctx, e agreements.Event) (string, error) {
	a, err := s.Agreements.FindOf(c.UserContext(), person(c).ID, e.Agreement)
	if err != nil {
		return "", err
	}
	usage, err := s.Agreements.Usage(c.UserContext(), a.ID)
	if err != nil || !a.Live() || usage.Span.N != e.Interval {
		return "", err
	}
	limit := words(a.Amount) + " " + a.Interval.Per()
	if usage.Left > 0 {
		return fmt.Sprintf("%s has used %s of %s.", a.App, words(ledger.Amount{Value: usage.Used, Asset: a.Amount.Asset}), limit), nil
	}
	text := fmt.Sprintf("%s has used up its %s.", a.App, limit)
	if use := useOf(a, usage, s.Now()); use.Renews.Text != "" {
		text += " It can spend again from " + use.Renews.Text + "."
	}
	return text, nil
}

// closeNotice puts a notice away. That it happened stays in the timeline.
func (s *Site) closeNotice(c *fiber.Ctx) error {
	a, err := s.findAgreement(c)
	if err != nil {
		return err
	}
	events, err := s.Agreements.Timeline(c.UserContext(), a.ID)
	if err != nil {
		return err
	}
	period, err := strconv.ParseInt(text(c, "period"), 10, 64)
	kind := agreements.EventKind(text(c, "kind"))
	known := kind == agreements.EventNear || kind == agreements.EventReached
	at := slices.IndexFunc(events, func(e agreements.Event) bool { return known && e.Kind == kind && e.Interval == period })
	if err != nil || at < 0 {
		return problem.New(problem.NotFound, "There is no such notice.")
	}
	notice := notices.Notice{Agreement: a.ID, Kind: string(kind), Interval: period}
	if err := s.Notices.Close(c.UserContext(), person(c).ID, notice); err != nil {
		return err
	}
	return see(c, localPath(text(c, "next")))
}
