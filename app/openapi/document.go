package openapi

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// The content types of bodies that are shown.
const (
	jsonType    = "application/json"
	problemType = "application/problem+json"
)

// doc is a document, so far as it is shown.
type doc struct {
	Info       struct{ Description string }
	Tags       []tag
	Paths      map[string]map[string]json.RawMessage
	Components struct {
		Parameters map[string]parameter
		Responses  map[string]response
		Schemas    map[string]schema
	}
}

type tag struct {
	Name        string
	Description string
	Internal    bool `json:"x-internal"` // for the wallet's own programs alone
}

type operation struct {
	Tags        []string
	OperationID string
	Summary     string
	Description string
	Security    []map[string][]string
	Parameters  []parameter
	RequestBody struct{ Content map[string]content }
	Responses   map[string]response
}

type parameter struct {
	Ref         string `json:"$ref"`
	Name        string
	In          string
	Required    bool
	Description string
	Schema      schema
}

type response struct {
	Ref         string `json:"$ref"`
	Description string
	Content     map[string]content
}

type content struct {
	Schema  schema
	Example json.RawMessage
}

type schema struct {
	Ref         string `json:"$ref"`
	Type        string
	Format      string
	Const       any
	Enum        []string
	Description string
	Properties  map[string]schema
	Required    []string
	Items       *schema
}

// resolve follows a reference to one of the components, if it is one.
func resolve[T any](here T, components map[string]T, ref string) (T, error) {
	if ref == "" {
		return here, nil
	}
	there, ok := components[refName(ref)]
	if !ok {
		return there, fmt.Errorf("the document has no %s", ref)
	}
	return there, nil
}

func refName(ref string) string { return ref[strings.LastIndex(ref, "/")+1:] }

// need returns the name of an object that is shown on its own, and remembers that
// it is, with those that it refers to.
func (d *doc) need(s schema, used map[string]bool) (string, error) {
	if s.Items != nil {
		_, err := d.need(*s.Items, used)
		return "", err
	}
	if s.Ref == "" {
		return "", nil
	}
	name := refName(s.Ref)
	object, ok := d.Components.Schemas[name]
	if !ok {
		return "", fmt.Errorf("the document has no %s", s.Ref)
	}
	if len(object.Properties) == 0 {
		return "", nil
	}
	if used[name] {
		return name, nil
	}
	used[name] = true
	for _, property := range object.Properties {
		if _, err := d.need(property, used); err != nil {
			return "", err
		}
	}
	return name, nil
}

// types are the objects that are shown, with what is required of them first.
func (d *doc) types(used map[string]bool) ([]Type, error) {
	var out []Type
	for _, name := range sortedKeys(used) {
		s := d.Components.Schemas[name]
		t := Type{Name: name, Words: s.Description}
		for _, member := range members(s) {
			kind, refers := d.kind(s.Properties[member])
			t.Fields = append(t.Fields, Field{
				Name: member, Kind: kind, Type: refers, Required: slices.Contains(s.Required, member), Words: d.words(s.Properties[member]),
			})
		}
		out = append(out, t)
	}
	return out, nil
}

// members are an object's, those that are required first and in that order.
func members(s schema) []string {
	names := slices.DeleteFunc(slices.Clone(s.Required), func(name string) bool {
		_, ok := s.Properties[name]
		return !ok
	})
	for _, name := range sortedKeys(s.Properties) {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// words are what is said of a value: where it is used, else of its kind.
func (d *doc) words(s schema) string {
	if s.Description != "" || s.Ref == "" {
		return s.Description
	}
	there := d.Components.Schemas[refName(s.Ref)]
	if len(there.Properties) > 0 { // shown on its own
		return ""
	}
	return there.Description
}

// kind says in words what a value is, and which object that refers to.
func (d *doc) kind(s schema) (kind, refers string) {
	if s.Ref != "" {
		name := refName(s.Ref)
		if there := d.Components.Schemas[name]; len(there.Properties) == 0 {
			return d.kind(there)
		}
		return name, name
	}
	switch {
	case s.Const != nil:
		return fmt.Sprintf("always %v", s.Const), ""
	case len(s.Enum) > 0:
		return "one of " + strings.Join(s.Enum, ", "), ""
	case s.Items != nil:
		kind, refers = d.kind(*s.Items)
		return "list of " + kind, refers
	case s.Format == "date-time":
		return "time", ""
	case s.Format == "uuid":
		return "id", ""
	case s.Type == "integer":
		return "whole number", ""
	case s.Type == "boolean":
		return "true or false", ""
	case s.Type == "object":
		return "object", ""
	}
	return "text", ""
}

func indented(raw json.RawMessage) string {
	var out bytes.Buffer
	if len(raw) == 0 || json.Indent(&out, raw, "", "  ") != nil {
		return ""
	}
	return out.String()
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
