package views

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// htmxConfig is read by htmx from a meta element. It keeps htmx within the
// content security policy (no style of its own, requests to this host only) and
// out of the browser's history, which plain links and forms look after.
const htmxConfig = `{"includeIndicatorCSS":false,"mode":"same-origin","history":false,"defaultTimeout":10000}`

// failed is the page of a form that came back: its title says so first.
func (p Page) failed(errors Errors) Page {
	if len(errors) > 0 {
		p.Title = "Error: " + p.Title
	}
	return p
}

// forDevelopers is the page with the style sheet that others don't need.
func (p Page) forDevelopers() Page {
	p.styles = []string{"developers.css"}
	return p
}

// refreshing is the page that asks for itself again, when on is set.
func (p Page) refreshing(on bool) Page {
	p.refresh = on
	return p
}

// title is the document's title.
func (p Page) title() string {
	if p.Title == "" {
		return "Pochi"
	}
	return p.Title + " · Pochi"
}

// initial is what an avatar shows for a name.
func initial(name string) string {
	first, _ := utf8.DecodeRuneInString(strings.TrimSpace(name))
	if first == utf8.RuneError {
		return "·"
	}
	return string(unicode.ToUpper(first))
}

// nonEmpty is true when any of the strings isn't "".
func nonEmpty(texts ...string) bool {
	return slices.ContainsFunc(texts, func(text string) bool { return text != "" })
}
