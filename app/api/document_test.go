package api_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"pochi/app/api"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

// The document and the route table name the same routes, kinds of token and
// scopes.
func TestDocumentNamesTheRoutes(t *testing.T) {
	want := map[string]map[string]string{} // scope by kind, by route
	for _, l := range api.New(options()).Table() {
		scopes := map[string]string{}
		for _, kind := range l.Kinds {
			scopes[kind] = l.Scope
		}
		want[l.Method+" "+template(l.Path)] = scopes
	}
	want["GET /openapi.json"] = map[string]string{}
	got := map[string]map[string]string{}
	for path, operations := range document()["paths"].(map[string]any) {
		for method, operation := range operations.(map[string]any) {
			if method == "parameters" {
				continue
			}
			scopes := map[string]string{}
			for _, requirement := range operation.(map[string]any)["security"].([]any) {
				for kind, needed := range requirement.(map[string]any) {
					scopes[kind] = needed.([]any)[0].(string)
				}
			}
			got[strings.ToUpper(method)+" "+path] = scopes
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// template writes a route's path as OpenAPI does.
func template(path string) string {
	return regexp.MustCompile(`:(\w+)`).ReplaceAllString(path, "{$1}")
}

// Every reference leads somewhere, and every schema is one.
func TestDocumentIsWhole(t *testing.T) {
	var follow func(any)
	follow = func(node any) {
		switch node := node.(type) {
		case map[string]any:
			if ref, ok := node["$ref"].(string); ok && resolve(ref) == nil {
				t.Errorf("%s leads nowhere", ref)
			}
			for _, child := range node {
				follow(child)
			}
		case []any:
			for _, child := range node {
				follow(child)
			}
		}
	}
	follow(document())
	for name := range document()["components"].(map[string]any)["schemas"].(map[string]any) {
		schema(t, "#/components/schemas/"+name)
	}
}

// Anybody can read the document, without a token.
func TestDocumentIsPublic(t *testing.T) {
	got := do(t, options(), "GET", "/api/openapi.json", nil)
	if got.Status != http.StatusOK || got.Body["openapi"] != "3.1.0" {
		t.Errorf("%d %v", got.Status, got.Body["openapi"])
	}
}

// The examples are what they are examples of.
func TestDocumentExamples(t *testing.T) {
	for _, operation := range []string{"~1agreements~1{id}~1charges/post", "~1admin~1rates~1{from}~1{to}/put"} {
		body := "#/paths/" + operation + "/requestBody/content/application~1json"
		if err := schema(t, body+"/schema").Validate(resolve(body + "/example")); err != nil {
			t.Error(err)
		}
	}
}

// document is the document; nobody changes it.
var document = sync.OnceValue(parse)

func parse() map[string]any {
	parsed, err := jsonschema.UnmarshalJSON(bytes.NewReader(api.Document()))
	if err != nil {
		panic(err)
	}
	return parsed.(map[string]any)
}

// resolve follows a reference within the document, nil if it leads nowhere.
func resolve(ref string) any {
	var node any = document()
	for part := range strings.SplitSeq(strings.TrimPrefix(ref, "#/"), "/") {
		part = strings.NewReplacer("~1", "/", "~0", "~").Replace(part)
		object, ok := node.(map[string]any)
		if !ok {
			return nil
		}
		node = object[part]
	}
	return node
}

// compiler knows the document, made strict: what an answer has and the document
// doesn't name is a fault of one of them.
var compiler = sync.OnceValue(func() *jsonschema.Compiler {
	parsed := parse()
	closeObjects(parsed)
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource("openapi.json", parsed); err != nil {
		panic(err)
	}
	return c
})

var compiling sync.Mutex

func closeObjects(node any) {
	switch node := node.(type) {
	case map[string]any:
		if _, ok := node["properties"].(map[string]any); ok && node["type"] == "object" {
			node["additionalProperties"] = false
		}
		for _, child := range node {
			closeObjects(child)
		}
	case []any:
		for _, child := range node {
			closeObjects(child)
		}
	}
}

func schema(t testing.TB, pointer string) *jsonschema.Schema {
	t.Helper()
	compiling.Lock()
	defer compiling.Unlock()
	s, err := compiler().Compile("openapi.json" + pointer)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// check holds an answer against the document.
func check(t testing.TB, method, path string, status int, header http.Header, body []byte) {
	t.Helper()
	response := "#/components/responses/Problem" // of what is no operation
	if operation := operationOf(method, path); operation != "" {
		response = operation + "/responses/default"
		if exact := operation + "/responses/" + strconv.Itoa(status); resolve(exact) != nil {
			response = exact
		}
	}
	at := resolve(response).(map[string]any)
	if ref, ok := at["$ref"].(string); ok {
		response, at = ref, resolve(ref).(map[string]any)
	}
	headers, _ := at["headers"].(map[string]any)
	for name, about := range headers {
		if required, _ := about.(map[string]any)["required"].(bool); required && header.Get(name) == "" {
			t.Errorf("%s %s: %d without %s", method, path, status, name)
		}
	}
	contents, _ := at["content"].(map[string]any)
	if len(contents) == 0 || method == http.MethodHead {
		if len(body) > 0 {
			t.Errorf("%s %s: %d has a body: %s", method, path, status, body)
		}
		return
	}
	kind := slices.Collect(maps.Keys(contents))[0]
	if got := header.Get("Content-Type"); got != kind {
		t.Errorf("%s %s: %d is %s, want %s", method, path, status, got, kind)
		return
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(body))
	if err != nil {
		t.Errorf("%s %s: %v", method, path, err)
		return
	}
	if err := schema(t, response+"/content/"+strings.ReplaceAll(kind, "/", "~1")+"/schema").Validate(value); err != nil {
		t.Errorf("%s %s: %d %s: %v", method, path, status, body, err)
	}
	if number, ok := value.(map[string]any)["status"].(json.Number); ok && number.String() != strconv.Itoa(status) {
		t.Errorf("%s %s: %d says %s", method, path, status, number)
	}
}

// operationOf returns where the document has a request, "" if it hasn't.
func operationOf(method, path string) string {
	path, _, _ = strings.Cut(strings.TrimPrefix(path, api.Prefix), "?")
	for template, operations := range document()["paths"].(map[string]any) {
		pattern := regexp.MustCompile("^" + regexp.MustCompile(`\\\{\w+\\\}`).ReplaceAllString(regexp.QuoteMeta(template), "[^/]+") + "$")
		if !pattern.MatchString(path) {
			continue
		}
		if method == http.MethodHead {
			method = http.MethodGet
		}
		if _, there := operations.(map[string]any)[strings.ToLower(method)]; there {
			return "#/paths/" + strings.ReplaceAll(template, "/", "~1") + "/" + strings.ToLower(method)
		}
	}
	return ""
}
