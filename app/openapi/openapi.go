// Package openapi reads of an OpenAPI 3.1 document what a page for people shows:
// all but what is below a tag with "x-internal": true, which is no business of
// theirs. It reads documents of our own: what it doesn't know isn't shown, and a
// reference that leads nowhere is an error.
package openapi

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// Reference is a document for people.
type Reference struct {
	Description []string // paragraphs
	Groups      []Group  // in the document's order
	Types       []Type   // that are referred to, by name
}

// Group are operations that belong together.
type Group struct {
	Name        string
	Description string
	Operations  []Operation
}

// Operation is one thing that can be asked for.
type Operation struct {
	ID          string
	Method      string // in upper case
	Path        string // below the server's URL
	Summary     string
	Description []string // paragraphs
	Tokens      []Token  // any of which will do; none if it needs no token
	Parameters  []Field
	Body        string // name of the body's type, "" for none
	Example     string // of the body: JSON, "" for none
	Answers     []Answer
}

// Token is what a request has to carry.
type Token struct {
	Kind  string // as the document's security schemes are called
	Scope string
}

// Field is a parameter, or a member of an object.
type Field struct {
	Name     string
	In       string // "path", "query" or "header"; "" for a member
	Kind     string // "text", "whole number", "list of Charge", "one of in, out"
	Type     string // what Kind refers to, "" for nothing
	Required bool
	Words    string
}

// Answer is one that can be expected.
type Answer struct {
	Status string // "201"
	Words  string
	Type   string // of its body, "" for none
}

// Type is an object, by its name.
type Type struct {
	Name   string
	Words  string
	Fields []Field
}

// methods are those that are shown, in their order.
var methods = []string{"get", "post", "put", "patch", "delete"}

// Parse reads a document in JSON.
func Parse(document []byte) (Reference, error) {
	var d doc
	if err := json.Unmarshal(document, &d); err != nil {
		return Reference{}, fmt.Errorf("read the OpenAPI document: %w", err)
	}
	out := Reference{Description: paragraphs(d.Info.Description)}
	used := map[string]bool{}
	for _, tag := range d.Tags {
		if tag.Internal {
			continue
		}
		group, err := d.group(tag, used)
		if err != nil {
			return Reference{}, err
		}
		if len(group.Operations) > 0 {
			out.Groups = append(out.Groups, group)
		}
	}
	var err error
	out.Types, err = d.types(used)
	return out, err
}

func paragraphs(text string) []string {
	if text == "" {
		return nil
	}
	return strings.Split(text, "\n\n")
}

// group collects a tag's operations: by path, and on each by method.
func (d *doc) group(tag tag, used map[string]bool) (Group, error) {
	group := Group{Name: tag.Name, Description: tag.Description}
	for _, path := range sortedKeys(d.Paths) {
		shared, err := d.shared(d.Paths[path])
		if err != nil {
			return Group{}, fmt.Errorf("%s: %w", path, err)
		}
		for _, method := range methods {
			raw, ok := d.Paths[path][method]
			if !ok {
				continue
			}
			var op operation
			if err := json.Unmarshal(raw, &op); err != nil {
				return Group{}, fmt.Errorf("%s %s: %w", method, path, err)
			}
			if !slices.Contains(op.Tags, tag.Name) {
				continue
			}
			op.Parameters = append(slices.Clone(shared), op.Parameters...)
			shown, err := d.operation(op, used)
			if err != nil {
				return Group{}, fmt.Errorf("%s %s: %w", method, path, err)
			}
			shown.Method, shown.Path = strings.ToUpper(method), path
			group.Operations = append(group.Operations, shown)
		}
	}
	return group, nil
}

// shared are the parameters of all operations of a path.
func (d *doc) shared(path map[string]json.RawMessage) ([]parameter, error) {
	var all []parameter
	if raw, ok := path["parameters"]; ok {
		return all, json.Unmarshal(raw, &all)
	}
	return nil, nil
}

func (d *doc) operation(op operation, used map[string]bool) (Operation, error) {
	out := Operation{ID: op.OperationID, Summary: op.Summary, Description: paragraphs(op.Description)}
	for _, need := range op.Security {
		for _, kind := range sortedKeys(need) {
			out.Tokens = append(out.Tokens, Token{Kind: kind, Scope: strings.Join(need[kind], " ")})
		}
	}
	for _, p := range op.Parameters {
		field, err := d.parameter(p)
		if err != nil {
			return Operation{}, err
		}
		out.Parameters = append(out.Parameters, field)
	}
	if body, ok := op.RequestBody.Content[jsonType]; ok {
		var err error
		if out.Body, err = d.need(body.Schema, used); err != nil {
			return Operation{}, err
		}
		out.Example = indented(body.Example)
	}
	return out, d.answers(op, used, &out)
}

func (d *doc) answers(op operation, used map[string]bool, out *Operation) error {
	for _, status := range sortedKeys(op.Responses) {
		answer, err := resolve(op.Responses[status], d.Components.Responses, op.Responses[status].Ref)
		if err != nil {
			return err
		}
		shown := Answer{Status: status, Words: answer.Description}
		for _, kind := range []string{jsonType, problemType} {
			if body, ok := answer.Content[kind]; ok {
				if shown.Type, err = d.need(body.Schema, used); err != nil {
					return err
				}
			}
		}
		out.Answers = append(out.Answers, shown)
	}
	return nil
}

func (d *doc) parameter(p parameter) (Field, error) {
	p, err := resolve(p, d.Components.Parameters, p.Ref)
	if err != nil {
		return Field{}, err
	}
	kind, _ := d.kind(p.Schema)
	return Field{Name: p.Name, In: p.In, Kind: kind, Required: p.Required, Words: p.Description}, nil
}
