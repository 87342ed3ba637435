package admin

import (
	"context"
	"net/http"
	"net/url"

	"pochi/app/peers"
	"pochi/ledger"
)

// Peers is what the handler needs of package peers.
type Peers interface {
	Add(ctx context.Context, name, asset string, c peers.Change) (peers.Changed, error)
	Update(ctx context.Context, name string, c peers.Change) (peers.Changed, error)
	Remove(ctx context.Context, name string) (gone peers.Standing, repeated bool, err error)
	Ping(ctx context.Context, name string) (peers.Peer, peers.Pong, error)
	Settle(ctx context.Context, name string, in peers.Settlement) (now peers.Standing, repeated bool, err error)
	Resolve(ctx context.Context, name string, r peers.Resolution) (p peers.Peer, c peers.Claim, repeated bool, err error)
}

// NewPeer is a peer to be.
type NewPeer struct {
	Asset string       `json:"asset"`
	Terms peers.Change `json:"terms"`
}

// doPeer has a command about a peer done. What is no name can't stand in a path.
func doPeer[Answer any](ctx context.Context, c Client, name, verb string, body any) (Answer, error) {
	if wrong := peers.CheckName(name); wrong != nil {
		var none Answer
		return none, wrong
	}
	return do[Answer](ctx, c, "/peers/"+url.PathEscape(name)+"/"+verb, body)
}

// AddPeer makes a peer.
func (c Client) AddPeer(ctx context.Context, name string, in NewPeer) (Peer, error) {
	return doPeer[Peer](ctx, c, name, "add", in)
}

// UpdatePeer changes a peer.
func (c Client) UpdatePeer(ctx context.Context, name string, change peers.Change) (Peer, error) {
	return doPeer[Peer](ctx, c, name, "update", change)
}

// RemovePeer ends a peer.
func (c Client) RemovePeer(ctx context.Context, name string) (Peer, error) {
	return doPeer[Peer](ctx, c, name, "remove", nil)
}

// PingPeer sends a peer packets without money. Pong.OK says whether nothing is
// wrong with a peer that answered.
func (c Client) PingPeer(ctx context.Context, name string) (Pong, error) {
	return doPeer[Pong](ctx, c, name, "ping", nil)
}

// SettlePeer counts what moved outside of the Interledger.
func (c Client) SettlePeer(ctx context.Context, name string, in peers.Settlement) (Peer, error) {
	return doPeer[Peer](ctx, c, name, "settle", in)
}

func (s Services) addPeer(r *http.Request) (answer, error) {
	in, err := read[NewPeer](r)
	if err != nil {
		return answer{}, err
	}
	return peerAnswer(s.Peers.Add(r.Context(), r.PathValue("name"), in.Asset, in.Terms))
}

func (s Services) updatePeer(r *http.Request) (answer, error) {
	change, err := read[peers.Change](r)
	if err != nil {
		return answer{}, err
	}
	return peerAnswer(s.Peers.Update(r.Context(), r.PathValue("name"), change))
}

func peerAnswer(now peers.Changed, err error) (answer, error) {
	if err != nil {
		return answer{}, err
	}
	out := newPeer(now.Standing)
	out.changed, out.Repeated = now.Differences, len(now.Differences) == 0
	return answer{body: out, repeated: out.Repeated}, nil
}

func (s Services) removePeer(r *http.Request) (answer, error) {
	gone, repeated, err := s.Peers.Remove(r.Context(), r.PathValue("name"))
	if err != nil {
		return answer{}, err
	}
	out := newPeer(gone)
	out.Repeated = repeated
	return answer{body: out, repeated: repeated, state: "removed"}, nil
}

func (s Services) pingPeer(r *http.Request) (answer, error) {
	peer, pong, err := s.Peers.Ping(r.Context(), r.PathValue("name"))
	if err != nil {
		return answer{}, err
	}
	return answer{body: newPong(peer, pong), state: "reachable"}, nil
}

func (s Services) settlePeer(r *http.Request) (answer, error) {
	in, err := read[peers.Settlement](r)
	if err != nil {
		return answer{}, err
	}
	now, repeated, err := s.Peers.Settle(r.Context(), r.PathValue("name"), in)
	if err != nil {
		return answer{}, err
	}
	out := newPeer(now)
	out.Repeated, out.Settlement = repeated, &in.ID
	amount, state := ledger.Amount{Value: in.Paid, Asset: now.Asset}, "paid"
	if in.Received > 0 {
		amount.Value, state = in.Received, "received"
	}
	return answer{out, repeated, amount.String(), state}, nil
}
