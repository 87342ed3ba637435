package server

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"

	"pochi/app/accounts"
	"pochi/app/admin"
	"pochi/app/config"
	"pochi/app/payments"
	"pochi/app/peers"
	"pochi/db"
	"pochi/ledger"

	"github.com/google/uuid"
)

// station is a wallet with all its listeners, whose data and addresses stay the
// same however often it stops. It runs in this process, or in a child that can be
// killed.
type station struct {
	t           *testing.T
	ilpAddress  string
	environment map[string]string
	cfg         config.Config
	*server     // while it runs here
	stop        func()
}

func newStation(t *testing.T, ilpAddress string, variables ...string) *station {
	t.Helper()
	w := &station{t: t, ilpAddress: ilpAddress, environment: map[string]string{"POCHI_ILP_ADDRESS": ilpAddress, "POCHI_LISTEN": freeAddress(t)}}
	w.environment["POCHI_PUBLIC_URL"] = "http://" + w.environment["POCHI_LISTEN"]
	for i := 0; i < len(variables); i += 2 {
		w.environment[variables[i]] = variables[i+1]
	}
	w.cfg = configure(t, w.environment)
	w.stop = func() {}
	t.Cleanup(func() { w.stop() })
	w.start()
	return w
}

// start runs the wallet in this process.
func (w *station) start() {
	w.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	s, ended, err := run(ctx, w.cfg)
	if err != nil {
		w.t.Fatal(err)
	}
	w.server = s
	w.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			w.t.Errorf("%s: %v", w.ilpAddress, err)
		}
	})
}

// run is Run, but for that it hands out the parts.
func run(ctx context.Context, cfg config.Config) (s *server, ended chan error, err error) {
	log := slog.New(slog.DiscardHandler)
	d, err := db.Open(ctx, db.Options{URL: cfg.DB, Log: log, Patience: lockPatience})
	if err != nil {
		return nil, nil, err
	}
	if s, err = build(ctx, cfg, d, log); err != nil {
		return nil, nil, errors.Join(err, d.Close())
	}
	var l listeners
	for _, listen := range []struct {
		at string
		to *net.Listener
	}{{cfg.Listen, &l.pages}, {cfg.ILPListen, &l.packets}, {"127.0.0.1:0", &l.ops}} {
		if *listen.to, err = net.Listen("tcp", listen.at); err != nil {
			return nil, nil, errors.Join(err, d.Close())
		}
	}
	if l.commands, err = admin.Listen(cfg.Data); err != nil {
		return nil, nil, errors.Join(err, d.Close())
	}
	ready := make(chan struct{})
	ended = make(chan error, 1)
	go func() {
		err := s.serve(ctx, l, func() { close(ready) })
		ended <- errors.Join(err, d.Close())
	}()
	select {
	case <-ready:
		return s, ended, nil
	case err := <-ended:
		return nil, nil, err
	}
}

// The variables of a child: the payment that it confirms, if there is one.
const (
	childEnv        = "POCHI_TEST_CHILD"
	childPersonEnv  = "POCHI_TEST_CHILD_PERSON"
	childPaymentEnv = "POCHI_TEST_CHILD_PAYMENT"
)

// TestMain makes the test binary a wallet that runs until it is killed, if the
// environment says so.
func TestMain(m *testing.M) {
	if os.Getenv(childEnv) != "" {
		os.Exit(childMain())
	}
	os.Exit(m.Run())
}

func childMain() int {
	cfg, err := config.Load(os.Getenv)
	if err != nil {
		return 2
	}
	s, ended, err := run(context.Background(), cfg)
	if err != nil {
		return 2
	}
	if payment := os.Getenv(childPaymentEnv); payment != "" {
		_, err = s.payments.Confirm(context.Background(), uuid.MustParse(os.Getenv(childPersonEnv)), uuid.MustParse(payment))
	}
	if err == nil {
		err = <-ended
	}
	println(err.Error())
	return 2
}

// startChild stops the wallet here and runs it in a process of its own, where it
// confirms a payment unless that is zero. kill ends it as a power cut does.
func (w *station) startChild(from person, payment uuid.UUID) (kill func()) {
	w.t.Helper()
	w.stop()
	self, err := os.Executable()
	if err != nil {
		w.t.Fatal(err)
	}
	child := exec.Command(self)
	child.Env = append(os.Environ(), childEnv+"=1")
	if payment != uuid.Nil {
		child.Env = append(child.Env, childPersonEnv+"="+from.ID.String(), childPaymentEnv+"="+payment.String())
	}
	for name, value := range w.environment {
		child.Env = append(child.Env, name+"="+value)
	}
	child.Stderr = os.Stderr
	if err := child.Start(); err != nil {
		w.t.Fatal(err)
	}
	kill = sync.OnceFunc(func() {
		_ = child.Process.Kill()
		_ = child.Wait() // it was killed: that is its error
	})
	w.t.Cleanup(kill)
	await(w.t, "the child listens", func() bool {
		c, err := net.Dial("tcp", w.cfg.ILPListen)
		if err == nil {
			c.Close()
		}
		return err == nil
	})
	return kill
}

// await fails the test if something doesn't come true in a minute.
func await(t testing.TB, what string, true_ func() bool) {
	t.Helper()
	for late := time.Now().Add(time.Minute); !true_(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(late) {
			t.Fatalf("still not: %s", what)
		}
	}
}

// person is somebody with one account, in dollars, and a pointer.
type person struct{ ID, Account uuid.UUID }

const personHas = 1000_00

func (w *station) person(name string) person {
	w.t.Helper()
	ctx := context.Background()
	p := person{ID: uuid.Must(uuid.NewV7())}
	chain, rows, err := w.payments.Accounts.(*accounts.Service).Opening(ctx, p.ID, "USD", name)
	if err != nil {
		w.t.Fatal(err)
	}
	err = w.payments.Ledger.Submit(ctx, chain, func(tx db.Tx) error {
		_, err := tx.ExecContext(ctx, "INSERT INTO users (id, email, name, password_hash, created_at) VALUES (?, ?, ?, '', 0)",
			p.ID[:], name+"@example.com", name)
		return errors.Join(err, rows(tx))
	})
	if err != nil {
		w.t.Fatal(err)
	}
	row := w.db.Read.QueryRow("SELECT account_id FROM pointers WHERE user_id = ?", p.ID[:])
	if err := row.Scan(&p.Account); err != nil {
		w.t.Fatal(err)
	}
	if err := w.payments.Deposit(ctx, p.ID, p.Account, "1000"); err != nil {
		w.t.Fatal(err)
	}
	return p
}

// balance is what is posted to an account of the ledger, and pending what is held.
func (w *station) balance(id uuid.UUID) (balance, pending int64) {
	w.t.Helper()
	a, err := ledger.Find(context.Background(), w.db.Read, id)
	if err != nil {
		w.t.Fatal(err)
	}
	return int64(a.CreditsPosted) - int64(a.DebitsPosted), int64(a.DebitsPending)
}

// number is the answer to a query for one.
func (w *station) number(query string, args ...any) (n int64) {
	w.t.Helper()
	if err := w.db.Read.QueryRow(query, args...).Scan(&n); err != nil {
		w.t.Fatal(err)
	}
	return n
}

// atRest fails the test if anything is in flight, or held of a payment that has
// ended, or if the books contradict themselves, as pochi check sees it.
func (w *station) atRest() {
	w.t.Helper()
	ctx := context.Background()
	if n, err := payments.CountInFlight(ctx, w.db.Read); err != nil || n > 0 {
		w.t.Errorf("%s: %d holds have something in flight, %v", w.ilpAddress, n, err)
	}
	report, err := ledger.Check(ctx, w.db.Read, ledger.CheckOptions{Observers: []ledger.Observer{payments.NewAudit(), &peers.Audit{}}})
	if err != nil {
		w.t.Fatal(err)
	}
	for _, d := range report.Defects {
		w.t.Errorf("%s: %s: %s", w.ilpAddress, d.Name, d.Detail)
	}
}
