package openapi_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"pochi/app/api"
	"pochi/app/openapi"

	"github.com/google/go-cmp/cmp"
)

const small = `{
	"info": {"description": "One.\n\nTwo."},
	"tags": [{"name": "Things", "description": "What there is."}, {"name": "Nothing"}, {"name": "Ours", "x-internal": true}],
	"paths": {"/ours": {"get": {"tags": ["Ours"], "operationId": "getOurs", "summary": "Ours alone", "responses": {
		"200": {"description": "It.", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Unused"}}}}}}},
	"/things/{id}": {
		"parameters": [{"$ref": "#/components/parameters/Id"}],
		"delete": {"tags": ["Things"], "operationId": "dropThing", "summary": "Drop it", "responses": {"204": {"description": "Gone."}}},
		"post": {"tags": ["Things"], "operationId": "addThing", "summary": "Add one", "description": "Adds it.",
			"security": [{"person": ["a:b"]}, {"service": ["c"]}],
			"parameters": [{"name": "limit", "in": "query", "schema": {"type": "integer"}, "description": "How many."}],
			"requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Thing"}, "example": {"size": "1"}}}},
			"responses": {"201": {"description": "Added.", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Thing"}}}}, "default": {"$ref": "#/components/responses/No"}}}
	}},
	"components": {
		"parameters": {"Id": {"name": "id", "in": "path", "required": true, "schema": {"$ref": "#/components/schemas/Id"}}},
		"responses": {"No": {"description": "It can't be."}},
		"schemas": {
			"Id": {"type": "string", "format": "uuid"},
			"Thing": {"type": "object", "description": "One thing.", "required": ["size"], "properties": {
				"at": {"type": "string", "format": "date-time"}, "parts": {"type": "array", "items": {"$ref": "#/components/schemas/Part"}},
				"size": {"enum": ["1", "2"], "description": "How large."}}},
			"Part": {"type": "object", "properties": {"id": {"$ref": "#/components/schemas/Id"}}},
			"Unused": {"type": "object", "properties": {"id": {"$ref": "#/components/schemas/Id"}}}
		}
	}
}`

func TestParse(t *testing.T) {
	got, err := openapi.Parse([]byte(small))
	if err != nil {
		t.Fatal(err)
	}
	id := openapi.Field{Name: "id", In: "path", Kind: "id", Required: true}
	want := openapi.Reference{
		Description: []string{"One.", "Two."},
		Groups: []openapi.Group{{Name: "Things", Description: "What there is.", Operations: []openapi.Operation{
			{
				ID: "addThing", Method: "POST", Path: "/things/{id}", Summary: "Add one", Description: []string{"Adds it."},
				Tokens:     []openapi.Token{{Kind: "person", Scope: "a:b"}, {Kind: "service", Scope: "c"}},
				Parameters: []openapi.Field{id, {Name: "limit", In: "query", Kind: "whole number", Words: "How many."}},
				Body:       "Thing", Example: "{\n  \"size\": \"1\"\n}",
				Answers: []openapi.Answer{{Status: "201", Words: "Added.", Type: "Thing"}, {Status: "default", Words: "It can't be."}},
			},
			{ID: "dropThing", Method: "DELETE", Path: "/things/{id}", Summary: "Drop it", Parameters: []openapi.Field{id}, Answers: []openapi.Answer{{Status: "204", Words: "Gone."}}},
		}}},
		Types: []openapi.Type{
			{Name: "Part", Fields: []openapi.Field{{Name: "id", Kind: "id"}}},
			{Name: "Thing", Words: "One thing.", Fields: []openapi.Field{
				{Name: "size", Kind: "one of 1, 2", Required: true, Words: "How large."}, {Name: "at", Kind: "time"},
				{Name: "parts", Kind: "list of Part", Type: "Part"},
			}},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestWhatLeadsNowhere(t *testing.T) {
	for _, part := range []string{"parameters/Id", "responses/No", "schemas/Thing\"}, \"example\""} {
		broken := strings.Replace(small, `"#/components/`+part, `"#/components/`+strings.Replace(part, "/", "/No", 1), 1)
		if broken == small {
			t.Fatalf("%s isn't there", part)
		}
		if _, err := openapi.Parse([]byte(broken)); err == nil {
			t.Errorf("%s leads nowhere, and nobody says so", part)
		}
	}
	if _, err := openapi.Parse([]byte("{")); err == nil {
		t.Error("no JSON, and nobody says so")
	}
}

// The wallet's own document is shown whole, but for the back office.
func TestOurDocument(t *testing.T) {
	ref, err := openapi.Parse(api.Document())
	if err != nil {
		t.Fatal(err)
	}
	var d struct {
		Paths map[string]map[string]any
	}
	if err := json.Unmarshal(api.Document(), &d); err != nil {
		t.Fatal(err)
	}
	shown := map[string]bool{}
	for _, group := range ref.Groups {
		for _, op := range group.Operations {
			shown[strings.ToLower(op.Method)+" "+op.Path] = true
			if op.ID == "" || op.Summary == "" || len(op.Answers) == 0 {
				t.Errorf("%s %s says too little: %+v", op.Method, op.Path, op)
			}
			if op.Method == "POST" && (op.Body == "" || op.Example == "") {
				t.Errorf("%s %s has no example", op.Method, op.Path)
			}
		}
	}
	for path, operations := range d.Paths {
		for method := range operations {
			if internal := strings.HasPrefix(path, "/admin/"); method != "parameters" && shown[method+" "+path] == internal {
				t.Errorf("%s %s: shown is %t", method, path, internal)
			}
		}
	}
	named := func(name string) bool {
		return slices.ContainsFunc(ref.Types, func(t openapi.Type) bool { return t.Name == name })
	}
	for _, object := range ref.Types {
		for _, field := range object.Fields {
			if field.Type != "" && !named(field.Type) {
				t.Errorf("%s.%s refers to %s, which isn't shown", object.Name, field.Name, field.Type)
			}
		}
	}
}
