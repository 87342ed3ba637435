package agreements

import (
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"pochi/app/names"
	"pochi/app/problem"
	"pochi/ledger"
)

// Bounds of what can be asked for.
const (
	DescriptionMax = 200 // characters
	AppMax         = 100 // characters
	ReceiversMax   = 20
	IntervalMin    = time.Hour
	// yearMax is the last year in which terms may start or expire.
	yearMax = 2999
)

// Check returns terms as they are kept, each pointer and moment written in one way
// only, or problem.Errors with the fields description, amount, interval,
// paymentMax, receivers, startsAt and expiresAt.
func (s *Service) Check(t Terms) (Terms, error) {
	return s.check(t, true)
}

// check is Check; what only matters when an app asks is left out when somebody has
// approved it: whether an interval fits into a life that has become shorter.
func (s *Service) check(t Terms, asked bool) (Terms, error) {
	now := s.now()
	t.Description = strings.Join(strings.Fields(t.Description), " ")
	t.StartsAt, t.ExpiresAt = kept(t.StartsAt), kept(t.ExpiresAt)
	receivers, wrong := s.receivers(t.Receivers)
	t.Receivers = receivers
	times := checkTimes(t, now)
	if times == nil {
		times = checkInterval(t, now, asked)
	}
	var errs problem.Errors
	for _, err := range []*problem.Error{checkDescription(t.Description), s.checkAmount(t), checkPaymentMax(t), wrong, times} {
		if err != nil {
			errs = append(errs, err)
		}
	}
	if errs != nil {
		return Terms{}, errs
	}
	return t, nil
}

// kept is a moment as rows hold it.
func kept(t time.Time) time.Time {
	if t.IsZero() {
		return time.Time{}
	}
	return t.UTC().Truncate(time.Microsecond)
}

func checkDescription(text string) *problem.Error {
	switch {
	case text == "":
		return problem.Field("description", "Say what the money is for.")
	case utf8.RuneCountInString(text) > DescriptionMax:
		return problem.Field("description", "Use at most %d characters.", DescriptionMax)
	case !names.Legible(text):
		return problem.Field("description", "Use letters, digits and signs that can be seen.")
	}
	return nil
}

func (s *Service) checkAmount(t Terms) *problem.Error {
	switch {
	case !slices.Contains(s.Currencies, t.Amount.Asset):
		return problem.Field("amount", "This wallet has no %s with %d decimals.", t.Amount.Asset.Code, t.Amount.Asset.Scale)
	case t.Amount.Value == 0:
		return problem.Field("amount", "%s", ledger.ErrAmountNegative.Error())
	case t.Amount.Value > ledger.AmountMax:
		return problem.Field("amount", "%s", ledger.ErrAmountTooLarge.Error())
	}
	return nil
}

func checkPaymentMax(t Terms) *problem.Error {
	if t.PaymentMax > t.Amount.Value {
		return problem.Field("paymentMax", "One payment can't be more than the amount.")
	}
	return nil
}

// receivers writes each pointer in one way, once.
func (s *Service) receivers(in []string) ([]string, *problem.Error) {
	if len(in) > ReceiversMax {
		return nil, problem.Field("receivers", "Name at most %d receivers.", ReceiversMax)
	}
	var out []string
	for _, text := range in {
		p, err := s.Pointers.Parse(text)
		if err != nil {
			return nil, problem.Field("receivers", "%s", err.Error())
		}
		if !slices.Contains(out, p.String()) {
			out = append(out, p.String())
		}
	}
	return out, nil
}

func checkTimes(t Terms, now time.Time) *problem.Error {
	switch {
	case !t.StartsAt.IsZero() && (t.StartsAt.Year() < 1970 || t.StartsAt.Year() > yearMax):
		return problem.Field("startsAt", "It must start in the years 1970 to %d.", yearMax)
	case t.ExpiresAt.IsZero():
		return nil
	case t.ExpiresAt.Year() > yearMax:
		return problem.Field("expiresAt", "It must expire by the year %d.", yearMax)
	case !t.ExpiresAt.After(now):
		return problem.Field("expiresAt", "It must expire in the future.")
	case !t.ExpiresAt.After(t.StartsAt):
		return problem.Field("expiresAt", "It must expire after it starts.")
	}
	return nil
}

func checkInterval(t Terms, now time.Time, asked bool) *problem.Error {
	if t.Interval.IsOne() {
		return nil
	}
	if t.Interval.Shortest() < IntervalMin {
		return problem.Field("interval", "An interval must last an hour at least.")
	}
	if t.over(now) {
		return problem.Field("interval", "Its last interval is over before it could be used.")
	}
	begins, _ := t.Begins(now)
	first, ok := t.At(now, begins)
	if asked && !t.ExpiresAt.IsZero() && (!ok || first.End.Sub(first.Start) > t.ExpiresAt.Sub(begins)) {
		return problem.Field("interval", "An interval is longer than all of the time until it expires. Leave it out to ask for the amount once.")
	}
	return nil
}
