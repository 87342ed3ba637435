package agreements_test

import (
	"context"
	"testing"
	"time"

	"pochi/app/agreements"
	"pochi/app/problem"
	"pochi/db"
)

func TestWhatNobodyCollectsEnds(t *testing.T) {
	w := newWallet(t)
	ann := w.person("ann")
	collected, paused, lost := w.approve(ann, monthly(t)), w.approve(ann, monthly(t)), w.approve(ann, monthly(t))
	for range 2 { // whoever asks may ask again
		if err := w.Collected(ctx, collected.ID); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Pause(ctx, ann.id, paused.ID); err != nil {
		t.Fatal(err)
	}
	w.wait(59*time.Minute, lost, agreements.Active)
	fresh := w.approve(ann, monthly(t))
	w.wait(time.Minute, lost, agreements.Revoked)
	w.wait(0, paused, agreements.Revoked)
	w.wait(0, collected, agreements.Active)
	w.wait(0, fresh, agreements.Active)
	if err := w.packet(lost.ID, 1); err == nil {
		t.Error("it can be used")
	}
	events, err := w.Timeline(ctx, lost.ID)
	if last := events[len(events)-1]; err != nil || last.Kind != agreements.EventGivenUp || last.Note == "" {
		t.Errorf("%+v, %v", last, err)
	}
	if err := w.Live(ctx, lost.ID); problem.CodeOf(err) != problem.Forbidden {
		t.Errorf("a token for it: %v", err)
	}
}

// A backup doesn't know what was collected since.
func TestWhatWasRestoredMayHaveBeenCollected(t *testing.T) {
	w := newWallet(t)
	a := w.approve(w.person("ann"), monthly(t))
	err := w.db.Write(ctx, func(tx db.Tx) error {
		_, err := agreements.PauseAll(context.Background(), tx, w.now())
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	w.wait(2*time.Hour, a, agreements.Paused)
}

// wait lets time pass, and has what nobody has collected ended.
func (w *wallet) wait(d time.Duration, a agreements.Agreement, want agreements.State) {
	w.t.Helper()
	later := w.now().Add(d)
	w.time.Store(&later)
	if err := w.EndUncollected(ctx); err != nil {
		w.t.Fatal(err)
	}
	if got := w.find(a.ID); got.State != want {
		w.t.Errorf("%s is %s, want %s", a.ID, got.State, want)
	}
}
