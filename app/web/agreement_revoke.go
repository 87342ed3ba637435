package web

import (
	"pochi/views"

	"github.com/gofiber/fiber/v2"
)

// askRevokeAgreement says what it means to revoke an agreement.
func (s *Site) askRevokeAgreement(c *fiber.Ctx) error {
	a, err := s.findAgreement(c)
	if err != nil {
		return err
	}
	if !a.Live() {
		return see(c, "/agreements/"+a.ID.String())
	}
	usage, err := s.Agreements.Usage(c.UserContext(), a.ID)
	if err != nil {
		return err
	}
	return render(c, fiber.StatusOK, views.RevokeAgreement(s.page(c, "Revoke "+a.App+"?", views.NavApps), views.AgreementRevoke{
		ID: a.ID.String(), App: views.AppMark{Name: a.App}, Use: useOf(a, usage, s.Now()),
		Effects: []string{
			a.App + " can't spend anything under it any more, at once. It isn't asked, and needn't be reachable.",
			"Payments that were made stay as they are, and one on its way may still arrive.",
			"If you have bought something there that goes on, cancel it there, too.",
			"You can't take this back: for more, the app has to ask you again. The agreement stays on your list.",
		},
	}))
}

func (s *Site) revokeAgreement(c *fiber.Ctx) error {
	id, err := paramID(c)
	if err != nil {
		return err
	}
	if err := s.Agreements.Revoke(c.UserContext(), person(c).ID, id); err != nil {
		return err
	}
	return s.tell(c, "/agreements/"+id.String(), "agreement-revoked")
}
