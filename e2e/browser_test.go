package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/playwright-community/playwright-go"
)

const (
	actionMaxMS = 10_000 // until an element is there and can be used
	narrowestPX = 320    // every page fits
	narrowPX    = 390
	widePX      = 1280
	heightPX    = 900
)

// browser is a Chromium without a window.
type browser struct {
	t        *testing.T
	chromium playwright.Browser
}

// startBrowser starts the system's Chromium, which ends with the test.
func startBrowser(t *testing.T) *browser {
	t.Helper()
	node, err := exec.LookPath("node")
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("PLAYWRIGHT_NODEJS_PATH", node)
	driver, err := filepath.Abs("node_modules") // its package/ is playwright-core
	if err != nil {
		t.Fatal(err)
	}
	pw, err := playwright.Run(&playwright.RunOptions{DriverDirectory: driver, SkipInstallBrowsers: true})
	if err != nil {
		t.Fatalf("start the driver (make test fetches it): %v", err)
	}
	t.Cleanup(func() {
		if err := pw.Stop(); err != nil {
			t.Errorf("stop the driver: %v", err)
		}
	})
	chromium, err := pw.Chromium.Launch(playwright.BrowserTypeLaunchOptions{
		ExecutablePath:  playwright.String(findChromium(t)),
		ChromiumSandbox: playwright.Bool(os.Geteuid() != 0), // Chromium refuses to sandbox itself as root
		Args: []string{ // a browser that calls nobody but the pages under test
			"--disable-gpu", "--disable-quic", "--no-first-run",
			"--disable-background-networking", "--disable-component-update", "--disable-sync",
		},
	})
	if err != nil {
		t.Fatalf("start Chromium: %v", err)
	}
	t.Cleanup(func() {
		if err := chromium.Close(); err != nil {
			t.Errorf("close Chromium: %v", err)
		}
	})
	return &browser{t: t, chromium: chromium}
}

// findChromium is the path of POCHI_CHROMIUM or of the system's Chromium or Chrome.
func findChromium(t *testing.T) string {
	t.Helper()
	for _, name := range []string{os.Getenv("POCHI_CHROMIUM"), "chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	t.Fatal("no Chromium found: make test installs it, or name it in POCHI_CHROMIUM")
	return ""
}

// tab is one browser window with cookies of its own. Every page that it shows is checked: its headers, its scripts'
// errors, its content security policy.
type tab struct {
	t       *testing.T
	base    string
	context playwright.BrowserContext
	page    playwright.Page
}

// newTab opens a window on the pages below base.
func (b *browser) newTab(base string, scripts bool) *tab {
	b.t.Helper()
	return b.newTabIn("UTC", base, scripts)
}

// newTabIn opens a window in a time zone.
func (b *browser) newTabIn(zone, base string, scripts bool) *tab {
	b.t.Helper()
	context, err := b.chromium.NewContext(playwright.BrowserNewContextOptions{
		BaseURL:           playwright.String(base),
		JavaScriptEnabled: playwright.Bool(scripts),
		Locale:            playwright.String("en-GB"),
		TimezoneId:        playwright.String(zone),
		ReducedMotion:     playwright.ReducedMotionReduce,
		Viewport:          &playwright.Size{Width: widePX, Height: heightPX},
	})
	if err != nil {
		b.t.Fatalf("open a window: %v", err)
	}
	context.SetDefaultTimeout(actionMaxMS)
	tab := &tab{t: b.t, base: base, context: context}
	context.OnResponse(tab.checkResponse)
	context.OnConsole(tab.checkConsole)
	context.OnWebError(func(e playwright.WebError) { b.t.Errorf("script on %s: %v", e.Page().URL(), e.Error()) })
	if tab.page, err = context.NewPage(); err != nil {
		b.t.Fatalf("open a window: %v", err)
	}
	return tab
}

// checkResponse holds every page of the wallet to what no page may lack: no frames, no failure of the server.
func (tab *tab) checkResponse(response playwright.Response) {
	url := response.URL()
	if !strings.HasPrefix(url, tab.base+"/") || response.Request().ResourceType() != "document" {
		return
	}
	policy := response.Headers()["content-security-policy"]
	redirect := response.Status() >= 300 && response.Status() < 400
	if !redirect && !strings.Contains(policy, "frame-ancestors 'none'") {
		tab.t.Errorf("%s may be framed: content-security-policy is %q", url, policy)
	}
	if response.Status() >= 500 && response.Status() != 503 {
		tab.t.Errorf("%s answered %d", url, response.Status())
	}
}

// checkConsole fails on what Chromium complains of, but for answers of the 400s: forms come back with those.
func (tab *tab) checkConsole(message playwright.ConsoleMessage) {
	if message.Type() == "error" && !strings.HasPrefix(message.Text(), "Failed to load resource") {
		tab.t.Errorf("console on %s: %s", tab.page.URL(), message.Text())
	}
}

// open goes to a path of the wallet or to a URL.
func (tab *tab) open(path string) {
	tab.t.Helper()
	if _, err := tab.page.Goto(path); err != nil {
		tab.t.Fatalf("open %s: %v", path, err)
	}
}

// fill types into the field of that name in the form that posts to action.
func (tab *tab) fill(action, name, value string) {
	tab.t.Helper()
	field := tab.form(action).Locator(fmt.Sprintf("[name=%q]", name))
	if err := field.Fill(value); err != nil {
		tab.t.Fatalf("fill %s of %s: %v", name, action, err)
	}
}

// choose picks an entry by its value, of a list or of radio buttons.
func (tab *tab) choose(action, name, value string) {
	tab.t.Helper()
	form := tab.form(action)
	list := form.Locator(fmt.Sprintf("select[name=%q]", name))
	found, err := list.Count()
	if err != nil {
		tab.t.Fatalf("choose %s of %s: %v", name, action, err)
	}
	if found > 0 {
		_, err = list.SelectOption(playwright.SelectOptionValues{Values: &[]string{value}})
	} else { // the label is what people click
		err = form.Locator(fmt.Sprintf("[name=%q][value=%q]", name, value)).
			Check(playwright.LocatorCheckOptions{Force: playwright.Bool(true)})
	}
	if err != nil {
		tab.t.Fatalf("choose %s=%s of %s: %v", name, value, action, err)
	}
}

// option is the value of the entry of a list whose label contains the text.
func (tab *tab) option(action, name, text string) string {
	tab.t.Helper()
	entry := tab.form(action).Locator(fmt.Sprintf("select[name=%q] option", name),
		playwright.LocatorLocatorOptions{HasText: text}).First()
	value, err := entry.GetAttribute("value")
	if err != nil {
		tab.t.Fatalf("find %q in %s of %s: %v", text, name, action, err)
	}
	return value
}

// submit presses the form's button.
func (tab *tab) submit(action string) {
	tab.t.Helper()
	if err := tab.button(action).Click(); err != nil {
		tab.t.Fatalf("submit %s: %v", action, err)
	}
}

// press presses the button or follows the link of that name.
func (tab *tab) press(name string) {
	tab.t.Helper()
	button := tab.page.GetByRole("button", playwright.PageGetByRoleOptions{Name: name, Exact: playwright.Bool(true)})
	link := tab.page.GetByRole("link", playwright.PageGetByRoleOptions{Name: name, Exact: playwright.Bool(true)})
	if err := button.Or(link).First().Click(); err != nil {
		tab.t.Fatalf("press %s: %v", name, err)
	}
}

// form is the form that posts to a path with that ending.
func (tab *tab) form(action string) playwright.Locator {
	return tab.page.Locator(fmt.Sprintf("form[action$=%q]", action)).First()
}

// button is the first submitting button of a form.
func (tab *tab) button(action string) playwright.Locator {
	return tab.form(action).Locator("button:not([type=button])").First()
}

// sees waits until the page's main part shows the text.
func (tab *tab) sees(text string) {
	tab.t.Helper()
	if err := expect().Locator(tab.page.Locator("main")).ToContainText(text); err != nil {
		tab.t.Fatalf("%s doesn't show %q: %v", tab.page.URL(), text, err)
	}
}

// seesNot waits until the page's main part doesn't show the text.
func (tab *tab) seesNot(text string) {
	tab.t.Helper()
	if err := expect().Locator(tab.page.Locator("main")).Not().ToContainText(text); err != nil {
		tab.t.Fatalf("%s shows %q: %v", tab.page.URL(), text, err)
	}
}

// arrives waits until the address is a path of the wallet, given as a regular expression, with any query.
func (tab *tab) arrives(path string) {
	tab.t.Helper()
	address := regexp.MustCompile("^" + regexp.QuoteMeta(tab.base) + path + `(\?.*)?$`)
	if err := expect().Page(tab.page).ToHaveURL(address); err != nil {
		tab.t.Fatalf("at %s, not at %s: %v", tab.page.URL(), path, err)
	}
	if err := tab.page.WaitForLoadState(); err != nil { // WaitForURL alone may miss that the page has loaded before
		tab.t.Fatalf("%s doesn't load: %v", tab.page.URL(), err)
	}
}

// text is what the page's main part shows now.
func (tab *tab) text() string {
	tab.t.Helper()
	text, err := tab.page.Locator("main").InnerText()
	if err != nil {
		tab.t.Fatalf("read %s: %v", tab.page.URL(), err)
	}
	return text
}

// expect makes assertions that wait until they hold.
func expect() playwright.PlaywrightAssertions {
	return playwright.NewPlaywrightAssertions(actionMaxMS)
}

// shot takes the whole page's picture narrow and wide, in light and dark, into screenshots/, and fails if the page is
// wider than the narrow windows that it must fit.
func (tab *tab) shot(name string) {
	tab.t.Helper()
	if err := os.MkdirAll("screenshots", 0o755); err != nil {
		tab.t.Fatal(err)
	}
	for _, width := range []int{narrowPX, widePX} {
		tab.resize(width, heightPX)
		tab.resize(width, max(heightPX, tab.measure("scrollHeight"))) // bars at the window's edge stay at the page's
		for _, scheme := range []*playwright.ColorScheme{playwright.ColorSchemeDark, playwright.ColorSchemeLight} {
			if err := tab.page.EmulateMedia(playwright.PageEmulateMediaOptions{ColorScheme: scheme}); err != nil {
				tab.t.Fatal(err)
			}
			path := filepath.Join("screenshots", fmt.Sprintf("%s-%d-%s.png", name, width, *scheme))
			if _, err := tab.page.Screenshot(playwright.PageScreenshotOptions{Path: playwright.String(path)}); err != nil {
				tab.t.Fatalf("take %s: %v", path, err)
			}
		}
	}
	for _, width := range []int{narrowestPX, narrowPX} {
		tab.resize(width, heightPX)
		if over := tab.measure("scrollWidth") - tab.measure("clientWidth"); over > 0 {
			tab.t.Errorf("%s is %d pixels wider than a window of %d", tab.page.URL(), over, width)
		}
	}
	tab.resize(widePX, heightPX)
}

// resize gives the window another size.
func (tab *tab) resize(width, height int) {
	tab.t.Helper()
	if err := tab.page.SetViewportSize(width, height); err != nil {
		tab.t.Fatal(err)
	}
}

// measure is a property of the page as a whole, in pixels.
func (tab *tab) measure(property string) int {
	tab.t.Helper()
	pixels, err := tab.page.Evaluate("document.documentElement." + property)
	if err != nil {
		tab.t.Fatal(err)
	}
	return pixels.(int)
}
