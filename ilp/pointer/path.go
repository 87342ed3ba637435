package pointer

import (
	"net/url"
	"strings"
)

// cleanPath checks the path of a pointer and makes it unambiguous: nothing and "/" are the well-known path, and one slash
// at the end of a longer path doesn't count, as deployed senders have it.
func cleanPath(path string) (string, error) {
	if path == "" || path == "/" {
		return wellKnown, nil
	}
	path = strings.TrimSuffix(path, "/")
	for segment := range strings.SplitSeq(path[1:], "/") {
		if !validSegment(segment) {
			return "", ErrPath
		}
	}
	return path, nil
}

// validSegment reports whether s is a segment of a path (RFC 3986, pchar) that means the same to every server: not empty,
// no dots that climb, nothing escaped that could be read as a separator.
func validSegment(s string) bool {
	for i := range len(s) {
		if !pathChar(s[i]) {
			return false
		}
	}
	plain, err := url.PathUnescape(s)
	if err != nil || plain == "" || plain == "." || plain == ".." {
		return false
	}
	for i := range len(plain) {
		if c := plain[i]; c < ' ' || c == 0x7f || c == '/' || c == '\\' {
			return false
		}
	}
	return true
}

func pathChar(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' ||
		strings.IndexByte("-._~!$&'()*+,;=:@%", c) >= 0
}
