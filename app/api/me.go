package api

import (
	"context"
	"fmt"
	"net/http"

	"pochi/app/oauth"
	"pochi/app/problem"
	"pochi/app/users"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"
)

// me is who the token belongs to. Name and PaymentPointers need the scope
// profile.
type me struct {
	Sub             string    `json:"sub"`
	Name            string    `json:"name,omitempty"`
	PaymentPointers *[]string `json:"payment_pointers,omitempty"`
}

// me answers GET /api/me.
func (a *API) me(c *fiber.Ctx, token oauth.Token) error {
	if token.Subject == token.ClientID {
		return newFault(http.StatusForbidden, "no_person", "Not allowed", "The access token belongs to an app itself, not to a person.")
	}
	person, err := a.person(c.UserContext(), token)
	if err != nil {
		return err
	}
	answer := me{Sub: token.Subject}
	if token.Has(oauth.Profile) {
		pointers, err := a.pointersOf(c.UserContext(), person.ID)
		if err != nil {
			return err
		}
		answer.Name, answer.PaymentPointers = person.Name, &pointers
	}
	return c.JSON(answer)
}

// person returns whom a token belongs to.
func (a *API) person(ctx context.Context, token oauth.Token) (users.User, error) {
	id, err := uuid.Parse(token.Subject)
	if err != nil {
		return users.User{}, nobody()
	}
	person, err := a.people.Find(ctx, id)
	if problem.CodeOf(err) == problem.NotFound {
		return users.User{}, nobody()
	}
	if err != nil {
		return users.User{}, fmt.Errorf("find the token's person: %w", err)
	}
	return person, nil
}

func nobody() error {
	return invalidToken("Whoever the access token belongs to has no account here any more.")
}

// pointersOf returns a person's payment pointers as they are written.
func (a *API) pointersOf(ctx context.Context, userID uuid.UUID) ([]string, error) {
	rows, err := a.pointers.Pointers(ctx, userID)
	if err != nil {
		return nil, fmt.Errorf("list the person's payment pointers: %w", err)
	}
	out := make([]string, len(rows)) // an empty list, not null, when there are none
	for i, row := range rows {
		out[i] = "$" + a.host + "/" + row.Name
	}
	return out, nil
}
