package interval

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// Error says in one plain sentence why something is no repeating interval. It is a
// constant, so it can be compared with errors.Is.
type Error string

// Error returns the sentence.
func (e Error) Error() string { return string(e) }

// The reasons for which Parse refuses.
const (
	ErrForm     Error = "A repeating interval looks like R/2026-01-31T00:00:00Z/P1M or R/P1M."
	ErrCount    Error = "After the R stands how often the interval comes, 1 to 1,000,000, or nothing."
	ErrMoment   Error = "A moment in an interval looks like 2026-01-31T00:00:00Z, and is in the years 1970 to 2999."
	ErrDuration Error = "A duration in an interval looks like P1M, P2W, P1D or PT12H, in whole numbers."
	ErrLength   Error = "An interval lasts more than nothing and at most 100 years, all of its repetitions at most 1,000."
	ErrOrder    Error = "An interval ends after it starts."
)

// Bounds of a rule.
const (
	CountMax  = 1_000_000
	textMax   = 200                         // bytes
	lengthMax = 100 * 12 * monthInSeconds   // of a period, in seconds
	allMax    = 1_000 * 12 * monthInSeconds // of all repetitions, if they are counted
	yearMin   = 1970
	yearMax   = 2999
)

// Parse reads a repeating interval: R[n]/duration, R[n]/start/duration,
// R[n]/start/end or R[n]/duration/end, where n is how many repetitions there are in
// all. With an end instead of a duration, the repetitions are as long as from start
// to end. The empty text is the zero Rule. An error is an Error.
func Parse(text string) (Rule, error) {
	if text == "" {
		return Rule{}, nil
	}
	parts := strings.Split(text, "/")
	if len(text) > textMax || len(parts) < 2 || len(parts) > 3 {
		return Rule{}, ErrForm
	}
	r := Rule{}
	var err error
	if r.count, err = parseCount(parts[0]); err != nil {
		return Rule{}, err
	}
	if err := r.parseSpan(parts[1:]); err != nil {
		return Rule{}, err
	}
	if err := r.check(); err != nil {
		return Rule{}, err
	}
	return r, nil
}

func parseCount(text string) (int64, error) {
	digits, ok := strings.CutPrefix(text, "R")
	if !ok {
		return 0, ErrForm
	}
	if digits == "" {
		return 0, nil
	}
	n, ok := number(digits)
	if !ok || n < 1 || n > CountMax {
		return 0, ErrCount
	}
	return n, nil
}

// parseSpan reads what follows the count.
func (r *Rule) parseSpan(parts []string) error {
	var moments [2]time.Time
	durations := 0
	for i, part := range parts {
		var err error
		if strings.HasPrefix(part, "P") {
			durations++
			r.period, err = parsePeriod(part)
		} else {
			moments[i], err = parseMoment(part)
		}
		if err != nil {
			return err
		}
	}
	switch {
	case durations == 0 && len(parts) == 2:
		r.start = at(moments[0])
		return r.lastUntil(moments[1])
	case durations != 1:
		return ErrForm
	case !moments[0].IsZero():
		r.start = at(moments[0])
	case !moments[1].IsZero():
		r.end = at(moments[1])
	}
	return nil
}

// lastUntil makes the period as long as it is from the start to a moment.
func (r *Rule) lastUntil(end time.Time) error {
	seconds := end.Unix() - r.start.seconds
	switch {
	case int64(end.Nanosecond()) != r.start.nanoseconds:
		return ErrMoment
	case seconds <= 0:
		return ErrOrder
	}
	r.period = period{days: seconds / dayInSeconds, seconds: seconds % dayInSeconds}
	return nil
}

// check bounds a rule, so that nothing overflows and each moment of it can be
// written.
func (r Rule) check() error {
	if average := r.period.average(); average == 0 || average > lengthMax || average*max(r.count, 1) > allMax {
		return ErrLength
	}
	return nil
}

// parseMoment reads a date and time of RFC 3339.
func parseMoment(text string) (time.Time, error) {
	var t time.Time
	if err := t.UnmarshalText([]byte(text)); err != nil {
		return time.Time{}, ErrMoment
	}
	if t = t.UTC(); t.Year() < yearMin || t.Year() > yearMax {
		return time.Time{}, ErrMoment
	}
	return t, nil
}

// parsePeriod reads a duration: each unit at most once, the larger first.
func parsePeriod(text string) (period, error) {
	date, clock, hasClock := strings.Cut(text[1:], "T")
	if hasClock && clock == "" || date+clock == "" {
		return period{}, ErrDuration
	}
	var p period
	if !units(date, "YMWD", []part{{&p.months, 12}, {&p.months, 1}, {&p.days, 7}, {&p.days, 1}}) ||
		!units(clock, "HMS", []part{{&p.seconds, 3600}, {&p.seconds, 60}, {&p.seconds, 1}}) {
		return period{}, ErrDuration
	}
	return p, nil
}

// part is where a unit counts, and how much.
type part struct {
	total *int64
	worth int64
}

// units reads numbers that are each followed by a letter, in the letters' order.
func units(text, letters string, parts []part) bool {
	for text != "" {
		i := strings.IndexFunc(text, func(r rune) bool { return r < '0' || r > '9' })
		if i < 1 {
			return false
		}
		n, ok := number(text[:i])
		letter := strings.IndexByte(letters, text[i])
		if !ok || letter < 0 {
			return false
		}
		*parts[letter].total += n * parts[letter].worth
		text, letters, parts = text[i+1:], letters[letter+1:], parts[letter+1:]
	}
	return true
}

// number reads digits, up to what can be multiplied by any unit.
func number(digits string) (int64, bool) {
	n, err := strconv.ParseUint(digits, 10, 32)
	return int64(n), err == nil && n <= math.MaxInt32
}
