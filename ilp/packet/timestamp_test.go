package packet_test

import (
	"testing"
	"time"

	"pochi/ilp/packet"
)

// withExpiry returns a Prepare with that text as its expiry.
func withExpiry(t *testing.T, text string) []byte {
	t.Helper()
	b := encode(t, prepare())
	if copied := copy(b[10:27], text); copied != 17 {
		t.Fatalf("%q has %d characters", text, copied)
	}
	return b
}

// Hazard 2: digits and calendar are strict, 1970 is a year, and milliseconds are cut.
func TestTimestamps(t *testing.T) {
	for text, want := range map[string]time.Time{
		"20171224161432279": time.Date(2017, 12, 24, 16, 14, 32, 279e6, time.UTC),
		"19700101000000000": time.Unix(0, 0).UTC(),
		"99991231235959999": time.Date(9999, 12, 31, 23, 59, 59, 999e6, time.UTC),
		"00000101000000000": time.Date(0, 1, 1, 0, 0, 0, 0, time.UTC),
		"20240229000000000": time.Date(2024, 2, 29, 0, 0, 0, 0, time.UTC),
	} {
		p, err := packet.DecodePrepare(withExpiry(t, text))
		if err != nil || !p.ExpiresAt.Equal(want) {
			t.Errorf("%s: %v, %v", text, p, err)
			continue
		}
		if got := string(encode(t, p)[10:27]); got != text {
			t.Errorf("%s became %s", text, got)
		}
	}
	for _, text := range []string{
		"20171324161432200", "20170024161432200", "20170230161432200", "20230229000000000", "20171200161432200",
		"20171224240000000", "20171224236000000", "20171224235960000", "20161231235960852", "2017122416143 200",
		"+0171224161432200", "2017122423000000.", "20171224T61432200", "-0011224161432200",
	} {
		if p, err := packet.DecodePrepare(withExpiry(t, text)); err != packet.ErrExpiry {
			t.Errorf("%s: %v, %v", text, p, err)
		}
	}
}

func TestExpiryIsCutToMillisecondsInUTC(t *testing.T) {
	p := prepare()
	p.ExpiresAt = time.Date(2017, 12, 24, 18, 14, 32, 279_999_999, time.FixedZone("", 2*3600))
	if got, want := string(encode(t, p)[10:27]), "20171224161432279"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestExpiryOutsideFourDigitsIsRefused(t *testing.T) {
	for _, year := range []int{-1, 10000} {
		p := prepare()
		p.ExpiresAt = time.Date(year, 6, 1, 0, 0, 0, 0, time.UTC)
		if _, err := p.Append(nil); err != packet.ErrExpiry {
			t.Errorf("year %d: %v", year, err)
		}
	}
}
