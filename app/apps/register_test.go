package apps_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pochi/app/apps"
	"pochi/app/problem"
)

func TestRegister(t *testing.T) {
	k := newDesk(t)
	in := form()
	in.Name, in.RedirectURIs = "  Flower \t Shop ", []string{" https://shop.example/back ", "", "https://shop.example/back", "https://shop.example/2"}
	a, secret := k.register(in)
	client := k.hydra.clients[a.ID]
	if secret == "" || client.Secret != secret || !a.Settled || client.Name != "Flower Shop" || !client.Confidential {
		t.Errorf("%+v, %q, %+v", a, secret, client)
	}
	if want := []string{"https://shop.example/back", "https://shop.example/2"}; !slices.Equal(a.RedirectURIs, want) || !slices.Equal(client.RedirectURIs, want) {
		t.Errorf("redirect URIs %q, at Hydra %q", a.RedirectURIs, client.RedirectURIs)
	}
	for id, want := range map[string]problem.Code{a.ID: "", "back-office": problem.NotFound} {
		if err := k.Registered(t.Context(), id); problem.CodeOf(err) != want {
			t.Errorf("%s: %v", id, err)
		}
	}
	if got := k.only(); got.ID != a.ID || got.SecretAt != k.now {
		t.Errorf("%+v", got)
	}
	if _, err := k.Find(t.Context(), k.ben, a.ID); problem.CodeOf(err) != problem.NotFound {
		t.Errorf("Ben finds Ann's app: %v", err)
	}
	public := form()
	public.Confidential, public.RedirectURIs = false, []string{"com.example.shop:/back"}
	if a, secret := k.register(public); secret != "" || a.Confidential || !a.SecretAt.IsZero() {
		t.Errorf("a public app: %+v, %q", a, secret)
	}
}

func TestWhatNoAppCanBe(t *testing.T) {
	k := newDesk(t)
	for field, change := range map[string]func(*apps.Form){
		"name: nothing":                      func(f *apps.Form) { f.Name = " " },
		"name: too long":                     func(f *apps.Form) { f.Name = strings.Repeat("a", 61) },
		"name: the wallet's own":             func(f *apps.Form) { f.Name = "Pochi Support" },
		"name: turned around":                func(f *apps.Form) { f.Name = "pohS\u202e" },
		"redirect_uris: none":                func(f *apps.Form) { f.RedirectURIs = nil },
		"redirect_uris: plain http":          func(f *apps.Form) { f.RedirectURIs = []string{"http://shop.example/back"} },
		"redirect_uris: a fragment":          func(f *apps.Form) { f.RedirectURIs = []string{"https://shop.example/#back"} },
		"redirect_uris: a wildcard":          func(f *apps.Form) { f.RedirectURIs = []string{"https://*.shop.example/"} },
		"redirect_uris: a script":            func(f *apps.Form) { f.RedirectURIs = []string{"javascript:alert(1)"} },
		"redirect_uris: a password":          func(f *apps.Form) { f.RedirectURIs = []string{"https://a:b@shop.example/"} },
		"redirect_uris: a line break":        func(f *apps.Form) { f.RedirectURIs = []string{"https://shop.example/\nhttps://evil.example/"} },
		"redirect_uris: two hosts":           func(f *apps.Form) { f.RedirectURIs = []string{"https://shop.example/", "https://evil.example/"} },
		"redirect_uris: a host and loopback": func(f *apps.Form) { f.RedirectURIs = []string{"https://shop.example/", "http://localhost:9/"} },
		"policy_url: plain http":             func(f *apps.Form) { f.PolicyURL = "http://shop.example/" },
		"terms_url: a script":                func(f *apps.Form) { f.TermsURL = "javascript:alert(1)" },
	} {
		in := form()
		change(&in)
		name, _, _ := strings.Cut(field, ":")
		_, _, err := k.Register(t.Context(), k.ann, in)
		if problem.CodeOf(err) != problem.Invalid || problem.Fields(err)[name] == "" {
			t.Errorf("%s: %v", field, err)
		}
	}
	if all, err := k.List(t.Context(), k.ann); err != nil || len(all) != 0 || len(k.hydra.clients) != 0 {
		t.Errorf("something was registered: %+v, %v", all, err)
	}
}

func TestPeopleHaveSoManyApps(t *testing.T) {
	k := newDesk(t)
	for range apps.AppsMax {
		k.register(form())
	}
	if _, _, err := k.Register(t.Context(), k.ann, form()); problem.CodeOf(err) != problem.Conflict {
		t.Errorf("one too many: %v", err)
	}
	if _, _, err := k.Register(t.Context(), k.ben, form()); err != nil {
		t.Errorf("Ben's first: %v", err)
	}
	for n := apps.AppsMax; n < apps.AppsMaxAll; n++ {
		all, err := k.List(t.Context(), k.ann)
		if err == nil {
			err = k.Delete(t.Context(), k.ann, all[0].ID)
		}
		if err != nil {
			t.Fatal(err)
		}
		k.register(form())
	}
	all, err := k.List(t.Context(), k.ann)
	if err == nil {
		err = k.Delete(t.Context(), k.ann, all[0].ID)
	}
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := k.Register(t.Context(), k.ann, form()); problem.CodeOf(err) != problem.Conflict {
		t.Errorf("more than in all a life: %v", err)
	}
}

func TestEdit(t *testing.T) {
	k := newDesk(t)
	a, secret := k.register(form())
	in := form()
	in.Name, in.Confidential, in.RedirectURIs, in.PolicyURL = "Garden", false, []string{"https://garden.example/back"}, ""
	got, err := k.Edit(t.Context(), k.ann, a.ID, in)
	client := k.hydra.clients[a.ID]
	if err != nil || got.Name != "Garden" || !got.Confidential || got.PolicyURL != "" || !got.Settled {
		t.Errorf("%+v, %v", got, err)
	}
	if client.Name != "Garden" || client.Secret != secret || !slices.Equal(client.RedirectURIs, in.RedirectURIs) || !client.Confidential {
		t.Errorf("at Hydra: %+v", client)
	}
	if _, err := k.Edit(t.Context(), k.ben, a.ID, form()); problem.CodeOf(err) != problem.NotFound {
		t.Errorf("Ben changes Ann's app: %v", err)
	}
	in.RedirectURIs = []string{"http://garden.example/"}
	if _, err := k.Edit(t.Context(), k.ann, a.ID, in); problem.Fields(err)["redirect_uris"] == "" {
		t.Errorf("what no app can be: %v", err)
	}
}

func TestRotate(t *testing.T) {
	k := newDesk(t)
	a, first := k.register(form())
	k.now = k.now.Add(time.Hour)
	second, err := k.Rotate(t.Context(), k.ann, a.ID)
	if err != nil || second == first || k.hydra.clients[a.ID].Secret != second || k.only().SecretAt != k.now {
		t.Errorf("%q after %q, %v", second, first, err)
	}
	if _, err := k.Rotate(t.Context(), k.ben, a.ID); problem.CodeOf(err) != problem.NotFound {
		t.Errorf("Ben asks for the secret of Ann's app: %v", err)
	}
	public := form()
	public.Confidential = false
	b, _ := k.register(public)
	if _, err := k.Rotate(t.Context(), k.ann, b.ID); problem.CodeOf(err) != problem.Conflict {
		t.Errorf("a public app: %v", err)
	}
}

func TestDelete(t *testing.T) {
	k := newDesk(t)
	a, _ := k.register(form())
	if err := k.Delete(t.Context(), k.ben, a.ID); problem.CodeOf(err) != problem.NotFound {
		t.Errorf("Ben deletes Ann's app: %v", err)
	}
	if err := k.Delete(t.Context(), k.ann, a.ID); err != nil {
		t.Fatal(err)
	}
	if len(k.hydra.clients) != 0 || !slices.Equal(k.ended.apps, []string{a.ID}) {
		t.Errorf("at Hydra %v, ended %v", k.hydra.clients, k.ended.apps)
	}
	if all, err := k.List(t.Context(), k.ann); err != nil || len(all) != 0 {
		t.Errorf("listed: %+v, %v", all, err)
	}
	if _, err := k.Find(t.Context(), k.ann, a.ID); problem.CodeOf(err) != problem.NotFound {
		t.Errorf("found: %v", err)
	}
	if got, err := k.FindAny(t.Context(), a.ID); err != nil || !got.Deleted() || got.Name != "Flower Shop" {
		t.Errorf("for those who had allowed it something: %+v, %v", got, err)
	}
}

func TestUsed(t *testing.T) {
	k := newDesk(t)
	a, _ := k.register(form())
	first := k.now
	for _, step := range []struct {
		after time.Duration
		want  time.Time
	}{{0, first}, {59 * time.Second, first}, {2 * time.Minute, first.Add(2 * time.Minute)}} {
		k.now = first.Add(step.after)
		if err := k.Used(t.Context(), a.ID); err != nil {
			t.Fatal(err)
		}
		if got := k.only().LastUsedAt; got != step.want {
			t.Errorf("used after %s: %s, want %s", step.after, got, step.want)
		}
	}
	if err := k.Used(t.Context(), "back-office"); err != nil {
		t.Errorf("a client that is no app: %v", err)
	}
	for n := range 3 {
		if err := k.Used(t.Context(), fmt.Sprint("c", n)); err != nil {
			t.Error(err)
		}
	}
}
