package static_test

import (
	"encoding/json"
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"pochi/static"
)

func newAssets(t *testing.T) *static.Assets {
	t.Helper()
	assets, err := static.New()
	if err != nil {
		t.Fatal(err)
	}
	return assets
}

func body(t *testing.T, assets *static.Assets, name string) string {
	t.Helper()
	file, ok := assets.File(name)
	if !ok {
		t.Fatalf("no %s", name)
	}
	return string(file.Body)
}

// pageFiles are what a browser loads with the first page.
var pageFiles = []string{
	"theme.js", "times.js", "app.css", "vendor/htmx.min.js", "app.js", "icons/pochi.svg", "manifest.webmanifest",
}

// TestURLs checks that the URL of a file carries its hash, which is what lets
// browsers keep the file for ever.
func TestURLs(t *testing.T) {
	assets := newAssets(t)
	for _, name := range pageFiles {
		file, ok := assets.File(name)
		if !ok || file.Name != name || file.Type == "" || len(file.Body) == 0 {
			t.Errorf("%s: %t, %q, %d bytes", name, ok, file.Type, len(file.Body))
		}
		if want := "/static/" + name + "?v=" + file.Hash; assets.URL(name) != want {
			t.Errorf("URL %s, want %s", assets.URL(name), want)
		}
		if got := file.CacheControl(file.Hash); !strings.Contains(got, "immutable") {
			t.Errorf("%s by its hash: %s", name, got)
		}
		if got := file.CacheControl("old"); got != "no-cache" {
			t.Errorf("%s by another hash: %s", name, got)
		}
	}
	if _, ok := assets.File("css/tokens.css"); ok {
		t.Error("a single layer is served")
	}
	if _, ok := assets.File("vendor/README.md"); ok {
		t.Error("a note for developers is served")
	}
	if got := assets.URL("nothing.css"); got != "/static/nothing.css" {
		t.Errorf("URL of a file that isn't there: %s", got)
	}
}

// TestStyle checks that all layers are there, in the order that the first line
// declares, and that nothing is loaded from elsewhere.
func TestStyle(t *testing.T) {
	style := body(t, newAssets(t), "app.css")
	last := strings.Index(style, "@layer reset, tokens, base, components, pages;")
	if last < 0 {
		t.Fatal("the order of layers isn't declared")
	}
	for _, layer := range []string{"reset", "tokens", "base", "components", "pages"} {
		at := strings.Index(style, "@layer "+layer+"{")
		if at < last {
			t.Errorf("layer %s at %d, after one at %d", layer, at, last)
		}
		last = at
	}
	if strings.Contains(style, "url(") || strings.Contains(style, "@import") {
		t.Error("the style sheet loads other files")
	}
	if open, closed := strings.Count(style, "{"), strings.Count(style, "}"); open != closed {
		t.Errorf("%d braces opened, %d closed", open, closed)
	}
}

// TestFirstLoad checks that a page's files leave room for the page itself in
// 100 kB, before any compression.
func TestFirstLoad(t *testing.T) {
	const limit = 85_000
	assets := newAssets(t)
	total := 0
	for _, name := range pageFiles {
		total += len(body(t, assets, name))
	}
	if total > limit {
		t.Errorf("%d bytes, want at most %d", total, limit)
	}
}

// TestManifest checks that the icons of the web manifest exist.
func TestManifest(t *testing.T) {
	assets := newAssets(t)
	var manifest struct {
		Name  string
		Icons []struct{ Src, Type string }
	}
	if err := json.Unmarshal([]byte(body(t, assets, "manifest.webmanifest")), &manifest); err != nil {
		t.Fatal(err)
	}
	if manifest.Name != "Pochi" || len(manifest.Icons) == 0 {
		t.Errorf("%+v", manifest)
	}
	for _, icon := range manifest.Icons {
		if file, ok := assets.File(icon.Src); !ok || file.Type != icon.Type {
			t.Errorf("icon %s: %t, %s", icon.Src, ok, file.Type)
		}
	}
}

// TestContrast checks the promise of tokens.css in both themes.
func TestContrast(t *testing.T) {
	themes := readColours(body(t, newAssets(t), "app.css"))
	const text, edge = 4.5, 3
	for _, pair := range []struct {
		front, ground string
		ratio         float64
	}{
		{"ink", "paper", text}, {"ink", "surface", text}, {"ink", "sunk", text},
		{"ink-soft", "paper", text}, {"ink-soft", "surface", text}, {"ink-soft", "sunk", text}, {"ink-soft", "accent-soft", text},
		{"accent", "paper", text}, {"accent", "surface", text}, {"accent", "sunk", text}, {"accent", "accent-soft", text},
		{"accent-ink", "accent", text}, {"accent-ink", "accent-hover", text},
		{"ink", "accent-soft", text}, {"ink", "bad-soft", text}, {"ink", "warn-soft", text},
		{"bad", "surface", text}, {"bad", "bad-soft", text}, {"warn", "surface", text}, {"warn", "warn-soft", text}, {"warn", "sunk", text},
		{"hero-ink", "hero", text}, {"hero-ink", "hero-glow", text}, {"hero-soft", "hero", text}, {"hero-soft", "hero-glow", text},
		{"cord", "hero", edge}, {"edge", "surface", edge}, {"edge", "paper", edge}, {"bad", "paper", edge}, {"surface", "bad", text},
	} {
		for theme, colours := range themes {
			front, ground := colours[pair.front], colours[pair.ground]
			if front == "" || ground == "" {
				t.Fatalf("%s on %s: no such token", pair.front, pair.ground)
			}
			if got := contrast(front, ground); got < pair.ratio {
				t.Errorf("%s: %s on %s: %.2f, want %.1f", theme, pair.front, pair.ground, got, pair.ratio)
			}
		}
	}
}

var (
	bothThemes = regexp.MustCompile(`--([a-z-]+):light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\);`)
	oneColour  = regexp.MustCompile(`--([a-z-]+):(#[0-9a-f]{6});`)
)

// readColours are the colour tokens by theme and name.
func readColours(style string) map[string]map[string]string {
	light, dark := make(map[string]string), make(map[string]string)
	for _, match := range bothThemes.FindAllStringSubmatch(style, -1) {
		light[match[1]], dark[match[1]] = match[2], match[3]
	}
	for _, match := range oneColour.FindAllStringSubmatch(style, -1) {
		light[match[1]], dark[match[1]] = match[2], match[2]
	}
	return map[string]map[string]string{"light": light, "dark": dark}
}

// contrast is the contrast ratio of WCAG 2.2 of two colours "#rrggbb".
func contrast(a, b string) float64 {
	lighter, darker := luminance(a), luminance(b)
	if lighter < darker {
		lighter, darker = darker, lighter
	}
	return (lighter + 0.05) / (darker + 0.05)
}

// luminance is the relative luminance of WCAG 2.2.
func luminance(colour string) float64 {
	rgb, err := strconv.ParseUint(colour[1:], 16, 32)
	if err != nil {
		return math.NaN()
	}
	linear := func(channel uint64) float64 {
		c := float64(channel&0xff) / 255
		if c <= 0.04045 {
			return c / 12.92
		}
		return math.Pow((c+0.055)/1.055, 2.4)
	}
	return 0.2126*linear(rgb>>16) + 0.7152*linear(rgb>>8) + 0.0722*linear(rgb)
}
