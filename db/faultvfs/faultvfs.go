// Package faultvfs is a disk in memory under SQLite, for tests. It loses power,
// tears writes and fails calls on demand.
//
// A test opens a database on it with
//
//	disk := faultvfs.New(seed)
//	d, err := db.Open(ctx, db.Options{URL: disk.URL(), VFS: faultvfs.Name})
//
// There is no shared memory on it: the database has one connection, in
// exclusive locking mode, so d.Read is nil and everything is read in units of
// the Writer. Then
//
//	after := disk.Crash()
//
// returns another disk with what could be there after a power loss at that
// moment; the first one goes on as if nothing had happened, so that it can be
// closed. Hook watches, delays and fails calls: see FailAt.
//
// What is there after a power loss: all that was synced. Of each write and
// truncation after a file's last sync, on its own: all of it, nothing, the room
// it takes but not the bytes, or any of its sectors of 512 bytes. Files that were
// made or deleted since the folder's last sync: either state. SQLite's
// VFS for Unix syncs the folder with the first sync of a new journal or WAL, so
// does this one. After a sync that failed, what it should have written is
// decided at once: a later sync doesn't bring it back, as on Linux.
//
// SQLite is told SQLITE_IOERR of every failed write, also when there is no
// space left: the VFS library knows nothing else.
package faultvfs

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"path"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	_ "github.com/mattn/go-sqlite3" // the SQLite that the library links to
	"github.com/psanford/sqlite3vfs"
)

// Name is the VFS that SQLite knows.
const Name = "pochi-faults"

// Op is what a call does to the disk.
type Op string

// The calls that change something, or make it durable.
const (
	Write    Op = "write"
	Truncate Op = "truncate"
	Sync     Op = "sync"
	Delete   Op = "delete"
)

// Call is one of them, before it is carried out. N counts them from 1, on each
// disk anew.
type Call struct {
	N    int
	Op   Op
	File string // its name in the folder; empty for a temporary file
}

// The errors of a Hook. ErrShort has half of a write carried out. ErrIgnored is
// none to SQLite: it is told that a sync was done, as a drive does that lies.
var (
	ErrIO      error = sqlite3vfs.IOError
	ErrNoSpace error = sqlite3vfs.FullError
	ErrShort         = errors.New("short write")
	ErrIgnored       = errors.New("ignored sync")
)

// Hook is asked before each call, without a lock: it may block, and may call
// Crash. An error fails the call.
type Hook func(Call) error

// FailAt returns a hook that fails the n-th call and, as a broken or full disk
// does, all later ones.
func FailAt(n int, err error) Hook {
	return func(c Call) error {
		if c.N >= n {
			return err
		}
		return nil
	}
}

// FailOnce returns a hook that fails the n-th call only.
func FailOnce(n int, err error) Hook {
	return func(c Call) error {
		if c.N == n {
			return err
		}
		return nil
	}
}

// IgnoreSyncs returns a hook that does so for the files whose names end with
// one of the endings. A test that finds nothing wrong then proves nothing.
func IgnoreSyncs(endings ...string) Hook {
	return func(c Call) error {
		ends := func(ending string) bool { return strings.HasSuffix(c.File, ending) }
		if c.Op == Sync && slices.ContainsFunc(endings, ends) {
			return ErrIgnored
		}
		return nil
	}
}

// Disk has one folder of files.
type Disk struct {
	id int64

	mu      sync.Mutex
	rng     *rand.Rand
	files   map[string]*file // as the running system sees them
	durable map[string]*file // those that a power loss leaves, but for changes of theirs
	calls   int
	hook    Hook
}

// disks are those that SQLite can reach, by id.
var (
	disks    sync.Map
	lastID   atomic.Int64
	register = sync.OnceValue(func() error { return sqlite3vfs.RegisterVFS(Name, vfs{}) })
)

// New returns an empty disk. The seed decides what a power loss leaves.
func New(seed uint64) *Disk {
	if err := register(); err != nil {
		panic(err)
	}
	d := &Disk{
		id: lastID.Add(1), rng: rand.New(rand.NewPCG(seed, 0)),
		files: map[string]*file{}, durable: map[string]*file{},
	}
	disks.Store(d.id, d)
	return d
}

// URL names a database on the disk for db.Open.
func (d *Disk) URL() string { return fmt.Sprintf("sqlite:/%d/pochi.db", d.id) }

// Forget takes the disk away from SQLite, and its memory from the test.
func (d *Disk) Forget() { disks.Delete(d.id) }

// Hook sets what is asked before each call from now on; nil for nothing.
func (d *Disk) Hook(hook Hook) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.hook = hook
}

// Calls returns how many calls there were.
func (d *Disk) Calls() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.calls
}

// Copy returns a disk with the same files, all of them durable: what another
// process finds while the power stays on.
func (d *Disk) Copy(seed uint64) *Disk {
	d.mu.Lock()
	defer d.mu.Unlock()
	other := New(seed)
	for name, f := range d.files {
		other.put(name, slices.Clone(f.now))
	}
	return other
}

// Crash returns a disk with what could be left after a power loss now.
func (d *Disk) Crash() *Disk {
	d.mu.Lock()
	defer d.mu.Unlock()
	after := New(d.rng.Uint64())
	for _, name := range slices.Sorted(maps.Keys(union(d.files, d.durable))) {
		f := d.files[name]
		if was := d.durable[name]; f != was && d.rng.IntN(2) == 0 {
			f = was
		}
		if f != nil {
			after.put(name, f.afterCrash(d.rng))
		}
	}
	return after
}

func union(a, b map[string]*file) map[string]*file {
	all := maps.Clone(a)
	maps.Copy(all, b)
	return all
}

// syncFolder makes durable which files there are.
func (d *Disk) syncFolder() { d.durable = maps.Clone(d.files) }

// put adds a durable file.
func (d *Disk) put(name string, content []byte) {
	f := &file{now: content, synced: slices.Clone(content)}
	d.files[name], d.durable[name] = f, f
}

// ask counts a call and asks the hook.
func (d *Disk) ask(op Op, name string) error {
	d.mu.Lock()
	d.calls++
	call, hook := Call{N: d.calls, Op: op, File: name}, d.hook
	d.mu.Unlock()
	if hook == nil {
		return nil
	}
	return hook(call)
}

// find returns the disk that a path of SQLite's is on, and the file's name.
func find(name string) (*Disk, string, error) {
	folder, base := path.Split(name)
	var id int64
	if _, err := fmt.Sscanf(strings.Trim(folder, "/"), "%d", &id); err != nil {
		return nil, "", sqlite3vfs.CantOpenError
	}
	d, ok := disks.Load(id)
	if !ok {
		return nil, "", sqlite3vfs.CantOpenError
	}
	return d.(*Disk), base, nil
}

// vfs is what SQLite sees.
type vfs struct{}

// Open implements sqlite3vfs.VFS. A file without a name is temporary: it is on
// no disk, and goes with its handle.
func (vfs) Open(name string, flags sqlite3vfs.OpenFlag) (sqlite3vfs.File, sqlite3vfs.OpenFlag, error) {
	if name == "" {
		return &handle{file: &file{temporary: true}}, flags, nil
	}
	d, base, err := find(name)
	if err != nil {
		return nil, 0, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	f := d.files[base]
	if f == nil {
		if flags&sqlite3vfs.OpenCreate == 0 {
			return nil, 0, sqlite3vfs.CantOpenError
		}
		const journals = sqlite3vfs.OpenWAL | sqlite3vfs.OpenMainJournal | sqlite3vfs.OpenSuperJournal
		f = &file{syncsFolder: flags&journals != 0}
		d.files[base] = f
	}
	return &handle{disk: d, name: base, file: f}, flags, nil
}

// Delete implements sqlite3vfs.VFS.
func (vfs) Delete(name string, syncFolder bool) error {
	d, base, err := find(name)
	if err != nil {
		return err
	}
	if err := d.ask(Delete, base); err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.files, base)
	if syncFolder {
		d.syncFolder()
	}
	return nil
}

// Access implements sqlite3vfs.VFS.
func (vfs) Access(name string, _ sqlite3vfs.AccessFlag) (bool, error) {
	d, base, err := find(name)
	if err != nil {
		return false, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.files[base] != nil, nil
}

// FullPathname implements sqlite3vfs.VFS.
func (vfs) FullPathname(name string) string { return path.Clean(name) }
