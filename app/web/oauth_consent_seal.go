package web

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"

	"github.com/gofiber/fiber/v2"
)

// seal binds a consent form to what its page has shown, to whom, and for which
// challenge: what is allowed is that and nothing else.
func (s *Site) seal(c *fiber.Ctx, asked asking) string {
	shown := []any{"consent 1", asked.Challenge, person(c).ID, asked.App, asked.Hosts, asked.Scopes, asked.proposal}
	if t := asked.terms; t != nil {
		shown = append(shown, t.Description, t.Amount, t.Interval.String(), t.PaymentMax, t.Receivers, t.StartsAt, t.ExpiresAt)
	}
	mac := hmac.New(sha256.New, s.OAuth.Key[:])
	// Nothing of this can't be encoded, and a hash takes all.
	_ = json.NewEncoder(mac).Encode(shown)
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// sealed tells whether the form that was sent was shown for this.
func (s *Site) sealed(c *fiber.Ctx, asked asking) bool {
	return hmac.Equal([]byte(formValue(c, "seal")), []byte(s.seal(c, asked)))
}
