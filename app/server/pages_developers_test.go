package server

import (
	"bytes"
	"encoding/json"
	"html"
	"image"
	"image/png"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"pochi/app/problem"
	"pochi/db"

	"github.com/gofiber/fiber/v2"
)

// hydraClients is Hydra's admin interface, as far as clients go.
type hydraClients struct {
	mu       sync.Mutex
	clients  map[string]map[string]any
	consents string // a list, in JSON
	down     atomic.Bool
}

func (h *hydraClients) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h.mu.Lock()
	defer h.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	id := strings.TrimPrefix(strings.TrimPrefix(r.URL.Path, "/admin/clients"), "/")
	if h.down.Load() {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	if strings.HasSuffix(r.URL.Path, "/auth/sessions/consent") {
		h.sessions(w, r)
		return
	}
	if r.Method == http.MethodPost || r.Method == http.MethodPut {
		var client map[string]any
		if err := json.NewDecoder(r.Body).Decode(&client); err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		id, _ = client["client_id"].(string)
		h.clients[id] = client
	}
	client, there := h.clients[id]
	if !there {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	switch r.Method {
	case http.MethodDelete:
		delete(h.clients, id)
		w.WriteHeader(http.StatusNoContent)
		return
	case http.MethodPost:
		w.WriteHeader(http.StatusCreated)
	}
	if err := json.NewEncoder(w).Encode(client); err != nil {
		panic(err)
	}
}

// sessions lists and takes back what was allowed.
func (h *hydraClients) sessions(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodDelete {
		h.consents = "[]"
		w.WriteHeader(http.StatusNoContent)
		return
	}
	if _, err := io.WriteString(w, h.consents); err != nil {
		panic(err)
	}
}

// developer is Ann at a wallet whose Hydra answers.
func developer(t *testing.T) (*hydraClients, *server, *browser) {
	t.Helper()
	h := &hydraClients{clients: map[string]map[string]any{}, consents: "[]"}
	admin := httptest.NewServer(h)
	t.Cleanup(admin.Close)
	s := newWallet(t, "POCHI_HYDRA_ADMIN_URL", admin.URL)
	return h, s, signUp(t, s, "ann", "USD")
}

var developerLink = regexp.MustCompile(`/developers/apps/([0-9a-f-]{36})`)

// register registers an app, and returns the path of its page and its secret.
func (b *browser) register(fields ...string) (path, secret string) {
	b.t.Helper()
	form := append([]string{"name", "Flower Shop", "kind", "confidential", "redirect_uris", "https://shop.example/back\r\nhttps://shop.example/2"}, fields...)
	answer := b.post("/developers/apps", form...).expect(b.t, "register", http.StatusOK, "Flower Shop is registered", "isn't shown again")
	copied := regexp.MustCompile(`data-copy="([A-Z2-7]{26,})"`).FindStringSubmatch(answer.Body)
	if copied == nil || answer.Header.Get("Cache-Control") != "no-store" {
		b.t.Fatalf("no secret, or a kept one: %s", answer.Header.Get("Cache-Control"))
	}
	return developerLink.FindString(answer.Body), copied[1]
}

func TestRegisterAnApp(t *testing.T) {
	h, _, ann := developer(t)
	ann.get("/developers").expect(t, "no app", http.StatusOK, "No app yet", "/.well-known/openid-configuration")
	ann.get("/developers/apps/new").expect(t, "the form", http.StatusOK, "Where its code runs")
	path, secret := ann.register("policy_url", "https://shop.example/policy")
	client := h.clients[strings.TrimPrefix(path, "/developers/apps/")]
	if client["client_name"] != "Flower Shop" || client["client_secret"] != secret {
		t.Errorf("at Hydra: %v", client)
	}
	page := ann.get(path).expect(t, "its page", http.StatusOK, "Confidential", "https://shop.example<wbr>/back", "https://shop.example<wbr>/policy", "agreements:propose", "No agreements")
	if strings.Contains(page.Body, secret) {
		t.Error("the secret is told twice")
	}
	ann.get("/developers").expect(t, "the list", http.StatusOK, "Flower Shop", path)
	got := ann.post("/developers/apps", "name", "Tips", "kind", "public", "redirect_uris", "com.example.tips:/back").expect(t, "a public app", http.StatusSeeOther)
	if page := ann.get(got.Location).expect(t, "the public app", http.StatusOK, "The app is registered.", "Public"); strings.Contains(page.Body, "New secret") {
		t.Error("a public app can get a secret")
	}
	ann.get(got.Location+"/secret").expect(t, "its secret", http.StatusNotFound)
}

func TestAppsThatCannotBe(t *testing.T) {
	_, _, ann := developer(t)
	good := map[string]string{"name": "Shop", "kind": "confidential", "redirect_uris": "https://shop.example/", "policy_url": "", "terms_url": ""}
	for field, wrong := range map[string]string{
		"name": "Pochi", "kind": "both", "redirect_uris": "https://shop.example/#x", "policy_url": "http://shop.example/", "terms_url": "javascript:alert(1)",
	} {
		form := []string{}
		for name, value := range good {
			if name == field {
				value = wrong
			}
			form = append(form, name, value)
		}
		ann.post("/developers/apps", form...).expect(t, field, http.StatusUnprocessableEntity, "error-summary", `href="#field-`+field+`"`)
	}
	if page := ann.get("/developers"); developerLink.MatchString(page.Body) {
		t.Error("something was registered")
	}
}

func TestChangeAnApp(t *testing.T) {
	h, s, ann := developer(t)
	path, _ := ann.register()
	ann.get(path+"/edit").expect(t, "the form", http.StatusOK, "https://shop.example/back\nhttps://shop.example/2</textarea>")
	ann.post(path, "name", "Garden", "redirect_uris", "https://garden.example/").expect(t, "change", http.StatusSeeOther)
	ann.get(path).expect(t, "changed", http.StatusOK, "The app is changed.", "Garden", "https://garden.example")
	if client := h.clients[strings.TrimPrefix(path, "/developers/apps/")]; client["client_name"] != "Garden" {
		t.Errorf("at Hydra: %v", client)
	}
	ann.post(path, "name", "Garden", "redirect_uris", "garden.example").expect(t, "a bad change", http.StatusUnprocessableEntity, ">garden.example</textarea>")
	ben := signUp(t, s, "ben", "USD")
	for _, below := range []string{"", "/edit", "/secret", "/delete"} {
		ben.get(path+below).expect(t, "Ben at "+below, http.StatusNotFound)
	}
	for _, below := range []string{"", "/secret", "/delete", "/logo/remove"} {
		ben.post(path+below, "name", "Mine", "redirect_uris", "https://evil.example/").expect(t, "Ben's "+below, http.StatusNotFound)
	}
	ben.upload(path+"/logo", logoFile(t)).expect(t, "Ben's logo", http.StatusNotFound)
}

func TestNewSecret(t *testing.T) {
	h, _, ann := developer(t)
	path, first := ann.register()
	ann.get(path+"/secret").expect(t, "asked", http.StatusOK, "is refused from then on", "Agreements stay as they are")
	answer := ann.post(path+"/secret").expect(t, "make it", http.StatusOK, "The new secret", "isn't shown again")
	now, _ := h.clients[strings.TrimPrefix(path, "/developers/apps/")]["client_secret"].(string)
	if now == first || now == "" || !strings.Contains(answer.Body, now) {
		t.Errorf("the secret is %q, was %q", now, first)
	}
}

func TestDeleteAnApp(t *testing.T) {
	h, s, ann := developer(t)
	path, _ := ann.register()
	ann.get(path+"/delete").expect(t, "asked", http.StatusOK, "It has no agreements", "Its tokens stop working", "can&#39;t be taken back")
	ann.post(path+"/delete").expect(t, "delete", http.StatusSeeOther)
	ann.get("/developers").expect(t, "the list", http.StatusOK, "The app is deleted.", "No app yet")
	ann.get(path).expect(t, "its page", http.StatusNotFound)
	if len(h.clients) != 0 {
		t.Errorf("at Hydra: %v", h.clients)
	}
	if err := s.apps.Registered(t.Context(), strings.TrimPrefix(path, "/developers/apps/")); problem.CodeOf(err) != problem.Gone {
		t.Errorf("the token hook is told %v", err)
	}
}

// While Hydra doesn't answer, what was asked for is on the page with what is left
// to be done, and is done later.
func TestAppsWhileHydraIsDown(t *testing.T) {
	h, s, ann := developer(t)
	h.down.Store(true)
	got := ann.post("/developers/apps", "name", "Flower Shop", "kind", "confidential", "redirect_uris", "https://shop.example/").expect(t, "register", http.StatusSeeOther)
	path := got.Location
	ann.get(path).expect(t, "registered", http.StatusOK, "doesn't answer", "Being changed")
	ann.post(path+"/secret").expect(t, "a secret", http.StatusServiceUnavailable)
	h.down.Store(false)
	if err := s.apps.Settle(t.Context()); err != nil {
		t.Fatal(err)
	}
	if page := ann.get(path).expect(t, "settled", http.StatusOK); strings.Contains(page.Body, "Being changed") {
		t.Error("it is never settled")
	}
	ann.post(path+"/secret").expect(t, "a secret", http.StatusOK, "The new secret")
	h.down.Store(true)
	ann.post(path+"/delete").expect(t, "delete", http.StatusSeeOther)
	ann.get("/developers").expect(t, "the list", http.StatusOK, "Being deleted")
	if page := ann.get(path).expect(t, "being deleted", http.StatusOK, "The app is deleted: its agreements have ended."); strings.Contains(page.Body, path+"/edit") {
		t.Error("a deleted app can be changed")
	}
	h.down.Store(false)
	if err := s.apps.Settle(t.Context()); err != nil || len(h.clients) != 0 {
		t.Errorf("%v, at Hydra %v", err, h.clients)
	}
	ann.get("/developers").expect(t, "the list", http.StatusOK, "No app yet")
}

// People whose agreements end because the app is deleted see why.
func TestAgreementsOfADeletedApp(t *testing.T) {
	_, s, ann := developer(t)
	path, _ := ann.register()
	id := ann.allow(1200, nil)
	client := strings.TrimPrefix(path, "/developers/apps/")
	move(t, s, id.String(), client)
	ann.get(path).expect(t, "its page", http.StatusOK, "1 agreement")
	ann.get(path+"/delete").expect(t, "asked", http.StatusOK, "Its one agreement ends at once")
	ann.post(path+"/delete").expect(t, "delete", http.StatusSeeOther)
	ann.get("/agreements/"+id.String()).expect(t, "the agreement", http.StatusOK, "It ended. The app was deleted.", "Ended")
}

// upload sends a form with a file.
func (b *browser) upload(path string, file []byte) answer {
	b.t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	if err := form.WriteField("csrf_token", html.UnescapeString(b.token)); err != nil {
		b.t.Fatal(err)
	}
	part, err := form.CreateFormFile("logo", "logo.png")
	if err == nil {
		_, err = part.Write(file)
	}
	if err == nil {
		err = form.Close()
	}
	if err != nil {
		b.t.Fatal(err)
	}
	r := httptest.NewRequest(http.MethodPost, path, &body)
	r.Header.Set(fiber.HeaderContentType, form.FormDataContentType())
	r.Header.Set(fiber.HeaderOrigin, b.origin)
	return b.do(r)
}

func logoFile(t *testing.T) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := png.Encode(&out, image.NewNRGBA(image.Rect(0, 0, 300, 200))); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestUploadALogo(t *testing.T) {
	_, s, ann := developer(t)
	path, _ := ann.register()
	ann.get(path)
	ann.upload(path+"/logo", logoFile(t)).expect(t, "upload", http.StatusSeeOther)
	page := ann.get(path).expect(t, "its page", http.StatusOK, "The app has its new logo.", `<img class="logo"`)
	source := html.UnescapeString(regexp.MustCompile(`src="(/apps/[^"]+)"`).FindStringSubmatch(page.Body)[1])
	for _, b := range []*browser{ann, newBrowser(t, s)} {
		logo := b.get(source).expect(t, "the logo", http.StatusOK)
		for header, want := range map[string]string{
			"Content-Type": "image/png", "X-Content-Type-Options": "nosniff", "Cache-Control": "public, max-age=31536000, immutable",
			"Cross-Origin-Resource-Policy": "same-origin",
		} {
			if got := logo.Header.Get(header); got != want {
				t.Errorf("%s: %q, want %q", header, got, want)
			}
		}
		if size, err := png.DecodeConfig(strings.NewReader(logo.Body)); err != nil || size.Width != 256 || size.Height != 256 {
			t.Errorf("%v, %v", size, err)
		}
	}
	ann.get(path)
	ann.upload(path+"/logo", []byte("<svg/>")).expect(t, "an SVG", http.StatusUnprocessableEntity, "error-summary", "Choose a PNG, JPEG, WebP or GIF picture.")
	ann.upload(path+"/logo", make([]byte, 300<<10)).expect(t, "a large file", http.StatusUnprocessableEntity, "larger than 256 kB")
	ann.post(path+"/logo/remove").expect(t, "remove", http.StatusSeeOther)
	ann.get(strings.Split(source, "?")[0]).expect(t, "no logo", http.StatusNotFound)
}

// Only the one form takes a file, and only from the wallet's own pages.
func TestUploadsElsewhere(t *testing.T) {
	_, s, ann := developer(t)
	path, _ := ann.register()
	ann.get(path)
	for _, other := range []string{"/developers/apps", path, "/accounts", "/login"} {
		ann.upload(other, logoFile(t)).expect(t, other, http.StatusUnsupportedMediaType)
	}
	evil := *ann
	evil.origin = "https://evil.example"
	evil.upload(path+"/logo", logoFile(t)).expect(t, "from another site", http.StatusForbidden)
	evil = *ann
	evil.token = "guessed"
	evil.upload(path+"/logo", logoFile(t)).expect(t, "without the token", http.StatusForbidden)
	stranger := newBrowser(t, s)
	stranger.get("/login")
	stranger.upload(path+"/logo", logoFile(t)).expect(t, "logged out", http.StatusForbidden)
}

// move makes an agreement that of another app.
func move(t *testing.T, s *server, agreement, client string) {
	t.Helper()
	err := s.db.Write(t.Context(), func(tx db.Tx) error {
		_, err := tx.ExecContext(t.Context(), "UPDATE agreements SET client_id = ? WHERE lower(hex(id)) = ?", client, strings.ReplaceAll(agreement, "-", ""))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// What an app was allowed besides agreements is listed and taken back, with its
// agreements.
func TestConnectedApps(t *testing.T) {
	h, _, ann := developer(t)
	ann.get("/agreements/connected").expect(t, "none", http.StatusOK, "No app is connected")
	h.consents = `[{"consent_request": {"challenge": "c", "client": {"client_id": "` + flowerShop + `", "client_name": "Flower Shop"}},
		"grant_scope": ["openid", "accounts:read", "offline_access"], "handled_at": "2026-11-01T10:00:00Z"}]`
	path := "/agreements/connected/" + flowerShop
	page := ann.get(path).expect(t, "asked without an agreement", http.StatusOK, "Disconnect")
	if strings.Contains(page.Body, "Agreements") {
		t.Error("it tells of agreements, and there is none")
	}
	agreement := "/agreements/" + ann.allow(1200, nil).String()
	ann.get("/agreements").expect(t, "the way there", http.StatusOK, `href="/agreements/connected"`)
	ann.get("/agreements/connected").expect(t, "the list", http.StatusOK, "Flower Shop", "See your accounts and what is in them.", "Keep this access", "1 November 2026 UTC")
	ann.get(path).expect(t, "asked", http.StatusOK, "Disconnect", "Agreements that you have with it end, too")
	ann.get("/agreements/connected/another").expect(t, "another app", http.StatusNotFound)
	h.down.Store(true)
	ann.get("/agreements/connected").expect(t, "while Hydra is down", http.StatusServiceUnavailable, "doesn&#39;t answer")
	h.down.Store(false)
	ann.get("/agreements/connected")
	ann.post(path).expect(t, "disconnect", http.StatusSeeOther)
	if h.consents != "[]" {
		t.Error("Hydra still has it")
	}
	ann.get("/agreements/connected").expect(t, "afterwards", http.StatusOK, "The app is disconnected.", "No app is connected")
	ann.get(agreement).expect(t, "the agreement", http.StatusOK, "You revoked it.")
}
