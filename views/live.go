package views

import "github.com/a-h/templ"

// live makes an element ask for its page every two seconds, as long as somebody
// looks at it, and become what has its id in the answer: see app.js. An answer of 304
// changes nothing, and neither does an error. It is nothing unless on is set.
func live(on bool, id, url string) templ.Attributes {
	if !on {
		return nil
	}
	return templ.Attributes{
		"hx-get": url, "hx-trigger": "every 2s", "hx-select": "#" + id, "hx-swap": "outerMorph",
		"hx-status:4xx": "swap:none", "hx-status:5xx": "swap:none", "data-live": true, "data-reload": true,
	}
}
