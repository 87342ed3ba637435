package packet

import "time"

// timestampSize is the length of YYYYMMDDHHmmSSfff (RFC 27, section 3.1).
const timestampSize = 17

// fitsTimestamp reports whether t's year, in UTC, has four digits at most.
func fitsTimestamp(t time.Time) bool {
	year := t.UTC().Year()
	return 0 <= year && year <= 9999
}

// appendTimestamp appends t in UTC, cut to milliseconds. fitsTimestamp has been asked.
func appendTimestamp(dst []byte, t time.Time) []byte {
	t = t.UTC()
	year, month, day := t.Date()
	hour, minute, second := t.Clock()
	dst = append2(append2(dst, year/100), year%100)
	dst = append2(append2(dst, int(month)), day)
	dst = append2(append2(append2(dst, hour), minute), second)
	millis := t.Nanosecond() / int(time.Millisecond)
	return append(append2(dst, millis/10), '0'+byte(millis%10))
}

// append2 appends n, which is below 100, as two digits.
func append2(dst []byte, n int) []byte { return append(dst, '0'+byte(n/10), '0'+byte(n%10)) }

// parseTimestamp reads 17 digits that are a real date and time of day, or returns ErrExpiry. A leap second (:60) is
// refused, as RFC 30's list of invalid times has it.
func parseTimestamp(b [timestampSize]byte) (time.Time, error) {
	for _, c := range b {
		if c < '0' || c > '9' {
			return time.Time{}, ErrExpiry
		}
	}
	year, month, day := 100*parse2(b[0], b[1])+parse2(b[2], b[3]), time.Month(parse2(b[4], b[5])), parse2(b[6], b[7])
	hour, minute, second := parse2(b[8], b[9]), parse2(b[10], b[11]), parse2(b[12], b[13])
	millis := 10*parse2(b[14], b[15]) + int(b[16]-'0')
	if month < 1 || month > 12 || day < 1 || day > daysIn(month, year) || hour > 23 || minute > 59 || second > 59 {
		return time.Time{}, ErrExpiry
	}
	return time.Date(year, month, day, hour, minute, second, millis*int(time.Millisecond), time.UTC), nil
}

// parse2 returns the value of two digits.
func parse2(tens, ones byte) int { return 10*int(tens-'0') + int(ones-'0') }

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
