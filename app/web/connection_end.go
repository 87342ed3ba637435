package web

import (
	"slices"

	"pochi/app/agreements"
	"pochi/app/problem"
	"pochi/views"

	"github.com/gofiber/fiber/v2"
)

// askDisconnect says what it means to disconnect an app.
func (s *Site) askDisconnect(c *fiber.Ctx) error {
	connected, err := s.connection(c)
	if err != nil {
		return err
	}
	live, err := s.liveWith(c, connected.ID)
	if err != nil {
		return err
	}
	connected.Effects = []string{"It can't see or do anything for you any more, until you allow it again."}
	if len(live) > 0 {
		connected.Effects = append(connected.Effects, "Agreements that you have with it end, too: it can't spend anything.")
	}
	connected.Effects = append(connected.Effects, "What it knows already it may keep. To have that deleted, ask those who run it.")
	return render(c, fiber.StatusOK, views.Disconnect(s.page(c, "Disconnect "+connected.App.Name+"?", views.NavApps), connected))
}

// connection returns the person's connection with the app that the path names.
func (s *Site) connection(c *fiber.Ctx) (views.Connection, error) {
	all, err := s.connections(c)
	if err != nil {
		return views.Connection{}, err
	}
	for _, connected := range all {
		if connected.ID == c.Params("id") {
			return connected, nil
		}
	}
	return views.Connection{}, problem.New(problem.NotFound, "This app isn't connected.")
}

// liveWith returns the person's agreements with an app that haven't ended.
func (s *Site) liveWith(c *fiber.Ctx, clientID string) ([]agreements.Agreement, error) {
	all, err := s.Agreements.List(c.UserContext(), person(c).ID)
	return slices.DeleteFunc(all, func(a agreements.Agreement) bool { return a.ClientID != clientID || !a.Live() }), err
}

// disconnect ends the agreements with an app first: its tokens for those end with
// all others.
func (s *Site) disconnect(c *fiber.Ctx) error {
	ctx, who := c.UserContext(), person(c)
	live, err := s.liveWith(c, c.Params("id"))
	if err != nil {
		return err
	}
	for _, a := range live {
		if err := s.Agreements.Revoke(ctx, who.ID, a.ID); err != nil {
			return err
		}
	}
	if err := s.Connections.Disconnect(ctx, who.ID.String(), c.Params("id")); err != nil {
		return err
	}
	return s.tell(c, "/agreements/connected", "app-disconnected")
}
