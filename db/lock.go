package db

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/gofrs/flock"
)

// lockStep is between two looks at a lock that somebody has.
const lockStep = 50 * time.Millisecond

func lockPath(path string) string { return filepath.Join(filepath.Dir(path), "pochi.lock") }

// lockFolder makes the folder of a database, if it has to, and takes its lock.
// It returns ErrLocked when somebody else still has it after patience, or when
// ctx ends.
func lockFolder(ctx context.Context, path string, patience time.Duration) (*flock.Flock, error) {
	folder := filepath.Dir(path)
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, fmt.Errorf("create the data folder: %w", err)
	}
	lock := flock.New(lockPath(path))
	locked, err := lock.TryLock()
	if err == nil && !locked && patience > 0 {
		waiting, cancel := context.WithTimeout(ctx, patience)
		defer cancel()
		locked, err = lock.TryLockContext(waiting, lockStep)
	}
	switch {
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled), err == nil && !locked:
		return nil, fmt.Errorf("the folder %s is %w", folder, ErrLocked)
	case err != nil:
		return nil, fmt.Errorf("lock the data folder: %w", err)
	}
	return lock, nil
}

// ErrOwner: what another user than the folder's owner makes there, its owner
// can't use.
var ErrOwner = errors.New("not this user's")

// CheckOwner returns ErrOwner when a database's folder is another user's. A
// folder that isn't there yet is nobody's.
func CheckOwner(dbURL string) error {
	path, err := sqlitePath(dbURL)
	if err != nil {
		return err
	}
	return checkOwner(filepath.Dir(path), os.Geteuid())
}

func checkOwner(folder string, user int) error {
	info, err := os.Stat(folder)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if owner, ok := info.Sys().(*syscall.Stat_t); ok && int64(owner.Uid) != int64(user) {
		return fmt.Errorf("the folder %s is %w (%d) but that of user %d: run this as the user who runs the wallet", folder, ErrOwner, user, owner.Uid)
	}
	return nil
}

// InUse tells whether somebody has a database open for writing: a wallet, or a
// command that changes something. It makes no file. Who can't know says yes.
func InUse(dbURL string) bool {
	path, err := sqlitePath(dbURL)
	if err != nil {
		return true
	}
	if !exists(lockPath(path)) {
		return false
	}
	lock := flock.New(lockPath(path), flock.SetFlag(os.O_RDONLY))
	free, err := lock.TryRLock()
	return err != nil || !free || lock.Unlock() != nil
}
