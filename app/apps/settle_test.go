package apps_test

import (
	"errors"
	"sync"
	"testing"

	"pochi/app/problem"
)

// trouble is what becomes of a question to Hydra.
var trouble = map[string]func(*hydra){
	"Hydra is down":        func(h *hydra) { h.down = true },
	"the answer gets lost": func(h *hydra) { h.mute = true },
}

// well ends the trouble, and settles what is left.
func (k *desk) well() {
	k.t.Helper()
	k.hydra.down, k.hydra.mute, k.hydra.refuses = false, false, false
	if err := k.Settle(k.t.Context()); err != nil {
		k.t.Error(err)
	}
}

func TestRegisterInTrouble(t *testing.T) {
	for name, begin := range trouble {
		t.Run(name, func(t *testing.T) {
			k := newDesk(t)
			begin(k.hydra)
			a, secret, err := k.Register(t.Context(), k.ann, form())
			if err != nil || secret != "" || a.Settled {
				t.Fatalf("%+v, %q, %v", a, secret, err)
			}
			k.seen()
			k.well()
			if a := k.only(); !a.Settled || len(k.hydra.clients) != 1 {
				t.Errorf("afterwards: %+v, %v", a, k.hydra.clients)
			}
			k.seen()
			if secret, err := k.Rotate(t.Context(), k.ann, a.ID); err != nil || k.hydra.clients[a.ID].Secret != secret {
				t.Errorf("its first secret that is told: %q, %v", secret, err)
			}
		})
	}
}

// What Hydra doesn't want was never registered.
func TestRegisterRefused(t *testing.T) {
	k := newDesk(t)
	k.hydra.refuses = true
	if _, _, err := k.Register(t.Context(), k.ann, form()); !errors.Is(err, errRefuse) {
		t.Errorf("%v", err)
	}
	if all, err := k.List(t.Context(), k.ann); err != nil || len(all) != 0 {
		t.Errorf("listed: %+v, %v", all, err)
	}
}

func TestEditInTrouble(t *testing.T) {
	for name, begin := range trouble {
		t.Run(name, func(t *testing.T) {
			k := newDesk(t)
			a, _ := k.register(form())
			begin(k.hydra)
			in := form()
			in.RedirectURIs = []string{"https://garden.example/back"}
			got, err := k.Edit(t.Context(), k.ann, a.ID, in)
			if err != nil || got.Settled || got.RedirectURIs[0] != "https://garden.example/back" {
				t.Fatalf("%+v, %v", got, err)
			}
			in.RedirectURIs = []string{"https://third.example/back"}
			if _, err := k.Edit(t.Context(), k.ann, a.ID, in); err != nil {
				t.Fatal(err)
			}
			k.well()
			if a := k.only(); !a.Settled || k.hydra.clients[a.ID].RedirectURIs[0] != "https://third.example/back" {
				t.Errorf("afterwards: %+v, %+v", a, k.hydra.clients)
			}
		})
	}
}

func TestRotateInTrouble(t *testing.T) {
	for name, begin := range trouble {
		t.Run(name, func(t *testing.T) {
			k := newDesk(t)
			a, _ := k.register(form())
			begin(k.hydra)
			if _, err := k.Rotate(t.Context(), k.ann, a.ID); problem.CodeOf(err) != problem.Unavailable {
				t.Errorf("%v", err)
			}
			k.well()
			secret, err := k.Rotate(t.Context(), k.ann, a.ID)
			if err != nil || k.hydra.clients[a.ID].Secret != secret {
				t.Errorf("afterwards: %q, %v", secret, err)
			}
		})
	}
}

// An app that lives on at Hydra is on its owner's list, and people's agreements
// with it end whatever Hydra does.
func TestDeleteInTrouble(t *testing.T) {
	for name, begin := range trouble {
		t.Run(name, func(t *testing.T) {
			k := newDesk(t)
			a, _ := k.register(form())
			if err := k.Registered(t.Context(), a.ID); err != nil {
				t.Error(err)
			}
			begin(k.hydra)
			if err := k.Delete(t.Context(), k.ann, a.ID); err != nil {
				t.Fatal(err)
			}
			k.seen()
			if a := k.only(); !a.Deleted() || a.Settled || len(k.ended.apps) != 1 {
				t.Errorf("%+v, ended %v", a, k.ended.apps)
			}
			if err := k.Registered(t.Context(), a.ID); problem.CodeOf(err) != problem.Gone {
				t.Errorf("the token hook isn't told that it is deleted: %v", err)
			}
			if _, err := k.Edit(t.Context(), k.ann, a.ID, form()); problem.CodeOf(err) != problem.NotFound {
				t.Errorf("a deleted app is changed: %v", err)
			}
			if _, err := k.Rotate(t.Context(), k.ann, a.ID); problem.CodeOf(err) != problem.NotFound {
				t.Errorf("a deleted app gets a secret: %v", err)
			}
			if err := k.Delete(t.Context(), k.ann, a.ID); err != nil {
				t.Errorf("to delete it again: %v", err)
			}
			k.well()
			if all, err := k.List(t.Context(), k.ann); err != nil || len(all) != 0 || len(k.hydra.clients) != 0 {
				t.Errorf("afterwards: %+v, %v, %v", all, k.hydra.clients, err)
			}
		})
	}
}

// Agreements that can't be ended keep the app from being forgotten.
func TestDeleteWhenAgreementsDoNotEnd(t *testing.T) {
	k := newDesk(t)
	a, _ := k.register(form())
	k.ended.err = problem.New(problem.Unavailable, "The wallet is busy.")
	if err := k.Delete(t.Context(), k.ann, a.ID); err != nil {
		t.Fatal(err)
	}
	if a := k.only(); !a.Deleted() {
		t.Errorf("%+v", a)
	}
	k.ended.err = nil
	k.well()
	if len(k.ended.apps) != 1 || len(k.hydra.clients) != 0 {
		t.Errorf("ended %v, at Hydra %v", k.ended.apps, k.hydra.clients)
	}
}

// What Hydra doesn't want of one app doesn't keep the others.
func TestSettleGoesOn(t *testing.T) {
	k := newDesk(t)
	a, _ := k.register(form())
	k.hydra.refuses = true
	if _, err := k.Edit(t.Context(), k.ann, a.ID, form()); !errors.Is(err, errRefuse) {
		t.Fatal(err)
	}
	if err := k.Settle(t.Context()); !errors.Is(err, errRefuse) {
		t.Errorf("%v", err)
	}
	if k.only().Settled {
		t.Error("refused, and settled")
	}
	k.well()
	if !k.only().Settled {
		t.Error("never settled")
	}
}

// However changes come, Hydra has the last.
func TestChangesAtOnce(t *testing.T) {
	k := newDesk(t)
	a, _ := k.register(form())
	var all sync.WaitGroup
	for _, host := range []string{"a", "b", "c", "d", "e", "f", "g", "h"} {
		all.Go(func() {
			in := form()
			in.RedirectURIs = []string{"https://" + host + ".example/"}
			if _, err := k.Edit(t.Context(), k.ann, a.ID, in); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if a := k.only(); !a.Settled || k.hydra.clients[a.ID].RedirectURIs[0] != a.RedirectURIs[0] {
		t.Errorf("here %v, at Hydra %v, settled %t", a.RedirectURIs, k.hydra.clients[a.ID].RedirectURIs, a.Settled)
	}
}
