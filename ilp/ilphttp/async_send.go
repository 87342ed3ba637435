package ilphttp

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync/atomic"
	"time"

	"pochi/ilp/packet"
)

// unanswered is why a packet that left in asynchronous mode has no reply yet, though one may come.
type unanswered struct {
	status int // that came, or 0
	err    error
}

func (u *unanswered) Error() string { return "no callback came: " + u.err.Error() }

var errAccepted = errors.New("the peer has accepted the packet")

// sent is what came of a request.
type sent struct {
	reply packet.Reply
	err   error
}

// sendAsync sends a packet and waits for its reply: in the response, or in a callback, which may come before the response. The
// packet counts as in flight until both the waiting and the request have ended.
func (e *Endpoint) sendAsync(caller context.Context, p *packet.PrepareView, left time.Duration) (packet.Reply, error) {
	var ended atomic.Int32
	end := func() {
		if ended.Add(1) == 2 {
			e.inFlight.Add(-1)
		}
	}
	defer end()
	expiry := time.NewTimer(left)
	defer expiry.Stop()
	pending, condition := e.client.cfg.Pending, p.Condition()
	w := pending.add(e.peer)
	response := make(chan sent, 1)
	go func() {
		reply, err := e.send(caller, p.Bytes(), left, condition, w.id)
		end()
		response <- sent{reply, err}
	}()

	reply, err := e.await(caller, w, response, expiry.C)
	if called := pending.remove(w); called != nil {
		return e.checked(caller, called, condition), nil // whatever the response says: the peer was told that this is taken
	}
	return reply, err
}

// await returns what the response says, or nothing when a callback has come. Where no response settles it, it waits until the
// packet expires: a broken connection doesn't keep a peer from calling back.
func (e *Endpoint) await(ctx context.Context, w *waiting, response <-chan sent, expiry <-chan time.Time) (packet.Reply, error) {
	open := &unanswered{err: errors.New("nor did a response")}
	for {
		select {
		case <-w.replied:
			return nil, nil
		case <-expiry:
			return nil, e.unknown(ctx, open.status, packet.TimedOut, "The next wallet didn't answer in time.", open)
		case s := <-response:
			if !errors.As(s.err, &open) {
				return s.reply, s.err
			}
		}
	}
}

// lost is the error for a packet that left and got no response.
func (e *Endpoint) lost(ctx context.Context, err error, async bool) error {
	if async {
		return &unanswered{0, err}
	}
	return e.silent(ctx, err)
}

// accepted is the error for a packet whose reply the peer has promised to send.
func accepted(resp *http.Response) error {
	discard(resp)
	return &unanswered{resp.StatusCode, errAccepted}
}

// announce asks for a callback, in headers as RFC 35 has them and, for deployed peers, as its drafts had them.
func (e *Endpoint) announce(h http.Header, id string) {
	h["Prefer"] = respondAsync
	h[headerRequestID] = []string{id}
	h[headerCallbackURL] = []string{e.client.cfg.CallbackURL}
}

var respondAsync = []string{"respond-async"}

// The headers of asynchronous mode, as http.Header spells them.
const (
	headerRequestID   = "Request-Id"
	headerCallbackURL = "Callback-Url"
)

// ErrNoCallbacks: an endpoint in asynchronous mode was wanted of a Client without Pending.
var ErrNoCallbacks = errors.New("ilphttp: this client takes no callbacks")

// checkAsync says what an endpoint in asynchronous mode lacks.
func (c *Client) checkAsync(cfg EndpointConfig) error {
	switch {
	case c.cfg.Pending == nil:
		return fmt.Errorf("peer %q: %w", cfg.Name, ErrNoCallbacks)
	case cfg.Peer == [16]byte{}:
		return fmt.Errorf("peer %q: ilphttp: asynchronous mode needs the peer's id", cfg.Name)
	}
	return nil
}
