package web

import (
	"context"
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
// those of the intervals that run, unless the person has closed them, and of pauses
// that aren't the owner's, while they last.
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
	type about struct {
		agreement uuid.UUID
		limit     bool
	}
	told, pauses := map[about]bool{}, map[string]int{} // a restore may pause many: they are one notice
	for _, e := range events {                         // newest first: that a limit is reached comes before that it was near
		key := about{e.Agreement, ofLimit(e.Kind)}
		if told[key] || only != uuid.Nil && e.Agreement != only {
			continue
		}
		told[key] = true
		if closed[noticeOf(e)] {
			continue
		}
		notice, err := s.agreementNotice(c, e)
		if err != nil {
			return nil, err
		}
		at, more := pauses[e.Note]
		switch {
		case notice.Text == "":
		case notice.Kind == "" && more:
			out[at].Text, out[at].AgreementID = "Several agreements with apps are paused. "+e.Note, ""
		default:
			pauses[e.Note] = len(out)
			notice.AgreementID, notice.Next, notice.Here = e.Agreement.String(), c.Path(), only != uuid.Nil
			out = append(out, notice)
		}
	}
	return out, nil
}

// ofLimit tells an event that is about how much was used.
func ofLimit(kind agreements.EventKind) bool {
	return kind == agreements.EventNear || kind == agreements.EventReached
}

func noticeOf(e agreements.Event) notices.Notice {
	return notices.Notice{Agreement: e.Agreement, Kind: string(e.Kind), Interval: e.Interval}
}

// agreementNotice is what an event is told as, without a text when it is about what is
// over.
func (s *Site) agreementNotice(c *fiber.Ctx, e agreements.Event) (views.AgreementNotice, error) {
	a, err := s.Agreements.FindOf(c.UserContext(), person(c).ID, e.Agreement)
	switch {
	case err != nil:
		return views.AgreementNotice{}, err
	case ofLimit(e.Kind):
		text, err := s.limitNotice(c.UserContext(), a, e)
		return views.AgreementNotice{Text: text, Period: strconv.FormatInt(e.Interval, 10), Kind: string(e.Kind)}, err
	case e.Kind == agreements.EventPaused && a.State == agreements.Paused:
		text, err := s.pauseNotice(c.UserContext(), a)
		return views.AgreementNotice{Text: text}, err
	}
	return views.AgreementNotice{}, nil
}

// limitNotice says how much of an agreement is used, "" when that was another interval.
func (s *Site) limitNotice(ctx context.Context, a agreements.Agreement, e agreements.Event) (string, error) {
	usage, err := s.Agreements.Usage(ctx, a.ID)
	if err != nil || !a.Live() || usage.Span.N != e.Interval {
		return "", err
	}
	limit, used := a.Amount.Whole()+" "+a.Interval.Per(), ledger.Amount{Value: usage.Used, Asset: a.Amount.Asset}.Whole()
	text := ""
	switch {
	case usage.Left > 0:
		return fmt.Sprintf("%s has used %s of %s.", a.App, used, limit), nil
	case usage.Used > usage.Limit: // lowered since
		text = fmt.Sprintf("%s has used %s, and has nothing left of %s.", a.App, used, limit)
	default:
		text = fmt.Sprintf("%s has used up its %s.", a.App, limit)
	}
	if use := useOf(a, usage, s.Now()); use.Renews.Text != "" && a.State != agreements.Paused {
		text += " It can spend again from " + use.Renews.Text + "."
	}
	return text, nil
}

// pauseNotice says why an agreement is paused, "" when its owner did that, who knows.
func (s *Site) pauseNotice(ctx context.Context, a agreements.Agreement) (string, error) {
	events, err := s.Agreements.Timeline(ctx, a.ID)
	for _, e := range slices.Backward(events) {
		if e.Kind == agreements.EventPaused && e.Note != "" {
			return fmt.Sprintf("%s is paused. %s", a.App, e.Note), err
		}
		if e.Kind == agreements.EventPaused {
			break
		}
	}
	return "", err
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
	at := slices.IndexFunc(events, func(e agreements.Event) bool { return ofLimit(kind) && e.Kind == kind && e.Interval == period })
	if err != nil || at < 0 {
		return problem.New(problem.NotFound, "There is no such notice.")
	}
	notice := notices.Notice{Agreement: a.ID, Kind: string(kind), Interval: period}
	if err := s.Notices.Close(c.UserContext(), person(c).ID, notice); err != nil {
		return err
	}
	return see(c, localPath(text(c, "next")))
}
