package web

import (
	"fmt"
	"strings"

	"pochi/app/apps"
	"pochi/views"

	"github.com/gofiber/fiber/v2"
)

// showDevelopers lists the apps that the person has registered.
func (s *Site) showDevelopers(c *fiber.Ctx) error {
	all, err := s.Apps.List(c.UserContext(), person(c).ID)
	if err != nil {
		return err
	}
	page := views.DeveloperPage{Discovery: strings.TrimSuffix(s.HydraURL, "/") + "/.well-known/openid-configuration"}
	for _, a := range all {
		app, err := s.developerApp(c, a)
		if err != nil {
			return err
		}
		page.Apps = append(page.Apps, app)
	}
	return render(c, fiber.StatusOK, views.Developers(s.page(c, "For developers", views.NavNone), page))
}

// developerApp is an app as its developer sees it.
func (s *Site) developerApp(c *fiber.Ctx, a apps.App) (views.DeveloperApp, error) {
	standing, err := s.Apps.Standing(c.UserContext(), a.ID)
	if err != nil {
		return views.DeveloperApp{}, err
	}
	used := a.LastUsedAt
	if standing.LastUsed.After(used) {
		used = standing.LastUsed
	}
	return views.DeveloperApp{
		ID: a.ID, App: views.AppMark{Name: a.Name, Logo: logoURL(a.ID, a.Logo)}, Confidential: a.Confidential,
		RedirectURIs: a.RedirectURIs, PolicyURL: a.PolicyURL, TermsURL: a.TermsURL, Agreements: agreementCount(standing),
		Created: minute(a.CreatedAt), SecretMade: minute(a.SecretAt), LastUsed: minute(used),
		Unsettled: !a.Settled, Deleting: a.Deleted(),
	}, nil
}

// agreementCount says how many agreements an app has.
func agreementCount(st apps.Standing) string {
	switch {
	case st.Agreements == 0:
		return "No agreements"
	case st.Agreements == 1 && st.Live == 1:
		return "1 agreement"
	case st.Agreements == 1:
		return "1 agreement, ended"
	case st.Live == st.Agreements:
		return fmt.Sprintf("%d agreements", st.Agreements)
	}
	return fmt.Sprintf("%d agreements, %d of them ended", st.Agreements, st.Agreements-st.Live)
}
