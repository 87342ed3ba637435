package admin

import (
	"errors"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// folder returns a new folder whose path is short, as a socket's must be.
func folder(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "pochi")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

func TestSocketIsItsOwnersOnly(t *testing.T) {
	defer syscall.Umask(syscall.Umask(0))
	data := filepath.Join(folder(t), "new")
	l, err := Listen(data)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(data, SocketName)
	if info, err := os.Stat(path); err != nil || info.Mode() != fs.ModeSocket|0o600 {
		t.Errorf("socket %v, %v", info.Mode(), err)
	}
	if info, err := os.Stat(data); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("folder %v, %v", info.Mode(), err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("after the end: %v", err)
	}
}

func TestSocketOfAnEarlierRunIsReplaced(t *testing.T) {
	data := folder(t)
	stale, err := net.ListenUnix("unix", &net.UnixAddr{Name: filepath.Join(data, SocketName), Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Listen(data); err == nil || !strings.Contains(err.Error(), "another wallet answers") {
		t.Errorf("beside a wallet that listens: %v", err)
	}
	stale.SetUnlinkOnClose(false) // as a process that is killed leaves it
	if err := stale.Close(); err != nil {
		t.Fatal(err)
	}
	l, err := Listen(data)
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Error(err)
	}
}

func TestSocketDoesNotReplaceAFile(t *testing.T) {
	data := folder(t)
	path := filepath.Join(data, SocketName)
	if err := os.WriteFile(path, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Listen(data); err == nil || !strings.Contains(err.Error(), "is in the way") {
		t.Errorf("%v", err)
	}
	if kept, err := os.ReadFile(path); err != nil || string(kept) != "mine" {
		t.Errorf("it holds %q, %v", kept, err)
	}
}

func TestSocketPathMayBeTooLong(t *testing.T) {
	long := filepath.Join(folder(t), strings.Repeat("long", 30))
	_, err := Listen(long)
	for _, err := range []error{err, CanListen(long)} {
		if err == nil || !strings.Contains(err.Error(), "POCHI_DATA="+long) || !strings.Contains(err.Error(), "too long for a socket") {
			t.Errorf("%v", err)
		}
	}
	if err := os.Mkdir(long, 0o700); err != nil {
		t.Fatal(err)
	}
	t.Chdir(long) // from here the path is short
	l, err := Listen(long)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := Client{Data: long}.dial(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	conn.Close()
	if err := l.Close(); err != nil {
		t.Error(err)
	}
}
