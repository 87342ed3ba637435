package oauth

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"unicode/utf8"
)

// object reads a JSON object and nothing else: what encoding/json would let
// pass, such as a name that comes twice, or in other letters, or what follows
// the object, could mean one thing to who wrote it and another one here.
func object(text []byte) (map[string]json.RawMessage, error) {
	if !utf8.Valid(text) {
		return nil, errors.New("it isn't UTF-8")
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	if first, err := decoder.Token(); err != nil || first != json.Delim('{') {
		return nil, errors.New("it isn't a JSON object")
	}
	members := map[string]json.RawMessage{}
	for decoder.More() {
		name, err := decoder.Token()
		if err != nil {
			return nil, errors.New("it isn't JSON")
		}
		key := name.(string) // of an object
		if _, twice := members[key]; twice {
			return nil, errors.New("a member comes twice")
		}
		var value json.RawMessage
		if err := decoder.Decode(&value); err != nil {
			return nil, errors.New("it isn't JSON")
		}
		members[key] = value
	}
	if _, err := decoder.Token(); err != nil { // the closing brace
		return nil, errors.New("it isn't JSON")
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("something follows the object")
	}
	return members, nil
}

// onlyOf reads a JSON array that has one element.
func onlyOf(text []byte) (json.RawMessage, error) {
	var elements []json.RawMessage
	if err := json.Unmarshal(text, &elements); err != nil {
		return nil, errors.New("it isn't a JSON array")
	}
	if len(elements) != 1 {
		return nil, errors.New("it doesn't have exactly one element")
	}
	return elements[0], nil
}

// stringOf reads a JSON string; null is none.
func stringOf(value json.RawMessage) (string, bool) {
	var text *string
	if json.Unmarshal(value, &text) != nil || text == nil {
		return "", false
	}
	return *text, true
}
