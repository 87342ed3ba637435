package interval

import (
	"strconv"
	"strings"
	"time"
)

// period is how long a repetition lasts: months of the calendar, then days, then
// seconds, in this order.
type period struct{ months, days, seconds int64 }

const (
	dayInSeconds = 24 * 60 * 60
	// monthInSeconds is how long a month of the Gregorian calendar is on average, exactly.
	monthInSeconds = 31_556_952 / 12
	// monthAtLeast is the time from a day of a month to the same or, clamped, the last day of the next one, at least.
	monthAtLeast = 28 * dayInSeconds
)

// after returns the moment n periods after t, or -n before it.
func (p period) after(t time.Time, n int64) time.Time {
	t = addMonths(t, n*p.months)
	return time.Unix(t.Unix()+n*(p.days*dayInSeconds+p.seconds), int64(t.Nanosecond())).UTC()
}

// addMonths moves t by months. The day of the month is the last one if the month
// has no such day.
func addMonths(t time.Time, months int64) time.Time {
	if months == 0 {
		return t
	}
	year, month, day := t.Date()
	first := time.Date(year, month+time.Month(months), 1, 0, 0, 0, 0, time.UTC)
	last := first.AddDate(0, 1, -1).Day()
	hour, minute, second := t.Clock()
	return time.Date(first.Year(), first.Month(), min(day, last), hour, minute, second, t.Nanosecond(), time.UTC)
}

// index returns how many periods after base the one begins that t is in. It
// estimates, and corrects: a month of the calendar is never more than a few days
// away from where the average has it, so there are at most a few corrections.
func (p period) index(base, t time.Time) int64 {
	n := (t.Unix() - base.Unix()) / p.average()
	for t.Before(p.after(base, n)) {
		n--
	}
	for !t.Before(p.after(base, n+1)) {
		n++
	}
	return n
}

// average returns how long a period lasts on average, in seconds.
func (p period) average() int64 {
	return p.months*monthInSeconds + p.days*dayInSeconds + p.seconds
}

func (p period) shortest() time.Duration {
	seconds := p.months*monthAtLeast + p.days*dayInSeconds + p.seconds
	return time.Duration(seconds) * time.Second
}

// String returns the period as ISO 8601 writes it: "P1Y6M", "P2W", "P1DT12H".
func (p period) String() string {
	if p.months == 0 && p.seconds == 0 && p.days > 0 && p.days%7 == 0 {
		return "P" + strconv.FormatInt(p.days/7, 10) + "W"
	}
	var b strings.Builder
	b.WriteByte('P')
	write := func(n int64, unit byte) {
		if n > 0 {
			b.WriteString(strconv.FormatInt(n, 10))
			b.WriteByte(unit)
		}
	}
	write(p.months/12, 'Y')
	write(p.months%12, 'M')
	write(p.days, 'D')
	if p.seconds > 0 {
		b.WriteByte('T')
		write(p.seconds/3600, 'H')
		write(p.seconds%3600/60, 'M')
		write(p.seconds%60, 'S')
	}
	return b.String()
}
