package admin

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pochi/app/payments"
	"pochi/app/problem"
	"pochi/db"
	"pochi/ledger"

	"github.com/google/uuid"
)

// books is a Reviewer with one item.
type books struct {
	mu       sync.Mutex
	resolved bool
	err      error
}

func (b *books) Resolve(_ context.Context, item int64, pay bool) ([]payments.Suspense, bool, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	repeated := b.resolved
	b.resolved = b.err == nil
	var s payments.Suspense
	s.Item, s.State = item, payments.SuspenseReleased
	if pay {
		s.State = payments.SuspensePaid
	}
	s.Asset, s.Amount = ledger.Asset{Code: "USD", Scale: 2}, 250
	return []payments.Suspense{s}, repeated, b.err
}

func (b *books) Return(_ context.Context, id uuid.UUID) (payments.Payer, bool, error) {
	usd := ledger.Amount{Value: 1000, Asset: ledger.Asset{Code: "USD", Scale: 2}}
	return payments.Payer{Outgoing: payments.Outgoing{ID: id, State: payments.Failed, DebitAmount: usd}, Email: "ann@example.com"}, false, b.err
}

func (b *books) PayerOf(context.Context, uuid.UUID) (payments.Payer, bool, error) {
	return payments.Payer{}, false, b.err
}

// newClient returns a client with a database of its own, and what does its
// commands. Without a wallet at the socket they are refused.
func newClient(t *testing.T, b *books) (Client, http.Handler) {
	t.Helper()
	data := folder(t)
	c := Client{Data: data, DB: "sqlite:" + filepath.Join(data, "pochi.db"), Open: func(context.Context) (http.Handler, func() error, error) {
		t.Error("the command was not the running wallet's")
		return nil, nil, db.ErrLocked
	}}
	if err := os.WriteFile(filepath.Join(data, "pochi.db"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	return c, Handler(Services{Payments: b, Database: DatabaseKey(c.DB), Log: slog.New(slog.DiscardHandler)})
}

// running has a wallet listen at a client's socket.
func running(t *testing.T, c Client, handler http.Handler) {
	t.Helper()
	l, err := Listen(c.Data)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	var serving sync.WaitGroup
	serving.Go(func() {
		if err := Serve(ctx, l, handler, slog.New(slog.DiscardHandler), time.Minute); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(func() {
		stop()
		serving.Wait()
	})
}

func TestTheRunningWalletDoesIt(t *testing.T) {
	b := &books{}
	c, handler := newClient(t, b)
	running(t, c, handler)
	for _, repeated := range []bool{false, true} {
		if group, err := c.Release(t.Context(), 3); err != nil || len(group) != 1 || group[0].Item != 3 || group[0].State != "released" || group[0].Repeated != repeated {
			t.Errorf("%+v, %v", group, err)
		}
	}
	id := uuid.New()
	if p, err := c.Return(t.Context(), id); err != nil || p.ID != id || p.State != "failed" || p.Payer != "ann@example.com" {
		t.Errorf("%+v, %v", p, err)
	}
}

func TestErrorsTravel(t *testing.T) {
	for name, here := range map[string]bool{"over the socket": false, "within the command": true} {
		t.Run(name, func(t *testing.T) {
			b := &books{}
			c, handler := newClient(t, b)
			if here {
				c.Open = func(context.Context) (http.Handler, func() error, error) {
					return handler, func() error { return nil }, nil
				}
			} else {
				running(t, c, handler)
			}
			b.err = problem.Field("item", "No %s.", "way")
			_, err := c.Pay(t.Context(), 1)
			if problem.CodeOf(err) != problem.Invalid || problem.MessageOf(err) != "No way." || problem.Fields(err)["item"] != "No way." {
				t.Errorf("a problem: %v", err)
			}
			b.err = errors.New("the disk is full")
			if _, err := c.Pay(t.Context(), 1); problem.CodeOf(err) != problem.Internal || !strings.Contains(err.Error(), "the disk is full") {
				t.Errorf("an internal error: %v", err)
			}
			if _, err := do[Payment](t.Context(), c, "/of/another/version", nil); problem.CodeOf(err) != problem.NotFound {
				t.Errorf("an unknown command: %v", err)
			}
			other := c
			other.DB = "sqlite:" + filepath.Join(c.Data, "other.db")
			if err := os.WriteFile(filepath.Join(c.Data, "other.db"), nil, 0o600); err != nil {
				t.Fatal(err)
			}
			if _, err := other.Pay(t.Context(), 1); problem.CodeOf(err) != problem.Conflict || !strings.Contains(err.Error(), "POCHI_DB") {
				t.Errorf("another database: %v", err)
			}
		})
	}
}

func TestWithoutAWalletTheCommandDoesIt(t *testing.T) {
	c, handler := newClient(t, &books{})
	opened, closed := 0, 0
	c.Open = func(context.Context) (http.Handler, func() error, error) {
		opened++
		return handler, func() error { closed++; return nil }, nil
	}
	if group, err := c.Pay(t.Context(), 3); err != nil || len(group) != 1 || group[0].State != "paid" || opened != 1 || closed != 1 {
		t.Errorf("%+v, %v, opened %d times, closed %d", group, err, opened, closed)
	}
	if err := os.Remove(filepath.Join(c.Data, "pochi.db")); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Pay(t.Context(), 3); !errors.Is(err, db.ErrNotThere) || opened != 1 {
		t.Errorf("without a database: %v, opened %d times", err, opened)
	}
}

// The log says who did what, and what became of it.
func TestCommandsAreLogged(t *testing.T) {
	var text bytes.Buffer
	c, _ := newClient(t, &books{})
	running(t, c, Handler(Services{Payments: &books{}, Database: DatabaseKey(c.DB), Log: slog.New(slog.NewTextHandler(&text, nil))}))
	if _, err := c.Pay(t.Context(), 3); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Return(t.Context(), uuid.New()); err != nil {
		t.Fatal(err)
	}
	wants := []string{`path=/suspense/3/pay`, `repeated=false amount="2.50 USD" state=paid`, `repeated=false amount="10.00 USD" state=failed`}
	if runtime.GOOS == "linux" {
		wants = append(wants, fmt.Sprintf("uid=%d pid=%d", os.Getuid(), os.Getpid()))
	}
	for _, want := range wants {
		if !strings.Contains(text.String(), want) {
			t.Errorf("the log lacks %s:\n%s", want, &text)
		}
	}
}

// Who gave up was told that nobody knows what became of it: it isn't done after
// that.
func TestACommandThatNobodyWaitsFor(t *testing.T) {
	b := &books{}
	c, handler := newClient(t, b)
	request, err := c.request(t.Context(), pathPay(3), nil)
	if err != nil {
		t.Fatal(err)
	}
	for header, want := range map[string]int{"": http.StatusUnprocessableEntity, strconv.FormatInt(time.Now().UnixMicro(), 10): http.StatusGone} {
		request.Header.Set(deadlineHeader, header)
		answer := recorded{header: http.Header{}}
		if handler.ServeHTTP(&answer, request); answer.status != want || b.resolved {
			t.Errorf("until %q: status %d, want %d; done %t: %s", header, answer.status, want, b.resolved, &answer.body)
		}
	}
}

// The wallet does it and dies before it has answered: to repeat the command
// tells that.
func TestLostAnswer(t *testing.T) {
	c, handler := newClient(t, &books{})
	var dies atomic.Bool
	dies.Store(true)
	running(t, c, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !dies.Swap(false) {
			handler.ServeHTTP(w, r)
			return
		}
		handler.ServeHTTP(&recorded{header: http.Header{}}, r)
		panic(http.ErrAbortHandler)
	}))
	if _, err := c.Release(t.Context(), 3); !errors.Is(err, ErrLost) || !strings.Contains(err.Error(), "repeat the command") {
		t.Errorf("%v", err)
	}
	if group, err := c.Release(t.Context(), 3); err != nil || len(group) != 1 || !group[0].Repeated {
		t.Errorf("again: %+v, %v", group, err)
	}
}

func TestSomebodyHasTheLock(t *testing.T) {
	c, handler := newClient(t, &books{})
	locked := func(context.Context) (http.Handler, func() error, error) { return nil, nil, db.ErrLocked }
	c.Open, c.Patience = locked, time.Nanosecond
	_, err := c.Release(t.Context(), 3)
	if !errors.Is(err, db.ErrLocked) || !strings.Contains(err.Error(), SocketName) || !strings.Contains(err.Error(), "POCHI_DATA="+c.Data) {
		t.Errorf("%v", err)
	}
	tries := 0
	c.Patience = 0
	c.Open = func(ctx context.Context) (http.Handler, func() error, error) {
		if tries++; tries == 2 { // it was starting
			running(t, c, handler)
		}
		return locked(ctx)
	}
	if group, err := c.Release(t.Context(), 3); err != nil || len(group) != 1 || group[0].State != "released" || tries != 2 {
		t.Errorf("%+v, %v after %d tries", group, err, tries)
	}
}
