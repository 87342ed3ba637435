package views

import (
	"strings"

	"github.com/a-h/templ"
)

// address is a payment pointer, or a text with one in it, that may be broken into
// lines before each part of its path.
func address(text string) templ.Component {
	broken := strings.ReplaceAll(templ.EscapeString(text), "/", "<wbr>/")
	return templ.Raw(strings.ReplaceAll(broken, "<wbr>/<wbr>/", "//"))
}
