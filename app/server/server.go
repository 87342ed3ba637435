// Package server puts the program together: database, ledger, services, the
// ILP engine and the listeners. Run is the whole life of the program; the
// tests call it too.
package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"pochi/app/admin"
	"pochi/app/config"
	"pochi/app/web"
	"pochi/db"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"
	"golang.org/x/sync/errgroup"
)

// drain is how long requests may take to end when the program stops: less than
// the Procfile runner waits before it kills.
const drain = 3 * time.Second

// requestMax is how long a request may take: less than its connection's
// WriteTimeout, so that the answer can still say so.
const requestMax = 25 * time.Second

// garbage is how much the heap may grow, in percent of what is in use, before it
// is collected, unless GOGC says otherwise. A wallet has ten megabytes in use:
// with 100, Go's own choice, a tenth of its time goes into collecting.
const garbage = 400

// lockPatience is how long a wallet that starts waits for who has the lock: an
// admin command ends soon, a wallet that runs doesn't.
const lockPatience = 5 * time.Second

// Run serves until ctx ends, then stops in reverse order: pages and commands,
// payments, peers, database. ready is called once it serves; it may be nil. An error says in
// one line what to change.
func Run(ctx context.Context, cfg config.Config, log *slog.Logger, ready func()) error {
	return live(ctx, cfg, log, log, ready)
}

// Preflight serves for a moment, so that whatever keeps the wallet from starting
// is said before anything else runs. The log gets only what then isn't said again:
// that the database was brought up to date.
func Preflight(ctx context.Context, cfg config.Config, log *slog.Logger) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	return live(ctx, cfg, log, slog.New(slog.DiscardHandler), stop)
}

// live is the program's life; opening is the log of opening the database.
func live(ctx context.Context, cfg config.Config, opening, log *slog.Logger, ready func()) (err error) {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(garbage)
	}
	if err := admin.CanListen(cfg.Data); err != nil {
		return err
	}
	d, err := db.Open(ctx, db.Options{URL: cfg.DB, Log: opening, Patience: lockPatience})
	if errors.Is(err, db.ErrLocked) {
		return fmt.Errorf("POCHI_DATA or POCHI_DB: %w", err)
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	s, err := build(ctx, cfg, d, log)
	if err != nil {
		return err
	}
	pages, err := listen("POCHI_LISTEN and POCHI_PUBLIC_URL", cfg.Listen)
	if err != nil {
		return err
	}
	defer pages.Close()
	ops, err := listen("POCHI_OPS_LISTEN", cfg.OpsListen)
	if err != nil {
		return err
	}
	defer ops.Close()
	packets, err := listen("POCHI_ILP_LISTEN", cfg.ILPListen)
	if err != nil {
		return err
	}
	defer packets.Close()
	commands, err := admin.Listen(cfg.Data)
	if err != nil {
		return err
	}
	defer commands.Close()
	if err := warnOfUnsettled(ctx, d, log); err != nil {
		return err
	}
	return s.serve(ctx, listeners{pages, packets, ops, commands}, ready)
}

func listen(variables, address string) (net.Listener, error) {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("can't listen on %s: stop what uses it, or set %s: %w", address, variables, err)
	}
	return l, nil
}

// listeners are where the wallet is asked: by people and apps, by its peers, by
// whoever watches it, and by its admins.
type listeners struct{ pages, packets, ops, commands net.Listener }

// serve runs the parts side by side until ctx ends or one of them does. The
// peers are known before any payment goes on to them. At the end nothing new
// begins: pages and commands stop, so that nothing is confirmed any more, and
// peers' packets are refused. Then the payments on their way stop, to whose
// packets peers may still reply at the listener, and that at last.
func (s *server) serve(ctx context.Context, l listeners, ready func()) error {
	sending, stopSending := context.WithCancel(context.WithoutCancel(ctx))
	defer stopSending()
	if err := s.peers.Start(ctx, s.node.preparePeers); err != nil {
		return err
	}
	if err := s.payments.Start(sending); err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	most, _ := shares(openFiles())
	group.Go(func() error { return s.servePages(ctx, newListener(l.pages, most)) })
	group.Go(func() error { return s.node.serve(ctx, l.packets) })
	group.Go(func() error { return serveOps(ctx, l.ops, s.health, s.metrics, s.hook) })
	group.Go(func() error { return admin.Serve(ctx, l.commands, s.admin, s.log, drain) })
	group.Go(func() error {
		s.rates.Watch(ctx, s.log)
		return nil
	})
	group.Go(func() error {
		s.agreements.Run(ctx)
		return nil
	})
	group.Go(func() error {
		s.apps.Watch(ctx, s.log)
		return nil
	})
	group.Go(func() error {
		select {
		case <-ctx.Done():
			return nil
		case <-s.db.Writer.Done():
			return fmt.Errorf("%w: %w", db.ErrStopped, s.db.Writer.Err())
		}
	})
	s.logStart(ctx, l)
	if ready != nil {
		ready()
	}
	<-ctx.Done()
	stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), packetDrain)
	defer cancel()
	err := group.Wait()
	stopSending()
	s.payments.Drain()
	s.node.stop(stopping)
	return err
}

// servePages serves until ctx ends, lets the requests end that are under way,
// and cuts off what is left.
func (s *server) servePages(ctx context.Context, l *listener) error {
	ended := make(chan error, 1)
	go func() { ended <- s.pages.Listener(l) }()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	err := s.pages.ShutdownWithTimeout(drain)
	if errors.Is(err, context.DeadlineExceeded) {
		s.log.Info("connections were cut off", "count", l.cut())
		return nil
	}
	return err
}

func serveOps(ctx context.Context, l net.Listener, health, metrics, hook http.Handler) error {
	mux := http.NewServeMux()
	mux.Handle("GET /healthz", health)
	mux.Handle("GET /metrics", metrics)
	mux.Handle("POST /hooks/token", hook)
	srv := &http.Server{Handler: mux, ReadTimeout: 5 * time.Second}
	go func() {
		<-ctx.Done()
		srv.Close()
	}()
	if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// newFiber returns a server for browsers and apps. Strings from a request are
// copied, since services keep them; headers have room for Hydra's challenges.
// Bodies are read as they come: nothing is unpacked.
func newFiber(errorHandler fiber.ErrorHandler, trustedProxies []string) *fiber.App {
	app := fiber.New(fiber.Config{
		AppName: "Pochi", DisableStartupMessage: true, Immutable: true,
		ReadBufferSize: 16 << 10, WriteBufferSize: 16 << 10, BodyLimit: 64 << 10,
		ReadTimeout: 15 * time.Second, WriteTimeout: 30 * time.Second, IdleTimeout: time.Minute,
		DisablePreParseMultipartForm: true, ErrorHandler: errorHandler,
		EnableTrustedProxyCheck: true, TrustedProxies: trustedProxies, ProxyHeader: "X-Real-Ip", EnableIPValidation: true,
	})
	app.Server().HeaderReceived = func(header *fasthttp.RequestHeader) fasthttp.RequestConfig {
		if path, _, _ := strings.Cut(string(header.RequestURI()), "?"); web.TakesFile(string(header.Method()), path) {
			return fasthttp.RequestConfig{MaxRequestBodySize: web.UploadMax}
		}
		return fasthttp.RequestConfig{}
	}
	refuseUnknownMethods(app)
	return app
}

// refuseUnknownMethods leaves them to the error handler. Fiber would answer
// before any handler of ours sees them.
func refuseUnknownMethods(app *fiber.App) {
	routed := app.Server().Handler
	app.Server().Handler = func(r *fasthttp.RequestCtx) {
		if slices.Contains(fiber.DefaultMethods, string(r.Method())) {
			routed(r)
			return
		}
		c := app.AcquireCtx(r)
		defer app.ReleaseCtx(c)
		if app.ErrorHandler(c, fiber.ErrNotImplemented) != nil {
			r.SetStatusCode(fiber.StatusInternalServerError)
		}
	}
}
