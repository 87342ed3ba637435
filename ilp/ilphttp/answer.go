package ilphttp

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"

	"pochi/ilp/packet"
)

// errorText is the longest text of an HTTP error that is read, in bytes, before it is thrown away.
const errorText = 4 << 10

// read makes an answer of a response; see SendPacket.
func (e *Endpoint) read(ctx context.Context, resp *http.Response, condition [32]byte) (packet.Reply, error) {
	if resp.StatusCode != http.StatusOK {
		discard(resp)
		return e.refused(ctx, resp.StatusCode)
	}
	b, err := io.ReadAll(io.LimitReader(resp.Body, MaxResponseBody+1))
	if err != nil {
		return nil, e.silent(ctx, fmt.Errorf("the answer was cut short: %w", err))
	}
	reply, err := viewReply(b)
	if err != nil {
		return nil, e.unreadable(ctx, err)
	}
	if reply.Fulfills(condition) {
		return &reply, nil
	}
	if header := resp.Header.Get("Content-Type"); !isPacket(header) {
		return nil, e.unreadable(ctx, fmt.Errorf("Content-Type is %.100q", header))
	}
	return e.checked(ctx, &reply, condition), nil
}

// checked returns the peer's reply, or F05 if it is a Fulfill whose fulfillment is wrong.
func (e *Endpoint) checked(ctx context.Context, reply *packet.ReplyView, condition [32]byte) packet.Reply {
	if reply.Type() == packet.TypeFulfill && !reply.Fulfills(condition) {
		const reason = "The next wallet's fulfillment doesn't match the condition."
		e.log(ctx, "a peer sent a wrong fulfillment", reason, http.StatusOK, nil)
		return e.reject(packet.WrongCondition, reason)
	}
	return reply
}

// discard reads a short text to its end, so that the connection can be used again.
func discard(resp *http.Response) {
	if resp.ContentLength > 0 && resp.ContentLength <= errorText {
		_, _ = io.Copy(io.Discard, resp.Body)
	}
}

func viewReply(b []byte) (packet.ReplyView, error) {
	if len(b) > MaxResponseBody {
		return packet.ReplyView{}, errors.New("the answer is too long")
	}
	return packet.ViewReply(b)
}

func (e *Endpoint) unreadable(ctx context.Context, err error) error {
	return e.unknown(ctx, http.StatusOK, packet.InternalError, "The next wallet's answer can't be read.", err)
}

// refused answers for a status other than 200.
func (e *Endpoint) refused(ctx context.Context, status int) (packet.Reply, error) {
	code, message := judge(status)
	err := fmt.Errorf("status %d", status)
	if code == "" {
		return nil, e.unknown(ctx, status, packet.InternalError, "The next wallet has a problem.", err)
	}
	e.log(ctx, "a peer doesn't take a packet", message, status, err)
	return e.reject(code, message), nil
}

// judge returns how to reject a packet for a status that says that the peer didn't act on it, or "" if the status leaves that
// open.
func judge(status int) (code packet.Code, message string) {
	switch status {
	case http.StatusUnauthorized, http.StatusForbidden:
		return packet.Unreachable, "The next wallet doesn't accept this one as its peer."
	case http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusGone,
		http.StatusNotImplemented, http.StatusHTTPVersionNotSupported:
		return packet.Unreachable, "The next wallet takes no packets at its address."
	case http.StatusTooManyRequests:
		return packet.ConnectorBusy, "The next wallet gets too many packets. Try again later."
	case http.StatusRequestTimeout, http.StatusTooEarly:
		return packet.InternalError, "The next wallet didn't get the packet. Try again later."
	case http.StatusRequestEntityTooLarge:
		return packet.BadRequest, "The next wallet takes only packets with less data."
	}
	switch {
	case status >= 300 && status < 400:
		return packet.Unreachable, "The next wallet's address has changed."
	case status >= 400 && status < 500:
		return packet.BadRequest, "The next wallet doesn't take this packet."
	}
	return "", ""
}
