package web

import (
	"pochi/app/accounts"
	"pochi/views"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"
)

// showAccounts fills in the form for another from the query: currency, name.
func (s *Site) showAccounts(c *fiber.Ctx) error {
	return s.renderAccounts(c, fiber.StatusOK, views.AccountList{
		Currency: c.Query("currency", s.Currencies[0].Code), Name: c.Query("name"),
	})
}

func (s *Site) renderAccounts(c *fiber.Ctx, status int, list views.AccountList) error {
	ctx, who := c.UserContext(), person(c)
	all, err := s.Accounts.List(ctx, who.ID)
	if err != nil {
		return err
	}
	closed, err := s.Accounts.ListClosed(ctx, who.ID)
	if err != nil {
		return err
	}
	pointers, err := s.Pointers.Pointers(ctx, who.ID)
	if err != nil {
		return err
	}
	for _, a := range all {
		paid := len(s.paying(pointers, a.ID)) > 0
		apps, err := s.Accounts.Apps(ctx, a.ID)
		if err != nil {
			return err
		}
		list.Accounts = append(list.Accounts, views.AccountRow{
			ID: a.ID.String(), Name: a.Name, Asset: a.Asset().Name(), Balance: money(a.Available),
			ClosesOnce: a.ClosesOnce(paid, apps), Paid: paid,
		})
	}
	for _, a := range closed {
		list.Closed = append(list.Closed, views.ClosedAccount{ID: a.ID.String(), Name: a.Name, Asset: a.Asset().Name(), Code: a.Asset().Code})
	}
	list.Currencies = currencyOptions(s.Currencies)
	return render(c, status, views.Accounts(s.page(c, "Accounts", views.NavAccounts), list))
}

// paying returns the pointers that pay an account, as people write them.
func (s *Site) paying(pointers []accounts.Pointer, accountID uuid.UUID) []string {
	var out []string
	for _, p := range pointers {
		if p.AccountID == accountID {
			out = append(out, s.pointer(p.Name))
		}
	}
	return out
}
