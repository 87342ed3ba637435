package sessions

import (
	"testing"

	"github.com/google/uuid"
)

// TestWhoReadTooEarlyRemembersNothing: somebody reads a session's row, it is
// ended, and only then does the reader come to remember what they read.
func TestWhoReadTooEarlyRemembersNothing(t *testing.T) {
	var l live
	token, row := hash{1}, Session{UserID: uuid.New()}
	_, _, early := l.get(token)
	l.changed(token)
	l.put(token, row, early)
	if _, here, _ := l.get(token); here {
		t.Error("an ended session is remembered")
	}
	_, _, now := l.get(token)
	l.put(token, row, now)
	if got, here, _ := l.get(token); !here || got.UserID != row.UserID {
		t.Errorf("%v, %v; want %v", got, here, row)
	}
	l.changed(token)
	if _, here, _ := l.get(token); here {
		t.Error("an ended session is still remembered")
	}
}

func TestNotMoreThanLiveMaxAreRemembered(t *testing.T) {
	var l live
	for i := range liveMax + 10 {
		l.put(hash{byte(i), byte(i >> 8), byte(i >> 16)}, Session{}, 0)
	}
	if len(l.rows) > liveMax {
		t.Errorf("%d are remembered, want at most %d", len(l.rows), liveMax)
	}
}
