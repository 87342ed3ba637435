// Command hydra is Ory Hydra, built from source and set up for one Pochi.
//
// Without arguments it reads the POCHI_* variables that the wallet reads too, migrates its own SQLite database in
// POCHI_DATA and serves until a signal; `hydra preflight` ends before it serves. With other arguments it is Hydra's own
// command line (`hydra help`).
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"syscall"

	"github.com/ory/hydra/v2/cmd"
	"github.com/ory/hydra/v2/driver"
	"github.com/ory/hydra/v2/jwk"
	"github.com/ory/x/cmdx"
	"github.com/ory/x/configx"
)

// exitCannotStart tells tools/keep that trying again is of no use (EX_CONFIG of sysexits.h).
const exitCannotStart = 78

func main() {
	preflight := len(os.Args) == 2 && os.Args[1] == "preflight"
	if len(os.Args) > 1 && !preflight {
		cmd.Execute()
		return
	}
	s, err := prepare()
	if err != nil {
		complain(err)
		os.Exit(exitCannotStart)
	}
	if preflight {
		return
	}
	if err := serve(s); err != nil {
		complain(err)
		os.Exit(1)
	}
}

// complain prints an error, unless Hydra has already printed it.
func complain(err error) {
	if !errors.Is(err, cmdx.ErrNoPrintButFail) {
		fmt.Fprintln(os.Stderr, "hydra:", err)
	}
}

// prepare looks whether Hydra can start, and migrates its database.
func prepare() (settings, error) {
	s, err := readSettings(os.Getenv)
	if err != nil {
		return s, err
	}
	syscall.Umask(0o077) // what Hydra writes is for its owner only
	if err := os.MkdirAll(s.Data, 0o700); err != nil {
		return s, fmt.Errorf("data folder POCHI_DATA=%s can't be made: %w", s.Data, err)
	}
	if err := s.ensureSecret(); err != nil {
		return s, err
	}
	if err := s.ensureHookKey(); err != nil {
		return s, err
	}
	if err := checkFree("POCHI_HYDRA_PUBLIC_URL", s.PublicPort); err != nil {
		return s, err
	}
	if err := checkFree("POCHI_HYDRA_ADMIN_URL", s.AdminPort); err != nil {
		return s, err
	}
	if err := quietly(); err != nil {
		return s, err
	}
	migrate := cmd.NewRootCmd(nil, nil, nil)
	migrate.SetArgs([]string{"migrate", "sql", "--yes", s.DSN()})
	migrate.SetOut(io.Discard) // the whole SQL, at every first start
	if err := migrate.Execute(); err != nil {
		return s, fmt.Errorf("migrate the database: %w", err)
	}
	return s, nil
}

// serve serves both of Hydra's interfaces until SIGINT or SIGTERM.
func serve(s settings) error {
	fmt.Fprintf(os.Stderr, "Ory Hydra starts at %s\n", s.PublicURL)
	run := cmd.NewRootCmd(nil, []driver.OptionsModifier{driver.Inspect(makeKeys)}, []configx.OptionModifier{configx.WithValues(s.Config())})
	run.SetArgs([]string{"serve", "all", "--sqa-opt-out"})
	return run.Execute()
}

// makeKeys makes Hydra's signing keys before it serves. By itself it would when one is first needed, which takes long enough
// on a busy machine to fail the first app's first token; and two requests at once would make two keys, of which it then
// signs with the one and checks with the other, as the database happens to order them.
func makeKeys(r driver.Registry) error {
	keys, ok := r.(jwk.InternalRegistry)
	if !ok {
		return fmt.Errorf("make the signing keys: a %T has none", r)
	}
	ctx := context.Background()
	for _, set := range r.Config().WellKnownKeys(ctx) {
		if err := jwk.EnsureAsymmetricKeypairExists(ctx, keys, "RS256", set); err != nil {
			return fmt.Errorf("make the signing keys of %s: %w", set, err)
		}
	}
	return nil
}

// checkFree tells whether Hydra can listen on port of the loopback address; the error names the variable to change.
func checkFree(variable string, port int) error {
	listener, err := net.Listen("tcp", net.JoinHostPort(loopback, strconv.Itoa(port)))
	if err != nil {
		return fmt.Errorf("port %d of %s can't be used: %w", port, variable, err)
	}
	return listener.Close()
}

// quietly keeps the terminal readable: Hydra prints a banner to its standard output, and its migrations, which know the
// environment only, log each step. What goes wrong is still written to standard error.
func quietly() error {
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	os.Stdout = null
	return os.Setenv("LOG_LEVEL", "error")
}
