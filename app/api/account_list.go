package api

import (
	"fmt"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"
)

// account is a person's open account.
type account struct {
	ID              uuid.UUID `json:"id"`
	Name            string    `json:"name"`
	Available       amount    `json:"available"`       // can be spent now
	Reserved        amount    `json:"reserved"`        // by payments on their way
	PaymentPointers []string  `json:"paymentPointers"` // that pay it
}

type accountList struct {
	Accounts   []account  `json:"accounts"`
	Pagination pagination `json:"pagination"`
}

// listAccounts answers GET /api/accounts, in the person's order, on one page.
func (a *API) listAccounts(c *fiber.Ctx, by caller) error {
	if _, err := query(c); err != nil {
		return err
	}
	rows, err := a.accounts.List(c.UserContext(), by.person.ID)
	if err != nil {
		return fmt.Errorf("list the accounts: %w", err)
	}
	pointers, err := a.pointers.Pointers(c.UserContext(), by.person.ID)
	if err != nil {
		return fmt.Errorf("list the payment pointers: %w", err)
	}
	paying := map[uuid.UUID][]string{}
	for _, p := range pointers {
		paying[p.AccountID] = append(paying[p.AccountID], a.pointer(p.Name))
	}
	answer := accountList{Accounts: make([]account, len(rows))}
	for i, row := range rows {
		answer.Accounts[i] = account{row.ID, row.Name, amountOf(row.Available), amountOf(row.Pending), append([]string{}, paying[row.ID]...)}
	}
	return c.JSON(answer)
}
