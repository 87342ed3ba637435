package web

import (
	"maps"
	"slices"
	"strings"

	"pochi/app/openapi"
	"pochi/views"

	"github.com/gofiber/fiber/v2"
)

// apiPath is where the API is, below the wallet's URL.
const apiPath = "/api"

// showAPI shows the API's document to developers, who needn't be logged in.
func (s *Site) showAPI(c *fiber.Ctx) error {
	address := s.PublicURL + apiPath
	page := views.APIReference{
		Description: s.API.Description, Address: address, Document: address + "/openapi.json", Tokens: s.tokenCurls(),
		Errors: apiErrors(s.API.Groups),
	}
	for _, group := range s.API.Groups {
		shown := views.APIGroup{Name: group.Name, Description: group.Description}
		for _, op := range group.Operations {
			shown.Operations = append(shown.Operations, apiOperation(address, op))
		}
		page.Groups = append(page.Groups, shown)
	}
	for _, object := range s.API.Types {
		page.Types = append(page.Types, views.APIType{Name: object.Name, Words: object.Words, Fields: apiFields(object.Fields)})
	}
	return render(c, fiber.StatusOK, views.API(s.page(c, "API reference", views.NavNone), page))
}

// tokenCurls are how an app gets its tokens, with this wallet's addresses.
func (s *Site) tokenCurls() []views.APICurl {
	tokens := strings.TrimSuffix(s.HydraURL, "/") + "/oauth2/token"
	return []views.APICurl{
		{
			Words: "A person's token, for the code that they came back with:",
			Line: curl("POST", tokens, "-u CLIENT_ID:CLIENT_SECRET", "-d grant_type=authorization_code", "-d code=CODE",
				"-d code_verifier=VERIFIER", "-d redirect_uri=https://shop.example/back"),
		},
		{
			Words: "A confidential app's own token:",
			Line: curl("POST", tokens, "-u CLIENT_ID:CLIENT_SECRET", "-d grant_type=client_credentials",
				"-d scope=agreements:propose", "-d audience="+s.PublicURL),
		},
	}
}

func apiOperation(address string, op openapi.Operation) views.APIOperation {
	out := views.APIOperation{
		ID: op.ID, Method: op.Method, Path: apiPath + op.Path, Summary: op.Summary, Description: op.Description,
		Parameters: apiFields(op.Parameters), Body: op.Body, Curl: operationCurl(address, op),
	}
	for _, token := range op.Tokens {
		out.Tokens = append(out.Tokens, tokenWords(token))
	}
	for _, answer := range op.Answers {
		switch {
		case !isError(answer):
			out.Answers = append(out.Answers, views.APIAnswer(answer))
		case answer.Status != otherAnswer:
			out.Errors = append(out.Errors, answer.Status)
		}
	}
	return out
}

// isError tells whether an answer is one of those that many operations have.
func isError(answer openapi.Answer) bool {
	return answer.Status >= "4" && answer.Status < "6" || answer.Status == otherAnswer
}

// otherAnswer is the status of answers that aren't named.
const otherAnswer = "default"

// apiErrors are the errors of all operations, each once.
func apiErrors(groups []openapi.Group) []views.APIAnswer {
	seen := map[string]views.APIAnswer{}
	for _, group := range groups {
		for _, op := range group.Operations {
			for _, answer := range op.Answers {
				if isError(answer) {
					seen[answer.Status] = views.APIAnswer(answer)
				}
			}
		}
	}
	var out []views.APIAnswer
	for _, status := range slices.Sorted(maps.Keys(seen)) {
		out = append(out, seen[status])
	}
	return out
}

// tokenWords says which token is needed.
func tokenWords(token openapi.Token) string {
	whose := "A person's token"
	switch token.Kind {
	case "agreement":
		whose = "The token of an agreement"
	case "service":
		whose = "The app's own token"
	}
	return whose + " with the scope " + token.Scope + "."
}

// operationCurl is a command line that asks for it.
func operationCurl(address string, op openapi.Operation) string {
	path := op.Path
	var options []string
	if len(op.Tokens) > 0 {
		options = append(options, "-H 'Authorization: Bearer TOKEN'")
	}
	for _, p := range op.Parameters {
		switch p.In {
		case "path":
			path = strings.ReplaceAll(path, "{"+p.Name+"}", strings.ToUpper(p.Name))
		case "header":
			options = append(options, "-H '"+p.Name+": "+strings.ToUpper(strings.ReplaceAll(p.Name, "-", "_"))+"'")
		}
	}
	if op.Example != "" {
		options = append(options, "-H 'Content-Type: application/json'", "-d '"+compact(op.Example)+"'")
	}
	return curl(op.Method, address+path, options...)
}

func curl(method, url string, options ...string) string {
	line := "curl "
	if method != "GET" {
		line += "-X " + method + " "
	}
	return strings.Join(append([]string{line + url}, options...), " \\\n  ")
}

// compact is indented JSON on one line, quoted for a shell.
func compact(text string) string {
	var out strings.Builder
	for line := range strings.Lines(text) {
		out.WriteString(strings.TrimSpace(line))
		if strings.HasSuffix(strings.TrimSpace(line), ",") {
			out.WriteByte(' ')
		}
	}
	return strings.ReplaceAll(out.String(), "'", `'\''`)
}

func apiFields(fields []openapi.Field) []views.APIField {
	out := make([]views.APIField, len(fields))
	for i, f := range fields {
		out[i] = views.APIField{Name: f.Name, In: f.In, Kind: f.Kind, Type: f.Type, Required: f.Required, Words: f.Words}
	}
	return out
}
