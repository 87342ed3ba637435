package notices_test

import (
	"log/slog"
	"maps"
	"path/filepath"
	"testing"
	"time"

	"pochi/app/notices"
	"pochi/db"

	"github.com/google/uuid"
)

func TestClose(t *testing.T) {
	d, err := db.Open(t.Context(), db.Options{URL: "sqlite:" + filepath.Join(t.TempDir(), "pochi.db"), Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	ann, ben := uuid.New(), uuid.New()
	for _, id := range []uuid.UUID{ann, ben} {
		err := d.Write(t.Context(), func(tx db.Tx) error {
			_, err := tx.ExecContext(t.Context(), "INSERT INTO users (id, email, name, password_hash, created_at) VALUES (?, ?, '', '', 0)", id[:], id.String())
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	s := notices.New(d, time.Now)
	shop, radio := uuid.New(), uuid.New()
	is := func(what string, person uuid.UUID, want ...notices.Notice) {
		t.Helper()
		all := map[notices.Notice]bool{}
		for _, n := range want {
			all[n] = true
		}
		if got, err := s.Closed(t.Context(), person); err != nil || !maps.Equal(got, all) {
			t.Errorf("%s: %v, %v, want %v", what, got, err, all)
		}
	}
	closed := func(n notices.Notice) notices.Notice {
		t.Helper()
		if err := s.Close(t.Context(), ann, n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	is("at first", ann)
	near := closed(notices.Notice{Agreement: shop, Kind: "near", Interval: 3})
	closed(near)
	reached := closed(notices.Notice{Agreement: shop, Kind: "reached", Interval: 3})
	other := closed(notices.Notice{Agreement: radio, Kind: "near", Interval: 1})
	is("both of a month", ann, near, reached, other)
	is("Ben has closed nothing", ben)
	next := closed(notices.Notice{Agreement: shop, Kind: "near", Interval: 4})
	is("those of the month before are forgotten", ann, next, other)
}
