package api

import (
	"fmt"

	"pochi/app/admin"

	"github.com/gofiber/fiber/v2"
)

// peer is a peer as admins see it, but for its tokens.
type peer struct {
	admin.Peer
	Tokens *struct{} `json:"tokens,omitempty"` // stands before the Peer's, and is never there
}

type peerList struct {
	Peers []peer `json:"peers"`
}

// listPeers answers GET /api/admin/peers, oldest first.
func (a *API) listPeers(c *fiber.Ctx, _ caller) error {
	if _, err := query(c); err != nil {
		return err
	}
	rows, err := a.office.ListPeers(c.UserContext())
	if err != nil {
		return fmt.Errorf("list the peers: %w", err)
	}
	answer := peerList{Peers: make([]peer, len(rows))}
	for i, row := range rows {
		answer.Peers[i].Peer = row
	}
	return c.JSON(answer)
}
