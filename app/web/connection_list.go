package web

import (
	"context"

	"pochi/app/oauth"
	"pochi/app/problem"
	"pochi/views"

	"github.com/gofiber/fiber/v2"
)

// Connections knows what people have allowed apps besides agreements. Errors are
// those of package oauth.
type Connections interface {
	Connections(ctx context.Context, subject string) ([]oauth.Connection, error)
	Disconnect(ctx context.Context, subject, clientID string) error
}

// showConnections lists the apps that the person has allowed to know something.
func (s *Site) showConnections(c *fiber.Ctx) error {
	all, err := s.connections(c)
	list, status := views.ConnectionList{Apps: all}, fiber.StatusOK
	if problem.CodeOf(err) == problem.Unavailable {
		list.Problem, status, err = problem.MessageOf(err), problem.Status(err), nil
	}
	if err != nil {
		return err
	}
	return render(c, status, views.Connections(s.page(c, "Connected apps", views.NavApps), list))
}

func (s *Site) connections(c *fiber.Ctx) ([]views.Connection, error) {
	all, err := s.Connections.Connections(c.UserContext(), person(c).ID.String())
	if err != nil {
		return nil, err
	}
	var out []views.Connection
	for _, connected := range all {
		logos, err := s.Apps.Logos(c.UserContext(), []string{connected.App.ID})
		if err != nil {
			return nil, err
		}
		can, _ := abilities(connected.Scopes)
		out = append(out, views.Connection{
			ID: connected.App.ID, App: views.AppMark{Name: connected.App.Name, Logo: logoURL(connected.App.ID, logos[connected.App.ID])},
			Since: day(connected.Since), Can: can,
		})
	}
	return out, nil
}
