package views_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"pochi/static"
	"pochi/views"
)

// TestGallery renders every page in each of its states and checks what holds for
// all of them. With GALLERY_DIR it leaves them there, to be looked at.
func TestGallery(t *testing.T) {
	dir := os.Getenv("GALLERY_DIR")
	if dir != "" {
		writeAssets(t, dir)
	}
	seen := make(map[string]bool)
	for _, scene := range scenes() {
		if seen[scene.name] {
			t.Fatalf("two scenes are called %s", scene.name)
		}
		seen[scene.name] = true
		t.Run(scene.name, func(t *testing.T) {
			var page bytes.Buffer
			if err := scene.page.Render(context.Background(), &page); err != nil {
				t.Fatal(err)
			}
			checkTags(t, page.String())
			doc, err := html.Parse(bytes.NewReader(page.Bytes()))
			if err != nil {
				t.Fatal(err)
			}
			checkFrame(t, doc)
			checkForms(t, doc)
			checkPolicy(t, doc)
			shown := visibleText(doc)
			for _, amount := range scene.amount {
				if !strings.Contains(shown, amount) {
					t.Errorf("%q is not shown", amount)
				}
			}
			if dir != "" {
				writeFile(t, filepath.Join(dir, scene.name+".html"), page.Bytes())
			}
		})
	}
}

// voids are the elements that have no end tag.
var voids = []string{"meta", "link", "input", "br", "hr", "img"}

// checkTags checks that each start tag has its end tag, in order, which the
// forgiving parser would not tell.
func checkTags(t *testing.T, page string) {
	t.Helper()
	var open []string
	tokens := html.NewTokenizer(strings.NewReader(page))
	for {
		switch tokens.Next() {
		case html.ErrorToken:
			if len(open) > 0 {
				t.Errorf("not closed: %v", open)
			}
			return
		case html.StartTagToken:
			name, _ := tokens.TagName()
			if !slices.Contains(voids, string(name)) {
				open = append(open, string(name))
			}
		case html.EndTagToken:
			name, _ := tokens.TagName()
			if len(open) == 0 || open[len(open)-1] != string(name) {
				t.Fatalf("</%s> closes %v", name, open)
			}
			open = open[:len(open)-1]
		}
	}
}

// checkFrame checks language, title, headings, landmarks and ids.
func checkFrame(t *testing.T, doc *html.Node) {
	t.Helper()
	for name, want := range map[string]int{"h1": 1, "main": 1, "title": 1} {
		if got := len(elements(doc, name)); got != want {
			t.Errorf("%d <%s>, want %d", got, name, want)
		}
	}
	if lang := attr(elements(doc, "html")[0], "lang"); lang != "en" {
		t.Errorf("lang %q", lang)
	}
	if title := text(elements(doc, "title")[0]); !strings.HasSuffix(title, "Pochi") {
		t.Errorf("title %q", title)
	}
	ids := make(map[string]bool)
	for _, node := range elements(doc, "") {
		id := attr(node, "id")
		if id != "" && ids[id] {
			t.Errorf("id %q twice", id)
		}
		ids[id] = true
	}
	for _, node := range elements(doc, "") {
		references := strings.Fields(attr(node, "aria-describedby") + " " + attr(node, "aria-labelledby") + " " + attr(node, "for"))
		if href := attr(node, "href"); strings.HasPrefix(href, "#") {
			references = append(references, href[1:])
		}
		for _, id := range references {
			if !ids[id] {
				t.Errorf("<%s> refers to #%s, which isn't there", node.Data, id)
			}
		}
	}
}

// checkForms checks that forms carry the token and that each control has a name
// for people.
func checkForms(t *testing.T, doc *html.Node) {
	t.Helper()
	for _, form := range elements(doc, "form") {
		if attr(form, "method") != "post" || attr(form, "action") == "" {
			t.Errorf("form %q posts nowhere", attr(form, "action"))
		}
		tokens := 0
		for _, input := range elements(form, "input") {
			if attr(input, "name") == "csrf_token" && attr(input, "value") == "token" {
				tokens++
			}
		}
		if tokens != 1 {
			t.Errorf("form %q: %d csrf tokens", attr(form, "action"), tokens)
		}
	}
	labelled := make(map[string]bool)
	for _, label := range elements(doc, "label") {
		labelled[attr(label, "for")] = true
		for _, input := range elements(label, "input") {
			labelled[attr(input, "name")+"="+attr(input, "value")] = true
		}
	}
	for _, input := range append(elements(doc, "input"), elements(doc, "select")...) {
		if attr(input, "type") == "hidden" || labelled[attr(input, "id")] || labelled[attr(input, "name")+"="+attr(input, "value")] {
			continue
		}
		t.Errorf("control %q has no label", attr(input, "name"))
	}
	for _, node := range append(elements(doc, "button"), elements(doc, "a")...) {
		if strings.TrimSpace(text(node)) == "" && attr(node, "aria-label") == "" {
			t.Errorf("<%s> without words", node.Data)
		}
	}
}

// checkPolicy checks that the page needs no inline script or style and loads
// only files that exist.
func checkPolicy(t *testing.T, doc *html.Node) {
	t.Helper()
	assets := newAssets(t)
	for _, node := range elements(doc, "") {
		if node.Data == "style" || node.Data == "script" && (attr(node, "src") == "" || node.FirstChild != nil) {
			t.Errorf("inline <%s>", node.Data)
		}
		for _, a := range node.Attr {
			if a.Key == "style" || strings.HasPrefix(a.Key, "on") || strings.HasPrefix(a.Key, "hx-on") || strings.HasPrefix(a.Val, "javascript:") {
				t.Errorf("<%s %s=%q>", node.Data, a.Key, a.Val)
			}
			name, isAsset := strings.CutPrefix(a.Val, "static/")
			if _, ok := assets.File(name); isAsset && !ok {
				t.Errorf("<%s> loads %s, which isn't there", node.Data, name)
			}
		}
	}
}

// TestErrorsBesideFields checks how a refused form says so, in words and to
// assistive technology, and that it keeps what was typed but the password.
func TestErrorsBesideFields(t *testing.T) {
	form := views.SignupForm{
		Host: "localhost:3000", Name: "Ann <3", Email: "ann@", Currencies: currencies, Currency: "KES",
		Errors: views.Errors{"email": "Not an address.", "password": "Too short."},
	}
	var page bytes.Buffer
	if err := views.Signup(nobody("Sign up"), form).Render(context.Background(), &page); err != nil {
		t.Fatal(err)
	}
	doc, err := html.Parse(&page)
	if err != nil {
		t.Fatal(err)
	}
	if title := text(elements(doc, "title")[0]); title != "Error: Sign up · Pochi" {
		t.Errorf("title %q", title)
	}
	inputs := make(map[string]*html.Node)
	for _, input := range elements(doc, "input") {
		inputs[attr(input, "name")] = input
	}
	email := inputs["email"]
	if attr(email, "aria-invalid") != "true" || attr(email, "aria-describedby") != "field-email-error" || attr(email, "value") != "ann@" {
		t.Errorf("e-mail input: %v", email.Attr)
	}
	if name := inputs["name"]; attr(name, "aria-invalid") != "" || attr(name, "value") != "Ann <3" {
		t.Errorf("name input: %v", name.Attr)
	}
	if password := inputs["password"]; attr(password, "value") != "" || attr(password, "aria-describedby") != "field-password-hint field-password-error" {
		t.Errorf("password input: %v", password.Attr)
	}
	for _, option := range elements(doc, "option") {
		if _, selected := find(option, "selected"); selected != (attr(option, "value") == "KES") {
			t.Errorf("option %s selected: %t", attr(option, "value"), selected)
		}
	}
	if shown := visibleText(doc); strings.Index(shown, "Not an address.") > strings.Index(shown, "Too short.") {
		t.Error("the summary is not in the order of the form")
	}
}

// TestPayeeHint checks the fragment that the send form asks for.
func TestPayeeHint(t *testing.T) {
	for name, test := range map[string]struct {
		payee views.Payee
		want  string
	}{
		"nothing yet": {views.Payee{}, ""},
		"resolved":    {views.Payee{Name: "Ben", Currency: "EUR"}, "B Ben gets EUR"},
		"problem":     {views.Payee{Problem: "Nobody is paid there."}, "Nobody is paid there."},
	} {
		t.Run(name, func(t *testing.T) {
			var fragment bytes.Buffer
			if err := views.PayeeHint(test.payee).Render(context.Background(), &fragment); err != nil {
				t.Fatal(err)
			}
			doc, err := html.Parse(&fragment)
			if err != nil {
				t.Fatal(err)
			}
			if got := visibleText(doc); got != test.want {
				t.Errorf("%q, want %q", got, test.want)
			}
		})
	}
}

// TestPaymentPolls checks that the page of a payment asks for itself while it is
// being sent, with and without JavaScript, and stops afterwards.
func TestPaymentPolls(t *testing.T) {
	for _, state := range []views.PaymentState{views.PaymentSending, views.PaymentCompleted, views.PaymentPartly, views.PaymentFailed} {
		var page bytes.Buffer
		if err := views.Payment(ann("Payment", views.NavNone), payment(state)).Render(context.Background(), &page); err != nil {
			t.Fatal(err)
		}
		polls := strings.Contains(page.String(), `hx-trigger="every 2s"`)
		refreshes := strings.Contains(page.String(), `http-equiv="refresh"`)
		if want := state == views.PaymentSending; polls != want || refreshes != want {
			t.Errorf("%s: polls %t, refreshes %t", state, polls, refreshes)
		}
	}
}

// elements are the elements of that name below root, of any name for "".
func elements(root *html.Node, name string) []*html.Node {
	var found []*html.Node
	for node := range root.Descendants() {
		if node.Type == html.ElementNode && (name == "" || node.Data == name) {
			found = append(found, node)
		}
	}
	return found
}

func find(node *html.Node, key string) (string, bool) {
	for _, a := range node.Attr {
		if a.Key == key {
			return a.Val, true
		}
	}
	return "", false
}

func attr(node *html.Node, key string) string {
	value, _ := find(node, key)
	return value
}

// text is all text below a node.
func text(node *html.Node) string {
	var all strings.Builder
	for child := range node.Descendants() {
		if child.Type == html.TextNode {
			all.WriteString(child.Data)
		}
	}
	return all.String()
}

var spaces = regexp.MustCompile(`\s+`)

// visibleText is the text of the body with each run of white space as one space.
func visibleText(doc *html.Node) string {
	return strings.TrimSpace(spaces.ReplaceAllString(text(elements(doc, "body")[0]), " "))
}

func newAssets(t *testing.T) *static.Assets {
	t.Helper()
	assets, err := static.New()
	if err != nil {
		t.Fatal(err)
	}
	return assets
}

func writeAssets(t *testing.T, dir string) {
	t.Helper()
	assets := newAssets(t)
	for _, name := range assets.Names() {
		file, _ := assets.File(name)
		writeFile(t, filepath.Join(dir, "static", name), file.Body)
	}
}

func writeFile(t *testing.T, name string, body []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, body, 0o644); err != nil {
		t.Fatal(err)
	}
}
