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
	"time"

	"github.com/a-h/templ"
	"github.com/google/go-cmp/cmp"
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
			checkSummary(t, doc)
			checkPolicy(t, doc)
			checkNesting(t, doc)
			checkTimes(t, doc)
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
var voids = []string{"meta", "link", "input", "br", "hr", "img", "wbr"}

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

// checkSummary checks that an error summary names each field that it links to,
// as the form does.
func checkSummary(t *testing.T, doc *html.Node) {
	t.Helper()
	labels := make(map[string]string)
	for _, label := range elements(doc, "label") {
		labels[attr(label, "for")] = strings.TrimSpace(label.FirstChild.Data) // without "(optional)"
	}
	for _, group := range elements(doc, "fieldset") {
		for _, input := range elements(group, "input") {
			labels[attr(input, "id")] = text(elements(group, "legend")[0])
		}
	}
	for _, link := range elements(doc, "a") {
		id, ok := strings.CutPrefix(attr(link, "href"), "#field-")
		if label := labels["field-"+id]; ok && !strings.HasPrefix(text(link), label+": ") {
			t.Errorf("the summary says %q of the field %q", text(link), label)
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

// blocks are elements that no phrase may hold.
var blocks = []string{"h1", "h2", "h3", "p", "div", "ul", "li", "dl", "form", "section", "article"}

// checkNesting checks that phrases hold phrases only, which the parser would not
// tell for all of them.
func checkNesting(t *testing.T, doc *html.Node) {
	t.Helper()
	for _, phrase := range []string{"span", "b", "code", "label", "time", "p", "h1", "h2", "h3", "button"} {
		for _, node := range elements(doc, phrase) {
			for _, inner := range elements(node, "") {
				if slices.Contains(blocks, inner.Data) {
					t.Errorf("<%s> in <%s>: %s", inner.Data, phrase, text(inner))
				}
			}
		}
	}
}

// checkTimes checks that times say that they are in UTC, and that times.js finds
// what it needs to show them in the browser's zone.
func checkTimes(t *testing.T, doc *html.Node) {
	t.Helper()
	for _, node := range elements(doc, "time") {
		if !strings.HasSuffix(text(node), " UTC") {
			t.Errorf("time %q doesn't say that it is UTC", text(node))
		}
		if _, err := time.Parse(time.RFC3339, attr(node, "datetime")); err != nil {
			t.Error(err)
		}
		if as := attr(node, "data-as"); !slices.Contains([]string{"clock", "seconds", "moment", "minute", "day"}, as) {
			t.Errorf("times.js doesn't know data-as=%q", as)
		}
	}
	for _, list := range elements(doc, "ul") {
		if !strings.Contains(attr(list, "class"), "history") {
			continue
		}
		for i, item := range elements(list, "li") {
			labels := elements(item, "h3")
			if len(labels) != 1 || len(elements(item, "time")) != 1 {
				t.Fatalf("movement %d has %d days", i, len(labels))
			}
			if _, hidden := find(labels[0], "hidden"); i == 0 && hidden {
				t.Error("the first day has no heading")
			}
		}
	}
}

// TestPasswordManagers checks that what they keep at sign-up is what log-in asks
// for: the e-mail, not the pointer, is the name that goes with the password.
func TestPasswordManagers(t *testing.T) {
	usernames := func(page templ.Component) (names []string) {
		var rendered bytes.Buffer
		if err := page.Render(context.Background(), &rendered); err != nil {
			t.Fatal(err)
		}
		doc, err := html.Parse(&rendered)
		if err != nil {
			t.Fatal(err)
		}
		for _, input := range elements(doc, "input") {
			if attr(input, "autocomplete") == "username" {
				names = append(names, attr(input, "name")+" "+attr(input, "type"))
			}
		}
		return names
	}
	signup := usernames(views.Signup(nobody("Sign up"), views.SignupForm{Host: "localhost:3000", Currencies: currencies}))
	login := usernames(views.Login(nobody("Log in"), views.LoginForm{}))
	if diff := cmp.Diff(login, signup); diff != "" || !slices.Equal(login, []string{"email email"}) {
		t.Errorf("log-in asks for %v, sign-up keeps %v", login, signup)
	}
}

// TestErrorSummary checks that only a list of fields is headed as one.
func TestErrorSummary(t *testing.T) {
	for _, test := range []struct {
		errors         views.Errors
		headings, list int
	}{
		{views.Errors{"": "That was tried too often."}, 0, 0},
		{views.Errors{"email": "Not an address."}, 1, 1},
		{views.Errors{"": "It is late.", "email": "Not an address."}, 1, 2},
		{views.Errors{"elsewhere": "It is late.", "email": "Not an address."}, 1, 2},
	} {
		var page bytes.Buffer
		if err := views.Login(nobody("Log in"), views.LoginForm{Errors: test.errors}).Render(context.Background(), &page); err != nil {
			t.Fatal(err)
		}
		doc, err := html.Parse(&page)
		if err != nil {
			t.Fatal(err)
		}
		for _, node := range elements(doc, "div") {
			if attr(node, "role") != "alert" {
				continue
			}
			if headings, list := len(elements(node, "h2")), len(elements(node, "li")); headings != test.headings || list != test.list {
				t.Errorf("%v: %d headings, %d lines", test.errors, headings, list)
			}
			for _, message := range test.errors {
				if !strings.Contains(text(node), message) {
					t.Errorf("%q is not shown", message)
				}
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
		"elsewhere":   {views.Payee{Elsewhere: true}, "Another wallet. It is checked when you continue."},
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

// TestPayeeWithoutName checks that a pointer that stands for a name, too, isn't
// said twice.
func TestPayeeWithoutName(t *testing.T) {
	const pointer = "$elsewhere.example/ben"
	quoted, sent := quote(), payment(views.PaymentCompleted)
	quoted.Payee, quoted.Pointer = pointer, pointer
	sent.Who, sent.Pointer = pointer, pointer
	for name, page := range map[string]templ.Component{
		"quote":   views.Quote(ann("Confirm payment", views.NavSend), quoted),
		"payment": views.Payment(ann("Payment", views.NavNone), sent),
	} {
		var rendered bytes.Buffer
		if err := page.Render(context.Background(), &rendered); err != nil {
			t.Fatal(err)
		}
		doc, err := html.Parse(&rendered)
		if err != nil {
			t.Fatal(err)
		}
		for _, fact := range elements(doc, "dd") {
			if strings.Count(text(fact), pointer) > 1 {
				t.Errorf("%s: a fact is %q", name, text(fact))
			}
		}
	}
}

// TestPaymentPolls checks that the page of a payment asks for itself while it is
// being sent, with and without JavaScript, and stops afterwards.
func TestPaymentPolls(t *testing.T) {
	for _, state := range []views.PaymentState{
		views.PaymentSending, views.PaymentCompleted, views.PaymentPartly, views.PaymentFailed, views.PaymentChecking, views.PaymentReview,
	} {
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
	for _, name := range []string{
		"app.css", "developers.css", "theme.js", "times.js", "app.js", "vendor/htmx.min.js", "icons/favicon.ico", "icons/pochi.svg",
	} {
		file, ok := assets.File(name)
		if !ok {
			t.Fatalf("no %s", name)
		}
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
