package web

import (
	"pochi/app/agreements"
	"pochi/app/problem"
	"pochi/ledger"
	"pochi/views"

	"github.com/gofiber/fiber/v2"
)

// askLowerAgreement shows the form, filled in from the query.
func (s *Site) askLowerAgreement(c *fiber.Ctx) error {
	a, err := s.findAgreement(c)
	if err != nil {
		return err
	}
	if !a.Live() {
		return see(c, "/agreements/"+a.ID.String())
	}
	return s.renderLower(c, fiber.StatusOK, a, views.AgreementLower{Amount: c.Query("amount")})
}

func (s *Site) lowerAgreement(c *fiber.Ctx) error {
	a, err := s.findAgreement(c)
	if err != nil {
		return err
	}
	typed := text(c, "amount")
	amount, err := ledger.ParseAmount(typed, a.Amount.Asset)
	if err != nil {
		err = problem.Field("amount", "%s", err.Error())
	} else {
		err = s.Agreements.Lower(c.UserContext(), person(c).ID, a.ID, amount.Value)
	}
	if err != nil {
		errs, ok := formErrors(c, err)
		if !ok {
			return err
		}
		return s.renderLower(c, problem.Status(err), a, views.AgreementLower{Amount: typed, Errors: errs})
	}
	return s.tell(c, "/agreements/"+a.ID.String(), "agreement-lowered")
}

func (s *Site) renderLower(c *fiber.Ctx, status int, a agreements.Agreement, form views.AgreementLower) error {
	usage, err := s.Agreements.Usage(c.UserContext(), a.ID)
	if err != nil {
		return err
	}
	form.ID, form.App, form.Use = a.ID.String(), views.AppMark{Name: a.App}, useOf(a, usage, s.Now())
	return render(c, status, views.LowerAgreement(s.page(c, "Lower the limit", views.NavApps), form))
}
