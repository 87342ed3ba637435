package faultvfs

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/psanford/sqlite3vfs"
)

// openFile opens a file on a disk as SQLite does.
func openFile(t *testing.T, d *Disk, name string, kind sqlite3vfs.OpenFlag) sqlite3vfs.File {
	t.Helper()
	f, _, err := vfs{}.Open(fmt.Sprintf("/%d/%s", d.id, name), kind|sqlite3vfs.OpenCreate|sqlite3vfs.OpenReadWrite)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func write(t *testing.T, f sqlite3vfs.File, fill byte, at int64, size int) {
	t.Helper()
	if _, err := f.WriteAt(bytes.Repeat([]byte{fill}, size), at); err != nil {
		t.Fatal(err)
	}
}

func syncFile(t *testing.T, f sqlite3vfs.File) {
	t.Helper()
	if err := f.Sync(sqlite3vfs.SyncFull); err != nil {
		t.Fatal(err)
	}
}

// outcomes are what a file is after each of many power losses; nil: it is not
// there.
func outcomes(d *Disk, name string) map[string]int {
	seen := map[string]int{}
	for range 400 {
		content := "none"
		if f := d.Crash().files[name]; f != nil {
			content = ""
			for i := 0; i < len(f.now); i += 256 {
				content += string(f.now[i])
			}
		}
		seen[content]++
	}
	return seen
}

// Half sectors are two letters: what was synced stays, what was not may be
// there sector by sector, or leave its room.
func TestCrash(t *testing.T) {
	d := New(1)
	f := openFile(t, d, "f", sqlite3vfs.OpenWAL)
	write(t, f, 'a', 0, 1024)
	syncFile(t, f)
	if got := outcomes(d, "f"); len(got) != 1 || got["aaaa"] == 0 {
		t.Errorf("synced: %v", got)
	}
	write(t, f, 'b', 256, 512) // parts of two sectors
	got := outcomes(d, "f")
	if want := []string{"aaaa", "abba", "abaa", "aaba"}; !only(got, want) {
		t.Errorf("overwritten: %v", got)
	}
	syncFile(t, f)
	write(t, f, 'c', 1024, 512)
	if got, want := outcomes(d, "f"), []string{"abba", "abbacc", "abba\x00\x00"}; !only(got, want) {
		t.Errorf("appended: %v", got)
	}
	syncFile(t, f)
	if err := f.Truncate(512); err != nil {
		t.Fatal(err)
	}
	write(t, f, 'd', 512, 512)
	want := []string{"abbacc", "abddcc", "abdd", "ab", "ab\x00\x00"} // each change on its own
	if got := outcomes(d, "f"); !only(got, want) {
		t.Errorf("cut off and written again: %v", got)
	}
	if content := make([]byte, 1024); true {
		if n, err := f.ReadAt(content, 0); n != 1024 || err != nil || content[0] != 'a' || content[1023] != 'd' {
			t.Errorf("the running system reads %d bytes, %v", n, err)
		}
	}
}

// only tells whether all of want were seen and nothing else.
func only(seen map[string]int, want []string) bool {
	for _, w := range want {
		if seen[w] == 0 {
			return false
		}
	}
	return len(seen) == len(want)
}

// A folder is synced with the first sync of a journal, not with a database's.
func TestCrashOfAFolder(t *testing.T) {
	d := New(1)
	db := openFile(t, d, "db", sqlite3vfs.OpenMainDB)
	write(t, db, 'a', 0, 256)
	syncFile(t, db)
	if got := outcomes(d, "db"); !only(got, []string{"a", "none"}) {
		t.Errorf("made: %v", got)
	}
	wal := openFile(t, d, "wal", sqlite3vfs.OpenWAL)
	syncFile(t, wal)
	if got := outcomes(d, "db"); !only(got, []string{"a"}) {
		t.Errorf("with a WAL: %v", got)
	}
	for _, syncs := range []bool{false, true} {
		want := map[bool][]string{false: {"", "none"}, true: {"none"}}[syncs]
		if err := (vfs{}).Delete(fmt.Sprintf("/%d/wal", d.id), syncs); err != nil {
			t.Fatal(err)
		}
		if got := outcomes(d, "wal"); !only(got, want) {
			t.Errorf("deleted, folder synced %v: %v", syncs, got)
		}
	}
}

// What a failed sync should have written is not brought back by a later one.
func TestAFailedSyncLoses(t *testing.T) {
	lost := 0
	for seed := range uint64(50) {
		d := New(seed)
		f := openFile(t, d, "f", sqlite3vfs.OpenWAL)
		syncFile(t, f)
		write(t, f, 'a', 0, 256)
		d.Hook(FailOnce(d.Calls()+1, ErrIO))
		if err := f.Sync(sqlite3vfs.SyncFull); err != ErrIO {
			t.Fatalf("the sync: %v", err)
		}
		syncFile(t, f)
		got := outcomes(d, "f")
		if len(got) != 1 {
			t.Errorf("not decided: %v", got)
		}
		lost += 1 - min(got["a"], 1)
	}
	if lost == 0 || lost == 50 {
		t.Errorf("lost %d times of 50", lost)
	}
}

func TestFaults(t *testing.T) {
	d := New(1)
	f := openFile(t, d, "f", sqlite3vfs.OpenWAL)
	d.Hook(FailOnce(1, ErrShort))
	if n, err := f.WriteAt(bytes.Repeat([]byte{'a'}, 512), 0); n != 256 || err == nil {
		t.Errorf("short write: %d, %v", n, err)
	}
	if size, _ := f.FileSize(); size != 256 {
		t.Errorf("after a short write: %d bytes", size)
	}
	d.Hook(IgnoreSyncs("f"))
	syncFile(t, f)
	if got := outcomes(d, "f"); !only(got, []string{"none", "", "a", "\x00"}) {
		t.Errorf("after an ignored sync: %v", got)
	}
	d.Hook(nil)
	syncFile(t, f)
	if got := outcomes(d, "f"); !only(got, []string{"a"}) {
		t.Errorf("after a sync: %v", got)
	}
}
