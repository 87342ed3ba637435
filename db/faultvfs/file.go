package faultvfs

import (
	"errors"
	"io"
	"math/rand/v2"

	"github.com/psanford/sqlite3vfs"
)

const sector = 512 // bytes, never torn

// file is what the running system reads, what is on the platter, and the
// changes that lead from one to the other.
type file struct {
	now, synced []byte
	pending     []change
	temporary   bool
	syncsFolder bool // its next sync does, too
}

// change is a write, or a truncation when data is nil.
type change struct {
	at   int64 // offset; the new size of a truncation
	data []byte
}

// apply carries a change out.
func (c change) apply(content []byte) []byte {
	if c.data == nil {
		return content[:min(c.at, int64(len(content)))]
	}
	content = grow(content, c.at+int64(len(c.data)))
	copy(content[c.at:], c.data)
	return content
}

// grow returns the content with at least size bytes.
func grow(content []byte, size int64) []byte {
	if missing := size - int64(len(content)); missing > 0 {
		content = append(content, make([]byte, missing)...)
	}
	return content
}

// survive carries out what a power loss leaves of a change.
func (c change) survive(content []byte, rng *rand.Rand) []byte {
	switch rng.IntN(4) {
	case 0:
		return c.apply(content)
	case 1:
		return content
	case 2:
		if c.data == nil {
			return content
		}
		return grow(content, c.at+int64(len(c.data)))
	default:
		return c.tear(content, rng)
	}
}

// tear writes some of a change's sectors.
func (c change) tear(content []byte, rng *rand.Rand) []byte {
	for from := c.at; from < c.at+int64(len(c.data)); {
		to := min((from/sector+1)*sector, c.at+int64(len(c.data)))
		if rng.IntN(2) == 0 {
			content = change{from, c.data[from-c.at : to-c.at]}.apply(content)
		}
		from = to
	}
	return content
}

// change carries a change out for the running system.
func (f *file) change(c change) {
	f.now = c.apply(f.now)
	if !f.temporary {
		f.pending = append(f.pending, c)
	}
}

// sync makes all changes durable.
func (f *file) sync() {
	for _, c := range f.pending {
		f.synced = c.apply(f.synced)
	}
	f.pending = nil
}

// lose makes durable what a power loss would leave of the changes.
func (f *file) lose(rng *rand.Rand) {
	for _, c := range f.pending {
		f.synced = c.survive(f.synced, rng)
	}
	f.pending = nil
}

// afterCrash returns what a power loss leaves of the file.
func (f *file) afterCrash(rng *rand.Rand) []byte {
	copied := file{synced: append([]byte(nil), f.synced...), pending: f.pending}
	copied.lose(rng)
	return copied.synced
}

// handle is a file that SQLite has opened.
type handle struct {
	disk *Disk // nil for a temporary file
	name string
	file *file
}

// change asks the hook and carries a change out, or half of it.
func (h *handle) change(op Op, c change) (written int, err error) {
	if h.disk == nil {
		h.file.change(c)
		return len(c.data), nil
	}
	err = h.disk.ask(op, h.name)
	switch {
	case errors.Is(err, ErrShort) && op == Write:
		c.data = c.data[:len(c.data)/2]
	case errors.Is(err, ErrShort):
		return 0, ErrNoSpace
	case err != nil:
		return 0, err
	}
	h.disk.mu.Lock()
	defer h.disk.mu.Unlock()
	h.file.change(c)
	return len(c.data), err
}

// WriteAt implements sqlite3vfs.File.
func (h *handle) WriteAt(p []byte, at int64) (int, error) {
	return h.change(Write, change{at, append([]byte{}, p...)})
}

// Truncate implements sqlite3vfs.File.
func (h *handle) Truncate(size int64) error {
	_, err := h.change(Truncate, change{at: size})
	return err
}

// Sync implements sqlite3vfs.File.
func (h *handle) Sync(sqlite3vfs.SyncType) error {
	if h.disk == nil {
		return nil
	}
	err := h.disk.ask(Sync, h.name)
	h.disk.mu.Lock()
	defer h.disk.mu.Unlock()
	if errors.Is(err, ErrIgnored) {
		return nil
	}
	if err != nil {
		h.file.lose(h.disk.rng)
		return err
	}
	h.file.sync()
	if h.file.syncsFolder {
		h.file.syncsFolder = false
		h.disk.syncFolder()
	}
	return nil
}

// ReadAt implements sqlite3vfs.File.
func (h *handle) ReadAt(p []byte, at int64) (int, error) {
	h.lock()
	defer h.unlock()
	if at >= int64(len(h.file.now)) {
		return 0, io.EOF
	}
	n := copy(p, h.file.now[at:])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// FileSize implements sqlite3vfs.File.
func (h *handle) FileSize() (int64, error) {
	h.lock()
	defer h.unlock()
	return int64(len(h.file.now)), nil
}

func (h *handle) lock() {
	if h.disk != nil {
		h.disk.mu.Lock()
	}
}

func (h *handle) unlock() {
	if h.disk != nil {
		h.disk.mu.Unlock()
	}
}

// Close implements sqlite3vfs.File.
func (h *handle) Close() error { return nil }

// Lock implements sqlite3vfs.File: there is one connection.
func (h *handle) Lock(sqlite3vfs.LockType) error { return nil }

// Unlock implements sqlite3vfs.File.
func (h *handle) Unlock(sqlite3vfs.LockType) error { return nil }

// CheckReservedLock implements sqlite3vfs.File. Nobody has the lock; the
// library tells SQLite the opposite of the answer.
func (h *handle) CheckReservedLock() (bool, error) { return true, nil }

// SectorSize implements sqlite3vfs.File.
func (h *handle) SectorSize() int64 { return sector }

// DeviceCharacteristics implements sqlite3vfs.File: as SQLite's VFS for Unix
// says, a torn write doesn't touch the bytes beside it.
func (h *handle) DeviceCharacteristics() sqlite3vfs.DeviceCharacteristic {
	return sqlite3vfs.IocapPowersafeOverwrite
}
