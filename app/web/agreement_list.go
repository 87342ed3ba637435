package web

import (
	"pochi/views"

	"github.com/a-h/templ"
	"github.com/gofiber/fiber/v2"
)

// showAgreements lists what the person has allowed apps, what has ended, too.
func (s *Site) showAgreements(c *fiber.Ctx) error {
	return live(s, c, func() (views.AgreementList, error) { return s.agreements(c) }, func(list views.AgreementList) templ.Component {
		return views.Agreements(s.livePage(c, "Apps & agreements", views.NavApps), list)
	})
}

func (s *Site) agreements(c *fiber.Ctx) (views.AgreementList, error) {
	ctx := c.UserContext()
	all, err := s.Agreements.List(ctx, person(c).ID)
	if err != nil {
		return views.AgreementList{}, err
	}
	logos, err := s.logosOf(ctx, all...)
	if err != nil {
		return views.AgreementList{}, err
	}
	var list views.AgreementList
	for _, a := range all {
		row, err := s.agreementRow(ctx, a, logos[a.ClientID])
		if err != nil {
			return views.AgreementList{}, err
		}
		if row.State.Ended() {
			list.Ended = append(list.Ended, row)
		} else {
			list.Current = append(list.Current, row)
		}
	}
	return list, nil
}
