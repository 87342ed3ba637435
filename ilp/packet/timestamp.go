package packet

import "time"

// timestampSize is the length of YYYYMMDDHHmmSSfff (RFC 27, section 3.1).
const timestampSize = 17

// fitsTimestamp reports whether t's year, in UTC, has four digits at most.
func fitsTimestamp(t time.Time) bool { return fourDigits(t.UTC().Year()) }

func fourDigits(year int) bool { return 0 <= year && year <= 9999 }

// appendTimestamp appends t in UTC, cut to milliseconds. fitsTimestamp has been asked.
func appendTimestamp(dst []byte, t time.Time) []byte {
	var b [timestampSize]byte
	putTimestamp(&b, t)
	return append(dst, b[:]...)
}

// putTimestamp writes t in UTC, cut to milliseconds. If t doesn't fit it returns false and writes nothing.
func putTimestamp(b *[timestampSize]byte, t time.Time) bool {
	t = t.UTC()
	year, month, day := t.Date()
	if !fourDigits(year) {
		return false
	}
	hour, minute, second := t.Clock()
	millis := t.Nanosecond() / int(time.Millisecond)
	b[0], b[1] = digits(year / 100)
	b[2], b[3] = digits(year % 100)
	b[4], b[5] = digits(int(month))
	b[6], b[7] = digits(day)
	b[8], b[9] = digits(hour)
	b[10], b[11] = digits(minute)
	b[12], b[13] = digits(second)
	b[14], b[15] = digits(millis / 10)
	b[16] = '0' + byte(millis%10)
	return true
}

// digits returns the two digits of n, which is below 100.
func digits(n int) (tens, ones byte) {
	u := uint(n)
	return '0' + byte(u/10), '0' + byte(u%10)
}

// parseTimestamp reads 17 digits that are a real date and time of day, or returns ErrExpiry. A leap second (:60) is
// refused, as RFC 30's list of invalid times has it.
func parseTimestamp(b *[timestampSize]byte) (time.Time, error) {
	for _, c := range b {
		if c < '0' || c > '9' {
			return time.Time{}, ErrExpiry
		}
	}
	year, month, day := 100*value(b[0], b[1])+value(b[2], b[3]), time.Month(value(b[4], b[5])), value(b[6], b[7])
	hour, minute, second := value(b[8], b[9]), value(b[10], b[11]), value(b[12], b[13])
	millis := 10*value(b[14], b[15]) + int(b[16]-'0')
	if month < 1 || month > 12 || day < 1 || day > daysIn(month, year) || hour > 23 || minute > 59 || second > 59 {
		return time.Time{}, ErrExpiry
	}
	return time.Date(year, month, day, hour, minute, second, millis*int(time.Millisecond), time.UTC), nil
}

// value returns what two digits are worth.
func value(tens, ones byte) int { return 10*int(tens-'0') + int(ones-'0') }

// daysIn returns how many days a month has.
func daysIn(m time.Month, year int) int {
	switch m {
	case time.April, time.June, time.September, time.November:
		return 30
	case time.February:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	}
	return 31
}
