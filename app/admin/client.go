package admin

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"strconv"
	"syscall"
	"time"

	"pochi/db"

	"github.com/google/uuid"
)

const (
	dialTimeout   = 2 * time.Second
	answerTimeout = requestMax + 10*time.Second
	answerMax     = 1 << 20
	lockedStep    = 50 * time.Millisecond // between two looks at a database that somebody has locked
	lockedMax     = 5 * time.Second       // until that is said, unless the client has another patience
)

// Client has commands done: by the wallet that runs on the data folder, else
// right here.
type Client struct {
	Data string // folder of the socket
	DB   string // URL of the database
	// Open takes the database's lock and returns what does the commands then,
	// and how to close it. It returns db.ErrLocked while somebody else has the
	// lock.
	Open     func(ctx context.Context) (http.Handler, func() error, error)
	Patience time.Duration // with a lock that somebody else has; 5 seconds when 0
}

// Release gives the money of a suspense item, and of its group, back to the
// bearers. It returns the group.
func (c Client) Release(ctx context.Context, item int64) ([]SuspenseItem, error) {
	return do[[]SuspenseItem](ctx, c, pathRelease(item), nil)
}

// Pay gives the money of a suspense item, and of its group, to the
// counterparties. It returns the group.
func (c Client) Pay(ctx context.Context, item int64) ([]SuspenseItem, error) {
	return do[[]SuspenseItem](ctx, c, pathPay(item), nil)
}

// Return ends a payment that needs review.
func (c Client) Return(ctx context.Context, payment uuid.UUID) (Payment, error) {
	return do[Payment](ctx, c, pathReturn(payment), nil)
}

// do has a command done, with what it says in body, nil for nothing, and
// returns its answer. Errors are those of the handler, problems, or say why
// nobody did it.
func do[Answer any](ctx context.Context, c Client, path string, body any) (Answer, error) {
	var out Answer
	var asked []byte
	if body != nil {
		var err error
		if asked, err = json.Marshal(body); err != nil {
			return out, err
		}
	}
	status, answer, err := c.send(ctx, path, asked)
	if err != nil {
		return out, err
	}
	if status != http.StatusOK {
		var f fault
		if err := json.Unmarshal(answer, &f); err != nil {
			return out, fmt.Errorf("the wallet answered %d: %q", status, answer)
		}
		return out, f.problem(status)
	}
	if err := json.Unmarshal(answer, &out); err != nil {
		return out, fmt.Errorf("read the wallet's answer: %w", err)
	}
	return out, nil
}

// send finds who does it. Whoever has the lock without answering at the socket
// may be starting, stopping, or another command like this one: they get a while.
func (c Client) send(ctx context.Context, path string, asked []byte) (int, []byte, error) {
	waited := time.NewTimer(cmp.Or(c.Patience, lockedMax))
	defer waited.Stop()
	for {
		status, body, err := c.ask(ctx, path, asked)
		if !errors.Is(err, errNobody) {
			return status, body, err
		}
		status, body, err = c.doHere(ctx, path, asked)
		if !errors.Is(err, db.ErrLocked) {
			return status, body, err
		}
		select {
		case <-ctx.Done():
			return 0, nil, ctx.Err()
		case <-waited.C:
			return 0, nil, fmt.Errorf("POCHI_DATA=%s: %w, and that one doesn't answer at %s: "+
				"if it is starting or stopping, try again; nothing was done", c.Data, err, SocketName)
		case <-time.After(lockedStep):
		}
	}
}

// errNobody: nobody listens at the socket.
var errNobody = errors.New("no wallet is running")

// ask sends the command to the wallet that listens at the socket.
func (c Client) ask(ctx context.Context, path string, asked []byte) (int, []byte, error) {
	conn, err := c.dial(ctx)
	if err != nil {
		return 0, nil, err
	}
	defer conn.Close()
	client := http.Client{Timeout: answerTimeout, Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext:       func(context.Context, string, string) (net.Conn, error) { return conn, nil },
	}}
	request, err := c.request(ctx, path, asked)
	if err != nil {
		return 0, nil, err
	}
	answer, err := client.Do(request)
	if err != nil {
		return 0, nil, lost(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(io.LimitReader(answer.Body, answerMax))
	if err != nil {
		return 0, nil, lost(err)
	}
	return answer.StatusCode, body, nil
}

// ErrLost: nobody here knows whether a command was done.
var ErrLost = errors.New("the wallet's answer was lost: it may have done it or not; repeat the command to know")

func lost(err error) error { return fmt.Errorf("%w: %w", ErrLost, err) }

func (c Client) dial(ctx context.Context) (net.Conn, error) {
	path, err := socketPath(c.Data)
	if err != nil {
		return nil, errNobody
	}
	conn, err := (&net.Dialer{Timeout: dialTimeout}).DialContext(ctx, "unix", path)
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ECONNREFUSED):
		return nil, errNobody
	case errors.Is(err, fs.ErrPermission):
		return nil, fmt.Errorf("%w: run this as the user who runs the wallet", err)
	case err != nil:
		return nil, fmt.Errorf("reach the running wallet: %w", err)
	}
	return conn, nil
}

func (c Client) request(ctx context.Context, path string, asked []byte) (*http.Request, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://pochi"+path, bytes.NewReader(asked))
	if err != nil {
		return nil, err
	}
	request.Header.Set(databaseHeader, DatabaseKey(c.DB))
	request.Header.Set(deadlineHeader, strconv.FormatInt(time.Now().Add(answerTimeout).UnixMicro(), 10))
	return request, nil
}

// doHere takes the lock and does the command itself.
func (c Client) doHere(ctx context.Context, path string, asked []byte) (status int, body []byte, err error) {
	if DatabaseKey(c.DB) == "" {
		return 0, nil, fmt.Errorf("%w at %s: start the wallet once", db.ErrNotThere, c.DB)
	}
	handler, closing, err := c.Open(ctx)
	if err != nil {
		return 0, nil, err
	}
	defer func() { err = errors.Join(err, closing()) }()
	request, err := c.request(ctx, path, asked)
	if err != nil {
		return 0, nil, err
	}
	answer := recorded{header: http.Header{}, status: http.StatusOK}
	handler.ServeHTTP(&answer, request)
	return answer.status, answer.body.Bytes(), nil
}

// recorded is an http.ResponseWriter that keeps the answer.
type recorded struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (r *recorded) Header() http.Header         { return r.header }
func (r *recorded) WriteHeader(status int)      { r.status = status }
func (r *recorded) Write(b []byte) (int, error) { return r.body.Write(b) }
