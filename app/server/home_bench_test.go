package server

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"

	"pochi/app/accounts"
	"pochi/app/config"
	"pochi/app/payments"
	"pochi/db"

	"github.com/gofiber/fiber/v2"
)

const homeTransfers = 100_000

// BenchmarkHome renders the home page of somebody with all of 100,000
// transfers, session and balances included, without a network. The reference
// is the same page in an empty wallet.
func BenchmarkHome(b *testing.B) {
	full, empty := newHome(b), newHome(b)
	full.deposit(b, homeTransfers)
	var seconds [2]float64
	for i, h := range []*home{empty, full} {
		b.Run([]string{"empty", "100k"}[i], func(b *testing.B) {
			for b.Loop() {
				h.get(b)
			}
			seconds[i] = b.Elapsed().Seconds() / float64(b.N)
			b.ReportMetric(seconds[i]*1000, "ms")
			if i == 1 {
				b.ReportMetric(seconds[0]*1000, "ref:empty")
			}
		})
	}
}

// home is a wallet in which somebody is signed in.
type home struct {
	server  *server
	cookies []*http.Cookie
}

var tokenField = regexp.MustCompile(`name="csrf_token" value="([^"]+)"`)

func newHome(b *testing.B) *home {
	b.Helper()
	ctx := context.Background()
	dir := b.TempDir()
	cfg, err := config.Load(func(name string) string { return map[string]string{"POCHI_DATA": dir}[name] })
	if err != nil {
		b.Fatal(err)
	}
	log := slog.New(slog.DiscardHandler)
	d, err := db.Open(ctx, db.Options{URL: cfg.DB, Log: log})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := d.Close(); err != nil {
			b.Error(err)
		}
	})
	s, err := build(ctx, cfg, d, log)
	if err != nil {
		b.Fatal(err)
	}
	h := &home{server: s}
	page := h.do(b, httptest.NewRequest(http.MethodGet, "/signup", nil))
	form := url.Values{
		"csrf_token": {tokenField.FindStringSubmatch(page)[1]}, "name": {"Ann"}, "email": {"ann@example.com"},
		"password": {"correct horse battery"}, "pointer": {"ann"}, "currency": {"USD"},
	}
	r := httptest.NewRequest(http.MethodPost, "/signup", strings.NewReader(form.Encode()))
	r.Header.Set(fiber.HeaderContentType, fiber.MIMEApplicationForm)
	r.Header.Set(fiber.HeaderOrigin, cfg.PublicURL)
	h.do(b, r)
	return h
}

// do sends a request and keeps the cookies of the answer.
func (h *home) do(b *testing.B, r *http.Request) string {
	b.Helper()
	for _, cookie := range h.cookies {
		r.AddCookie(cookie)
	}
	answer, err := h.server.pages.Test(r, -1)
	if err != nil {
		b.Fatal(err)
	}
	defer answer.Body.Close()
	h.cookies = append(h.cookies, answer.Cookies()...)
	body, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode >= http.StatusBadRequest {
		b.Fatalf("%s: %d, %v: %s", r.URL, answer.StatusCode, err, body)
	}
	return string(body)
}

func (h *home) get(b *testing.B) {
	if page := h.do(b, httptest.NewRequest(http.MethodGet, "/", nil)); !strings.Contains(page, "Everyday") {
		b.Fatalf("this is not home: %s", page)
	}
}

// deposit makes n transfers to the person's account.
func (h *home) deposit(b *testing.B, n int) {
	b.Helper()
	ctx := context.Background()
	account := h.account(b)
	var callers sync.WaitGroup
	for range 100 {
		callers.Go(func() {
			for range n / 100 {
				if err := h.server.payments.Deposit(ctx, account.UserID, account.ID, "1"); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	callers.Wait()
	_, older, err := h.server.payments.History(ctx, payments.Filter{UserID: account.UserID, Limit: 10})
	if err != nil || older == "" {
		b.Fatalf("the deposits are not in the history: %v", err)
	}
}

func (h *home) account(b *testing.B) accounts.Account {
	b.Helper()
	var a accounts.Account
	err := h.server.db.Read.QueryRowContext(context.Background(), "SELECT id, user_id FROM wallet_accounts").Scan(&a.ID, &a.UserID)
	if err != nil {
		b.Fatal(err)
	}
	return a
}
