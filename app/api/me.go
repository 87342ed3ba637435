package api

import (
	"context"
	"fmt"

	"pochi/app/oauth"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"
)

// me is who the token belongs to. Name and PaymentPointers need the scope
// profile.
type me struct {
	Sub             string    `json:"sub"`
	Name            string    `json:"name,omitempty"`
	PaymentPointers *[]string `json:"paymentPointers,omitempty"`
}

// me answers GET /api/me.
func (a *API) me(c *fiber.Ctx, by caller) error {
	answer := me{Sub: by.Subject}
	if by.Has(oauth.Profile) {
		pointers, err := a.pointersOf(c.UserContext(), by.person.ID)
		if err != nil {
			return err
		}
		answer.Name, answer.PaymentPointers = by.person.Name, &pointers
	}
	return c.JSON(answer)
}

// pointersOf returns a person's payment pointers as they are written.
func (a *API) pointersOf(ctx context.Context, userID uuid.UUID) ([]string, error) {
	rows, err := a.pointers.Pointers(ctx, userID)
	if err != nil {
		return nil, fmt.Errorf("list the person's payment pointers: %w", err)
	}
	out := make([]string, len(rows)) // an empty list, not null, when there are none
	for i, row := range rows {
		out[i] = a.pointer(row.Name)
	}
	return out, nil
}

// pointer writes the payment pointer of a name.
func (a *API) pointer(name string) string { return "$" + a.host + "/" + name }
