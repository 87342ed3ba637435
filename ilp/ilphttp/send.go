package ilphttp

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"pochi/ilp/packet"
)

// SendPacket sends a packet to the peer, once, and returns the answer. ctx is for not beginning: once the packet has left, the
// answer is waited for until the packet expires, because giving up would only mean not to know.
//
// The answer is the peer's own Fulfill, whose fulfillment has been checked, or its Reject; or a Reject of this node's, which says
// that no money has to be held for this packet any longer:
//
//	R02  the packet expires now, or has expired              never sent
//	T03  MaxInFlight packets are on their way                never sent
//	T01  no connection: name, address, refusal, TLS          never sent
//	T01  as just before: for 200 ms, doubling to 5 s         never sent
//	R00  the packet expired before it could be sent          never sent
//	T00  ctx ended before it could be sent                   never sent
//	F02  status 3xx, 401, 403, 404, 405, 410, 501 or 505     the peer didn't act on it
//	T03  status 429                                          the peer didn't act on it
//	T00  status 408 or 425                                   the peer didn't act on it
//	F00  any other status of 4xx                             the peer didn't act on it
//	F05  a Fulfill whose fulfillment is wrong                the peer answered, and has no claim
//
// Otherwise the error is an *UnknownError: the peer may have fulfilled. That is so when the whole packet was handed to the
// transport and then the connection broke or no answer came in time; for a status of 5xx, because a proxy says 502, 503 and 504
// also after the peer has acted, and a Server says 500 for just this; for 2xx other than 200; and for a 200 that is cut short, too
// long, of another type than a packet's, or no answer to a Prepare. A Fulfill that proves the condition is taken whatever type it
// came under. A Reject with a code of this list that came from the peer is triggered by another address than this node's.
//
// In asynchronous mode the answer may also come in a callback, before the response or after it. A 202 promises one; it and a broken
// connection are waited out until the packet expires. No callback by then is an *UnknownError with R00. Everything else is as above.
//
// The peer gets the very bytes of p, and the answer is the very bytes of the peer's: a *packet.ReplyView. The transport may go on
// reading p after SendPacket has returned, so nobody may change it any more.
func (e *Endpoint) SendPacket(ctx context.Context, p *packet.PrepareView) (packet.Reply, error) {
	left := p.ExpiresAt().Sub(e.client.cfg.Now()) - e.client.cfg.Margin
	if left <= 0 {
		return e.reject(packet.InsufficientTimeout, "There is no time left to send this packet on."), nil
	}
	if e.circuit.broken() {
		return e.reject(packet.PeerUnreachable, notReached), nil
	}
	if e.inFlight.Add(1) > e.max {
		e.inFlight.Add(-1)
		return e.reject(packet.ConnectorBusy, "Too many packets are on their way to the next wallet. Try again later."), nil
	}
	if e.async {
		return e.sendAsync(ctx, p, left)
	}
	defer e.inFlight.Add(-1)
	return e.send(ctx, p.Bytes(), left, p.Condition(), "")
}

// send sends a packet and reads the response. With a Request-Id, for asynchronous mode, a response that settles nothing is an
// *unanswered.
func (e *Endpoint) send(
	caller context.Context, body []byte, left time.Duration, condition [32]byte, id string,
) (packet.Reply, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(caller), left)
	defer cancel()
	if err := caller.Err(); err != nil {
		return e.unsent(caller, ctx, err), nil
	}
	l, begun := &load{left: body, begun: e.circuit.connected}, e.circuit.now()
	stop := context.AfterFunc(caller, func() {
		if l.recall() {
			cancel()
		}
	})
	defer stop()

	resp, err := e.client.transport.RoundTrip(e.request(ctx, l, len(body), id))
	if err != nil {
		if l.recall() {
			e.circuit.failed(begun, err)
			return e.unsent(caller, ctx, err), nil
		}
		return nil, e.lost(ctx, err, id != "")
	}
	defer resp.Body.Close()
	if id != "" && resp.StatusCode == http.StatusAccepted {
		return nil, accepted(resp)
	}
	return e.read(ctx, resp, condition)
}

// request is a POST that net/http can't repeat: it has no GetBody and no Idempotency-Key. It goes to the transport and not to
// an http.Client, so that nothing follows redirects.
func (e *Endpoint) request(ctx context.Context, l *load, size int, id string) *http.Request {
	req := &http.Request{
		Method: http.MethodPost, URL: e.url, Host: e.url.Host,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: packetHeader(e.authorization),
		Body:   l, ContentLength: int64(size),
	}
	if id != "" {
		e.announce(req.Header, id)
	}
	return req.WithContext(ctx)
}

// unsent answers for a packet that never left whole.
func (e *Endpoint) unsent(caller, ctx context.Context, err error) *packet.Reject {
	code, message := packet.PeerUnreachable, notReached
	switch {
	case errors.Is(caller.Err(), context.Canceled):
		code, message = packet.InternalError, "This wallet stopped before it sent the packet on. Try again later."
	case caller.Err() != nil || ctx.Err() != nil:
		code, message = packet.TimedOut, "The next wallet couldn't be reached before the packet expired."
	}
	e.log(ctx, "a packet couldn't be sent to a peer", message, 0, err)
	return e.reject(code, message)
}

const notReached = "The next wallet can't be reached."

// silent is the error for a packet that left and wasn't answered.
func (e *Endpoint) silent(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return e.unknown(ctx, 0, packet.TimedOut, "The next wallet didn't answer in time.", err)
	}
	return e.unknown(ctx, 0, packet.PeerUnreachable, "The connection to the next wallet broke.", err)
}

func (e *Endpoint) unknown(ctx context.Context, status int, code packet.Code, message string, err error) error {
	e.log(ctx, "a packet's outcome at a peer is unknown", message, status, err)
	return &UnknownError{Reject: e.reject(code, message), Status: status, Err: fmt.Errorf("peer %q: %w", e.name, err)}
}

func (e *Endpoint) reject(code packet.Code, message string) *packet.Reject {
	return packet.NewReject(code, e.client.cfg.Address, message)
}

// log says what went wrong. reason is what the packet's sender is told: it tells one kind of failure from another.
func (e *Endpoint) log(ctx context.Context, message, reason string, status int, err error) {
	e.client.lines.write(ctx, slog.LevelWarn, kind{message, e.name, reason}, slog.Int("status", status), slog.Any("error", err))
}
