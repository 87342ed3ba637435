package packet

import "time"

// timestampSize is the length of YYYYMMDDHHmmSSfff (RFC 27, section 3.1).
const timestampSize = 17

// appendTimestamp appends t in UTC, cut to milliseconds. Its year is 0 to 9999.
func appendTimestamp(dst []byte, t time.Time) []byte {
	t = t.UTC()
	year, month, day := t.Date()
	dst = appendDigits(dst, year, 4)
	dst = appendDigits(dst, int(month), 2)
	dst = appendDigits(dst, day, 2)
	dst = appendDigits(dst, t.Hour(), 2)
	dst = appendDigits(dst, t.Minute(), 2)
	dst = appendDigits(dst, t.Second(), 2)
	return appendDigits(dst, t.Nanosecond()/int(time.Millisecond), 3)
}

func appendDigits(dst []byte, n, width int) []byte {
	for unit := pow10(width - 1); unit > 0; unit /= 10 {
		dst = append(dst, '0'+byte(n/unit%10))
	}
	return dst
}

func pow10(n int) int {
	unit := 1
	for range n {
		unit *= 10
	}
	return unit
}

// parseTimestamp reads 17 digits that are a real date and time of day, or returns ErrExpiry. A leap second (:60) is
// refused, as RFC 30's list of invalid times has it.
func parseTimestamp(b []byte) (time.Time, error) {
	for _, c := range b {
		if c < '0' || c > '9' {
			return time.Time{}, ErrExpiry
		}
	}
	if len(b) != timestampSize {
		return time.Time{}, ErrExpiry
	}
	year, month, day := digits(b[0:4]), time.Month(digits(b[4:6])), digits(b[6:8])
	hour, minute, second := digits(b[8:10]), digits(b[10:12]), digits(b[12:14])
	if hour > 23 || minute > 59 || second > 59 {
		return time.Time{}, ErrExpiry
	}
	t := time.Date(year, month, day, hour, minute, second, digits(b[14:17])*int(time.Millisecond), time.UTC)
	if y, m, d := t.Date(); y != year || m != month || d != day { // time.Date rolls 31 June over to 1 July
		return time.Time{}, ErrExpiry
	}
	return t, nil
}

func digits(b []byte) (n int) {
	for _, c := range b {
		n = n*10 + int(c-'0')
	}
	return n
}
