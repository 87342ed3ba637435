package interval

import (
	"fmt"
	"strings"
)

// Words says how often: "every month", "every 2 weeks, 12 times", "once".
func (r Rule) Words() string {
	if r.IsOne() {
		return "once"
	}
	return "every " + r.period.words() + r.times()
}

// Per says it behind an amount: "a month", "every 2 weeks, 12 times", "in all".
func (r Rule) Per() string {
	if r.IsOne() {
		return "in all"
	}
	words := r.period.words()
	switch {
	case words == "hour":
		words = "an hour"
	case strings.ContainsAny(words, "0123456789"):
		words = "every " + words
	default:
		words = "a " + words
	}
	return words + r.times()
}

func (r Rule) times() string {
	switch r.count {
	case 0:
		return ""
	case 1:
		return ", one time"
	}
	return fmt.Sprintf(", %d times", r.count)
}

// words are "month" for one, "2 weeks" for more, "1 month and 2 days" for mixtures.
func (p period) words() string {
	var parts []string
	for _, part := range []struct {
		n    int64
		unit string
	}{
		{p.months / 12, "year"}, {p.months % 12, "month"}, {p.weeks(), "week"}, {p.days - 7*p.weeks(), "day"},
		{p.seconds / 3600, "hour"}, {p.seconds % 3600 / 60, "minute"}, {p.seconds % 60, "second"},
	} {
		switch {
		case part.n == 1:
			parts = append(parts, "1 "+part.unit)
		case part.n > 1:
			parts = append(parts, fmt.Sprintf("%d %ss", part.n, part.unit))
		}
	}
	if len(parts) == 1 {
		return strings.TrimPrefix(parts[0], "1 ")
	}
	last := len(parts) - 1
	return strings.Join(parts[:last], ", ") + " and " + parts[last]
}

// weeks are how many whole ones the period's days are, if nothing is left.
func (p period) weeks() int64 {
	if p.days%7 != 0 {
		return 0
	}
	return p.days / 7
}
