package rates_test

import (
	"bytes"
	"context"
	"log/slog"
	"math/big"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pochi/app/rates"
	"pochi/db"
)

// lines is a log to read from another goroutine.
type lines struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

// take returns what was written since the last time.
func (l *lines) take() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	defer l.buf.Reset()
	return l.buf.String()
}

// Whoever runs the wallet is told of a rate that is too old as soon as it is,
// every hour, and at the start, with the command that mends it.
func TestWatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log lines
		count := func(when string, want int) string {
			t.Helper()
			synctest.Wait()
			text := log.take()
			if got := strings.Count(text, "level=WARN"); got != want {
				t.Errorf("%s: %d warnings, want %d: %s", when, got, want, text)
			}
			return text
		}
		rate := func(from, to string, good time.Duration) rates.Rate {
			return rates.Rate{From: from, To: to, Value: big.NewRat(9, 10), Source: rates.Admin, GoodUntil: time.Now().Add(good), Renew: from + " " + to}
		}
		book := rates.BookOf(parse(t, "USD=1,EUR=0.9,GBP=0.8"), time.Now, rate("USD", "EUR", 90*time.Minute), rate("USD", "GBP", -time.Minute))
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		go book.Watch(ctx, slog.New(slog.NewTextHandler(&log, nil)))
		if text := count("at the start", 1); !strings.Contains(text, "pochi admin rate set USD GBP RATE") || !strings.Contains(text, "pochi admin rate remove USD GBP") {
			t.Error(text)
		}
		time.Sleep(59 * time.Minute)
		count("before the hour is over", 0)
		time.Sleep(time.Minute)
		count("after an hour", 1)
		time.Sleep(30 * time.Minute)
		if text := count("when the other one is too old", 1); !strings.Contains(text, "USD EUR") {
			t.Error(text)
		}
		if err := book.Put(rate("USD", "EUR", 10*time.Minute), true); err != nil {
			t.Fatal(err)
		}
		if err := book.Take("USD", "GBP"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(10*time.Minute - time.Second)
		count("when both are mended", 0)
		time.Sleep(time.Second)
		count("when one is too old again", 1)
		time.Sleep(3 * time.Hour)
		count("three hours on", 3)
	})
}

// Whoever asks what is too old, as those do who watch over the wallet, isn't kept
// waiting by a database that takes no changes.
func TestTooOldWhileTheDatabaseHangs(t *testing.T) {
	f := newFixture(t, "USD=1,EUR=0.9")
	f.set("USD", "EUR", "0.91", 0)
	f.clock.advance(48 * time.Hour)
	hangs, goesOn := make(chan struct{}), make(chan struct{})
	var changes sync.WaitGroup
	defer changes.Wait()
	end := sync.OnceFunc(func() { close(goesOn) })
	defer end()
	changes.Go(func() {
		_ = f.db.Write(t.Context(), func(db.Tx) error { close(hangs); <-goesOn; return nil })
	})
	<-hangs
	changes.Go(func() {
		_, _ = f.Set(t.Context(), rates.Change{From: "USD", To: "EUR", Rate: "0.92", Valid: time.Hour})
	})
	for f.db.Writer.Tally().Waiting == 0 {
		runtime.Gosched()
	}
	old := make(chan []rates.Rate, 1)
	go func() { old <- f.TooOld() }()
	select {
	case got := <-old:
		if len(got) != 1 || got[0].Renew != "USD EUR" {
			t.Errorf("%+v", got)
		}
	case <-time.After(10 * time.Second):
		t.Error("it waits for the database")
	}
}
