package web

import (
	"pochi/app/accounts"
	"pochi/views"

	"github.com/gofiber/fiber/v2"
)

// showPointers fills in the form for another from the query: name, account.
func (s *Site) showPointers(c *fiber.Ctx) error {
	return s.renderPointers(c, fiber.StatusOK, views.PointerList{Name: c.Query("name"), Account: c.Query("account")})
}

func (s *Site) renderPointers(c *fiber.Ctx, status int, list views.PointerList) error {
	ctx, who := c.UserContext(), person(c)
	all, err := s.Accounts.List(ctx, who.ID)
	if err != nil {
		return err
	}
	pointers, err := s.Pointers.Pointers(ctx, who.ID)
	if err != nil {
		return err
	}
	for _, p := range pointers {
		list.Pointers = append(list.Pointers, views.PointerRow{
			ID: p.ID.String(), Pointer: s.pointer(p.Name), PayURL: s.PublicURL + "/" + p.Name, AccountID: p.AccountID.String(),
		})
	}
	list.Host, list.Accounts = s.Host, accountOptions(all, func(a accounts.Account) string { return a.Asset().Code })
	return render(c, status, views.Pointers(s.page(c, "Payment pointers", views.NavPointers), list))
}

// accountOptions lists accounts for a select, with what tells them apart.
func accountOptions(all []accounts.Account, detail func(accounts.Account) string) []views.Option {
	out := make([]views.Option, len(all))
	for i, a := range all {
		out[i] = views.Option{Value: a.ID.String(), Label: a.Name + " · " + detail(a)}
	}
	return out
}

func balance(a accounts.Account) string { return a.Available.String() }
