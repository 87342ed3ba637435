package web

import (
	"strings"

	"pochi/app/payments"
	"pochi/views"

	"github.com/a-h/templ"
	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"
)

const homeMovements = 10

// showStart is home for who is logged in, the landing page for everybody else.
func (s *Site) showStart(c *fiber.Ctx) error {
	if person(c).ID == uuid.Nil {
		return render(c, fiber.StatusOK, views.Landing(s.page(c, "", views.NavNone)))
	}
	return live(s, c, func() (views.HomePage, error) { return s.home(c) }, func(home views.HomePage) templ.Component {
		return views.Home(s.livePage(c, "Home", views.NavHome), home)
	})
}

func (s *Site) home(c *fiber.Ctx) (views.HomePage, error) {
	ctx, who := c.UserContext(), person(c)
	list, err := s.Accounts.List(ctx, who.ID)
	if err != nil {
		return views.HomePage{}, err
	}
	pointers, err := s.Pointers.Pointers(ctx, who.ID)
	if err != nil {
		return views.HomePage{}, err
	}
	movements, older, err := s.Payments.History(ctx, payments.Filter{UserID: who.ID, Limit: homeMovements})
	if err != nil {
		return views.HomePage{}, err
	}
	told, err := s.agreementNotices(c, uuid.Nil)
	if err != nil {
		return views.HomePage{}, err
	}
	home := views.HomePage{Notices: told, Days: s.days(movements)}
	for _, a := range list {
		home.Accounts = append(home.Accounts, views.AccountCard{ID: a.ID.String(), Name: a.Name, Balance: money(a.Available)})
	}
	if len(pointers) > 0 {
		home.Pointer, home.PayURL = s.pointer(pointers[0].Name), s.PublicURL+"/"+pointers[0].Name
	}
	if older != "" {
		home.More = "/history"
	}
	return home, nil
}

// pointer returns one of our payment pointers as people write it.
func (s *Site) pointer(name string) string { return "$" + s.Host + "/" + name }

// elsewhere tells whether a payment pointer is one of another wallet.
func (s *Site) elsewhere(pointer string) bool { return !strings.HasPrefix(pointer, s.pointer("")) }
