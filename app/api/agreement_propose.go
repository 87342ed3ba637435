package api

import (
	"fmt"

	"pochi/app/problem"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"
)

// proposalJSON is an agreement that an app can ask people for by its id: with
// the AuthorizationDetails, as they are, in its authorization request.
type proposalJSON struct {
	agreementJSON
	AuthorizationDetails []detailJSON `json:"authorizationDetails"`
}

type detailJSON struct {
	Type string    `json:"type"`
	ID   uuid.UUID `json:"id"`
}

// proposeAgreement answers POST /api/agreements.
func (a *API) proposeAgreement(c *fiber.Ctx, by caller) error {
	body, err := bodyOf(c)
	if err != nil {
		return err
	}
	if _, err := parseObject(body); err != nil {
		return err
	}
	terms, err := a.terms.Terms(body)
	if err != nil {
		return fmt.Errorf("read the terms: %w", err)
	}
	app, err := a.clients.FindClient(c.UserContext(), by.ClientID)
	if problem.CodeOf(err) == problem.NotFound {
		return invalidToken("The app that the access token belongs to isn't registered any more.")
	}
	if err != nil {
		return fmt.Errorf("find the app: %w", err)
	}
	made, err := a.agreements.Propose(c.UserContext(), by.ClientID, app.Name, terms)
	if err != nil {
		return fmt.Errorf("propose the agreement: %w", err)
	}
	answer := proposalJSON{a.agreementJSON(made), []detailJSON{{"agreement", made.ID}}}
	return c.Status(fiber.StatusCreated).JSON(answer)
}
