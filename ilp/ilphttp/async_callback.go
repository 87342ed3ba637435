package ilphttp

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"pochi/ilp/packet"
)

const (
	// callbackTimeout is how long a peer may take to answer one callback.
	callbackTimeout = 5 * time.Second
	// The pause between two callbacks doubles from the first to the longest.
	firstPause   = 250 * time.Millisecond
	longestPause = 4 * time.Second
)

// CallbackConfig is where a peer takes the replies to the packets that it sends in asynchronous mode.
type CallbackConfig struct {
	// Name is for logs.
	Name string
	// URL is the only one that replies are sent to, read with ParseURL. A Callback-Url that isn't the same, byte for byte, is
	// refused: a peer can't make this node call where it likes.
	URL string
	// Token is what the peer knows this node by; see ValidToken.
	Token string
}

// Callback sends replies to one peer. It is safe for concurrent use. When something about the peer changes, make another.
type Callback struct {
	client *Client
	name   string
	url    string      // as the peer writes it
	header http.Header // but for the Request-Id
}

// Callback returns the callback of a peer. It fails if URL or Token can't be used; the error says why, without the token.
func (c *Client) Callback(cfg CallbackConfig) (*Callback, error) {
	_, authorization, err := c.target(cfg.Name, cfg.URL, cfg.Token)
	if err != nil {
		return nil, err
	}
	return &Callback{client: c, name: cfg.Name, url: cfg.URL, header: packetHeader(authorization)}, nil
}

// allows reports whether a request's Callback-Url is the one that was agreed on. Without any, that one is meant.
func (c *Callback) allows(values []string) bool {
	return len(values) == 0 || len(values) == 1 && values[0] == c.url
}

// deliver sends a reply until the peer answers with 2xx, 3xx or 4xx, as long as the packet's time is not up, and at least once:
// replies, unlike packets, may be sent again (RFC 35), because the peer takes the first of a Request-Id. ctx is for giving up.
func (c *Callback) deliver(ctx context.Context, id string, reply []byte, left time.Duration) {
	begin := time.Now()
	for pause := firstPause; ; pause = min(2*pause, longestPause) {
		again, err := c.send(ctx, id, reply)
		if err == nil {
			return
		}
		if !again || time.Since(begin)+pause >= left || !sleep(ctx, pause) {
			c.undelivered(ctx, id, reply, err)
			return
		}
	}
}

// send sends a reply once. again says that it may be tried again.
func (c *Callback) send(ctx context.Context, id string, reply []byte) (again bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, callbackTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url, bytes.NewReader(reply))
	if err != nil {
		return false, err
	}
	req.Header = c.header.Clone()
	req.Header[headerRequestID] = []string{id}
	resp, err := c.client.transport.RoundTrip(req)
	if err != nil {
		return true, err
	}
	defer resp.Body.Close()
	discard(resp)
	if resp.StatusCode >= 200 && resp.StatusCode < 300 {
		return false, nil
	}
	return resp.StatusCode >= 500, fmt.Errorf("status %d", resp.StatusCode)
}

// undelivered writes down that a peer doesn't know what became of its packet: a fulfillment that got lost was paid for here.
func (c *Callback) undelivered(ctx context.Context, id string, reply []byte, err error) {
	level := slog.LevelWarn
	fulfilled := packet.Type(reply[0]) == packet.TypeFulfill
	if fulfilled {
		level = slog.LevelError
	}
	c.client.lines.write(ctx, level, kind{"a peer didn't take the reply to its packet", c.name, level.String()},
		slog.String("request", id), slog.Bool("fulfilled", fulfilled), slog.Any("error", err))
}

// sleep reports whether it slept to the end.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
