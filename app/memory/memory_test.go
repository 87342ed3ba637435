package memory_test

import (
	"testing"

	"pochi/app/memory"
)

// Somebody reads a row, it is changed, and only then does the reader come to
// remember it.
func TestWhoReadTooEarlyRemembersNothing(t *testing.T) {
	m := memory.New[string, int](10)
	_, _, early := m.Get("a")
	m.Changed("a")
	m.Put("a", 1, early)
	if row, here, _ := m.Get("a"); here {
		t.Errorf("%d is remembered", row)
	}
	_, _, now := m.Get("a")
	m.Put("a", 2, now)
	if row, here, _ := m.Get("a"); !here || row != 2 {
		t.Errorf("%d, %v; want 2", row, here)
	}
}

func TestWhatChangedIsForgotten(t *testing.T) {
	m := memory.New[string, int](10)
	for i, key := range []string{"a", "b"} {
		m.Put(key, i, 0)
	}
	m.Changed("a")
	_, a, _ := m.Get("a")
	_, b, _ := m.Get("b")
	if a || !b {
		t.Errorf("after a changed: a %v, b %v", a, b)
	}
	m.AllChanged()
	if _, b, _ := m.Get("b"); b {
		t.Error("after everything changed b is remembered")
	}
}

func TestNoMoreAreRememberedThanMay(t *testing.T) {
	const most = 10
	m := memory.New[int, int](most)
	for i := range 3 * most {
		m.Put(i, i, 0)
	}
	n := 0
	for i := range 3 * most {
		if _, here, _ := m.Get(i); here {
			n++
		}
	}
	if n != most {
		t.Errorf("%d are remembered, want %d", n, most)
	}
}
