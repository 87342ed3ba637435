package server

import (
	"bufio"
	"io"
	"log/slog"
	"net"
	"net/http"
	"testing"

	"github.com/gofiber/fiber/v2"
)

// listenBounded serves pages to two connections at once, of which one, to /slow,
// says when it has begun and waits until it may end.
func listenBounded(t *testing.T) (address string, begun, end chan struct{}) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	begun, end = make(chan struct{}), make(chan struct{})
	app := newFiber(func(*fiber.Ctx, error) error { return nil }, nil)
	app.Get("/slow", func(c *fiber.Ctx) error {
		begun <- struct{}{}
		<-end
		return c.SendString("done")
	})
	app.Get("/", func(c *fiber.Ctx) error { return c.SendString("done") })
	s := &server{pages: app, log: slog.New(slog.DiscardHandler)}
	ctx := t.Context()
	ended := make(chan error, 1)
	go func() { ended <- s.servePages(ctx, newListener(l, 2)) }()
	t.Cleanup(func() { // the test's context has ended
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return l.Addr().String(), begun, end
}

func connect(t *testing.T, address string) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// ask sends a request, and answered returns what comes back.
func ask(t *testing.T, c net.Conn, path string) {
	t.Helper()
	if _, err := io.WriteString(c, "GET "+path+" HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
}

func answered(t *testing.T, c net.Conn) int {
	t.Helper()
	got, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	got.Body.Close()
	return got.StatusCode
}

// Whoever opens connections and sends nothing keeps nobody out.
func TestIdleConnectionsMakeWay(t *testing.T) {
	address, _, _ := listenBounded(t)
	var idle []net.Conn
	for range 20 {
		idle = append(idle, connect(t, address))
	}
	person := connect(t, address)
	ask(t, person, "/")
	if status := answered(t, person); status != http.StatusOK {
		t.Errorf("status %d", status)
	}
	for _, c := range idle[:18] {
		if _, err := c.Read(make([]byte, 1)); err == nil {
			t.Error("an idle connection was answered")
		}
	}
}

// A request that is being answered is finished, and the next waits for it.
func TestBusyConnectionsStay(t *testing.T) {
	address, begun, end := listenBounded(t)
	busy := []net.Conn{connect(t, address), connect(t, address)}
	for _, c := range busy {
		ask(t, c, "/slow")
		<-begun
	}
	next := connect(t, address)
	ask(t, next, "/")
	close(end)
	for _, c := range append(busy, next) {
		if status := answered(t, c); status != http.StatusOK {
			t.Errorf("status %d", status)
		}
	}
}

func TestShares(t *testing.T) {
	for _, files := range []uint64{256, 700, 1024, 1 << 20, 1<<63 - 1} {
		pages, peers := shares(files)
		if pages < 64 || peers < 128 || uint64(pages+peers) > files*3/4 || pages > 4096 || peers > 4096 {
			t.Errorf("of %d: %d and %d", files, pages, peers)
		}
	}
	if openFiles() == 0 {
		t.Error("no files may be opened")
	}
}
