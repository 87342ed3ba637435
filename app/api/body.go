package api

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"mime"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/gofiber/fiber/v2"
)

// depthMax is how deep a body's objects and lists may lie in each other.
const depthMax = 8

// bodyOf returns the request's body, which says that it is JSON. How long it may
// be is the server's to say.
func bodyOf(c *fiber.Ctx) ([]byte, error) {
	mediaType, _, err := mime.ParseMediaType(c.Get(fiber.HeaderContentType))
	if err != nil || mediaType != fiber.MIMEApplicationJSON || c.Get(fiber.HeaderContentEncoding) != "" {
		return nil, newFault(http.StatusUnsupportedMediaType, "unsupported_media_type", "Unsupported media type",
			"The body must be application/json, without Content-Encoding.")
	}
	return bytes.Clone(c.Body()), nil
}

// object is a JSON object that is read name by name. Nothing is guessed: names
// are exact, each comes once, and what nobody has read in the end is refused.
// The first thing that is wrong is kept.
type object struct {
	path   string // of the object in the body: "" or "debitAmount."
	values map[string]any
	read   map[string]bool
	err    error
}

// parseObject reads a body that is one JSON object and nothing else.
func parseObject(body []byte) (*object, error) {
	if !utf8.Valid(body) || !json.Valid(body) {
		return nil, malformed("", "The body isn't JSON, or more than one value.")
	}
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	value, err := decodeValue(decoder, "", 0)
	if err != nil {
		return nil, err
	}
	values, ok := value.(map[string]any)
	if !ok {
		return nil, malformed("", "The body must be a JSON object.")
	}
	return &object{values: values, read: map[string]bool{}}, nil
}

// decodeValue returns the next value: a map, a slice, a string, a json.Number, a
// bool or nil.
func decodeValue(d *json.Decoder, path string, depth int) (any, error) {
	token, err := d.Token()
	switch {
	case err != nil:
		return nil, malformed("", "The body isn't JSON.")
	case depth > depthMax:
		return nil, malformed(path, "The body is nested too deeply.")
	}
	switch token {
	case json.Delim('{'):
		return decodeObject(d, path, depth)
	case json.Delim('['):
		return decodeList(d, path, depth)
	}
	return token, nil
}

func decodeObject(d *json.Decoder, path string, depth int) (map[string]any, error) {
	values := map[string]any{}
	for d.More() {
		token, err := d.Token()
		if err != nil {
			return nil, malformed("", "The body isn't JSON.")
		}
		name, _ := token.(string)
		below := strings.TrimPrefix(path+"."+name, ".")
		if _, twice := values[name]; twice {
			return nil, malformed(below, fmt.Sprintf("The name %s comes twice.", shown(name)))
		}
		if values[name], err = decodeValue(d, below, depth+1); err != nil {
			return nil, err
		}
	}
	_, err := d.Token()
	return values, err
}

func decodeList(d *json.Decoder, path string, depth int) ([]any, error) {
	values := []any{}
	for d.More() {
		value, err := decodeValue(d, path, depth+1)
		if err != nil {
			return nil, err
		}
		values = append(values, value)
	}
	_, err := d.Token()
	return values, err
}

// shown is a name that a stranger chose, short enough for a sentence.
func shown(name string) string { return fmt.Sprintf("%.40q", name) }

// take returns a value, nil when there is none.
func (o *object) take(name string) any {
	o.read[name] = true
	return o.values[name]
}

func (o *object) has(name string) bool {
	_, ok := o.values[name]
	return ok
}

// fail keeps the first thing that is wrong.
func (o *object) fail(err error) {
	if o.err == nil {
		o.err = err
	}
}

// text returns a string that must be there.
func (o *object) text(name string) string {
	value, ok := o.take(name).(string)
	switch {
	case !o.has(name):
		o.fail(malformed(o.path+name, fmt.Sprintf("%s is missing.", o.path+name)))
	case !ok:
		o.fail(malformed(o.path+name, fmt.Sprintf("%s must be a string.", o.path+name)))
	}
	return value
}

// small returns a whole number from 0 to most that must be there.
func (o *object) small(name string, most int64) int64 {
	number, ok := o.take(name).(json.Number)
	n, err := number.Int64()
	switch {
	case !o.has(name):
		o.fail(malformed(o.path+name, fmt.Sprintf("%s is missing.", o.path+name)))
	case !ok || err != nil || n < 0 || n > most:
		o.fail(malformed(o.path+name, fmt.Sprintf("%s must be a whole number from 0 to %d.", o.path+name, most)))
	}
	return n
}

// object returns an object that must be there. What is wrong with it is wrong
// with o.
func (o *object) object(name string, read func(*object)) {
	values, ok := o.take(name).(map[string]any)
	if !ok {
		o.fail(malformed(o.path+name, fmt.Sprintf("%s must be an object.", o.path+name)))
		return
	}
	below := &object{path: o.path + name + ".", values: values, read: map[string]bool{}}
	read(below)
	if err := below.end(); err != nil {
		o.fail(err)
	}
}

// end returns the first thing that was wrong, or that is there and isn't known.
func (o *object) end() error {
	if o.err != nil {
		return o.err
	}
	for _, name := range slices.Sorted(maps.Keys(o.values)) {
		if !o.read[name] {
			return malformed(o.path+name, fmt.Sprintf("The name %s isn't known here.", shown(name)))
		}
	}
	return nil
}
