package ilphttp

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strings"
)

// maxToken is the longest bearer token that is looked at, in bytes.
const maxToken = 1024

// TokenHash is the SHA-256 hash of a bearer token: what is kept of it. A plain hash is enough for a token that can't be
// guessed, such as NewToken's; it doesn't protect a word that somebody thought of.
type TokenHash [sha256.Size]byte

// NewToken returns a bearer token of 32 random bytes, as 43 characters of base64url (RFC 6750, section 2.1).
func NewToken() string {
	var b [32]byte
	_, _ = rand.Read(b[:]) // never fails
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// HashToken returns what to keep of a token.
func HashToken(token string) TokenHash { return sha256.Sum256([]byte(token)) }

// ValidToken reports whether a token can travel in an Authorization header: 1 to 1,024 visible ASCII characters.
func ValidToken(token string) bool {
	return len(token) <= maxToken && isVisible(token)
}

// isVisible reports whether s is at least one visible ASCII character and nothing else.
func isVisible(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] > '~' {
			return false
		}
	}
	return s != ""
}

// bearer returns the request's one bearer token.
func bearer(h http.Header) (token string, ok bool) {
	values := h["Authorization"]
	if len(values) != 1 {
		return "", false
	}
	scheme, token, _ := strings.Cut(values[0], " ")
	token = strings.TrimLeft(token, " ")
	return token, strings.EqualFold(scheme, "Bearer") && ValidToken(token)
}
