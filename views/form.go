package views

import (
	"maps"
	"net/url"
	"slices"
	"strings"
)

// Field is a text input with its label, hint and error.
type Field struct {
	Name         string // also gives the id, "field-" + Name
	Label        string
	Type         string // "text" unless said otherwise
	Value        string // ignored for passwords, which are never sent back
	Error        string
	Hint         string
	Autocomplete string // "off" unless said otherwise
	InputMode    string // which keyboard phones show
	Prefix       string // shown before what is typed: "$wallet.example/"
	Optional     bool
	Literal      bool   // no capitals, no spelling help: addresses and names for machines
	Lookup       string // URL of a fragment that is asked for while typing; "" for none
	LookupTarget string // where that fragment goes, and what is picked out of it
}

// pointerNameHint says which names a payment pointer can have.
const pointerNameHint = "3 to 30 letters a to z, digits or hyphens, beginning with a letter."

// Select is a list of which one entry is chosen, with label, hint and error.
type Select struct {
	ID      string // "field-" + Name unless said otherwise
	Name    string
	Label   string
	Value   string // of the chosen option
	Error   string
	Hint    string
	Options []Option
}

// fieldID is the id of the input of that name, to which error summaries link.
func fieldID(name string) string { return "field-" + name }

// id of the select element.
func (s Select) id() string {
	if s.ID != "" {
		return s.ID
	}
	return fieldID(s.Name)
}

// inputType is the type attribute of the input.
func (f Field) inputType() string {
	if f.Type == "" {
		return "text"
	}
	return f.Type
}

// autocomplete is the autocomplete attribute of the input.
func (f Field) autocomplete() string {
	if f.Autocomplete == "" {
		return "off"
	}
	return f.Autocomplete
}

// describedBy is the aria-describedby attribute of a control: the ids of its
// hint and of its error, as far as they are shown.
func describedBy(id, hint, err string) string {
	var ids []string
	if hint != "" {
		ids = append(ids, id+"-hint")
	}
	if err != "" {
		ids = append(ids, id+"-error")
	}
	return strings.Join(ids, " ")
}

// wholeForm is the message for the whole form, and whether it is the only one.
func wholeForm(errors Errors) (string, bool) {
	text, ok := errors[""]
	return text, ok && len(errors) == 1
}

// labelled is a form's field as an error summary names it: the way its label
// on the form does.
type labelled struct {
	field string
	label string
}

// complaint is a line of an error summary.
type complaint struct {
	field string // to link to, "" for none
	text  string // "Password: Use at least 10 characters."
}

// complaints are the lines of an error summary: those of the whole form first,
// then the fields in the form's order, then what belongs to no field shown.
func complaints(errors Errors, fields []labelled) []complaint {
	var lines []complaint
	if text, ok := errors[""]; ok {
		lines = append(lines, complaint{text: text})
	}
	for _, f := range fields {
		if text, ok := errors[f.field]; ok {
			lines = append(lines, complaint{field: f.field, text: f.label + ": " + text})
		}
	}
	for _, name := range slices.Sorted(maps.Keys(errors)) {
		shown := slices.ContainsFunc(fields, func(f labelled) bool { return f.field == name })
		if name != "" && !shown {
			lines = append(lines, complaint{text: errors[name]})
		}
	}
	return lines
}

// onward is a path with what the log-in and sign-up pages pass to each other.
func onward(path, next, challenge string) string {
	query := url.Values{}
	if next != "" {
		query.Set("next", next)
	}
	if challenge != "" {
		query.Set("login_challenge", challenge)
	}
	if len(query) == 0 {
		return path
	}
	return path + "?" + query.Encode()
}
