package admin

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"pochi/app/problem"
)

// SocketName is the name of the socket in the data folder.
const SocketName = "pochi.sock"

// pathMax is the longest path of a socket, in bytes: 107 on Linux.
const pathMax = len(syscall.RawSockaddrUnix{}.Path) - 1

// errTooLong: no socket can be at this path, so no wallet listens there.
var errTooLong = errors.New("the path is too long for a socket")

// socketPath returns the path of a data folder's socket, from here if that is
// shorter.
func socketPath(data string) (string, error) {
	path := filepath.Join(data, SocketName)
	if len(path) <= pathMax {
		return path, nil
	}
	here, err := os.Getwd()
	if err == nil {
		if short, err := filepath.Rel(here, path); err == nil && len(short) <= pathMax {
			return short, nil
		}
	}
	return "", fmt.Errorf("%w: %s has %d bytes, and the system allows %d: choose a shorter one, or start the program in that folder with POCHI_DATA=. there",
		errTooLong, path, len(path), pathMax)
}

// Listen makes the socket, for its owner only. One that an earlier run left
// behind is replaced; one at which another wallet answers is an error. Closing
// the listener removes it.
func Listen(data string) (net.Listener, error) {
	l, err := listen(data)
	if err != nil {
		return nil, cantListen(data, err)
	}
	return l, nil
}

// CanListen says before anything is made that no socket can be in a folder.
func CanListen(data string) error {
	if _, err := socketPath(data); err != nil {
		return cantListen(data, err)
	}
	return nil
}

func cantListen(data string, err error) error {
	return fmt.Errorf("POCHI_DATA=%s: can't listen for admin commands: %w", data, err)
}

func listen(data string) (net.Listener, error) {
	path, err := socketPath(data)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(data, 0o700); err != nil {
		return nil, err
	}
	if err := removeStale(path); err != nil {
		return nil, err
	}
	mask := syscall.Umask(0o177) // from its first moment the socket is its owner's only
	l, err := net.Listen("unix", path)
	syscall.Umask(mask)
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(path, 0o600); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return l, nil
}

// removeStale removes a socket at which nobody answers.
func removeStale(path string) error {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case info.Mode().Type() != fs.ModeSocket:
		return fmt.Errorf("%s is in the way: it is no socket", path)
	}
	c, err := net.DialTimeout("unix", path, dialTimeout)
	if err == nil {
		c.Close()
		return fmt.Errorf("another wallet answers at %s", path)
	}
	if !errors.Is(err, syscall.ECONNREFUSED) {
		return err
	}
	return os.Remove(path)
}

// Serve answers at the socket until ctx ends, then lets the commands end that
// are under way, for at most drain.
func Serve(ctx context.Context, l net.Listener, handler http.Handler, log *slog.Logger, drain time.Duration) error {
	srv := &http.Server{
		Handler: http.MaxBytesHandler(handler, 1<<20), ReadTimeout: 10 * time.Second, WriteTimeout: requestMax + 5*time.Second,
		IdleTimeout: time.Minute, ConnContext: withCaller, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
	ended := make(chan error, 1)
	go func() { ended <- srv.Serve(l) }()
	select {
	case err := <-ended:
		return fmt.Errorf("admin commands: %w", err)
	case <-ctx.Done():
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), drain)
	defer cancel()
	if err := srv.Shutdown(last); errors.Is(err, context.DeadlineExceeded) {
		return srv.Close() // whoever repeats the command is told what became of it
	} else if err != nil {
		return err
	}
	return nil
}

// databaseHeader names the database that a command means: two wallets with one
// data folder and two databases would else be taken for each other.
const databaseHeader = "Pochi-Database"

// DatabaseKey tells database files apart, whatever they are called where they
// are seen from. It is "" when there is no such file.
func DatabaseKey(dbURL string) string {
	info, err := os.Stat(strings.TrimPrefix(dbURL, "sqlite:"))
	if err != nil {
		return ""
	}
	file, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return ""
	}
	return fmt.Sprintf("%d:%d", file.Dev, file.Ino)
}

func errOtherDatabase(meant, own string) error {
	if meant == own {
		return nil
	}
	return problem.New(problem.Conflict, "The wallet that runs on POCHI_DATA has another database than POCHI_DB says. Nothing was done.")
}
