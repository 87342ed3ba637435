package main

import (
	"os/exec"
	"strings"
	"testing"
)

// What each folder may depend on, of this module and of the web framework.
var mayImport = map[string][]string{
	"db":     {"db"},
	"ledger": {"ledger", "db"},
	"ilp":    {"ilp"},
	"views":  {"views"},
	"static": {"static"},
	"app":    {"app", "db", "ledger", "ilp", "views", "static", "fiber"},

	"e2e/shop": {"e2e", "ilp"}, // as somebody else's program
}

func TestImportsPointDownwards(t *testing.T) {
	for folder, allowed := range mayImport {
		out, err := exec.Command("go", "list", "-deps", "pochi/"+folder+"/...").CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		allow := map[string]bool{}
		for _, name := range allowed {
			allow[name] = true
		}
		for _, dep := range strings.Fields(string(out)) {
			if top := topOf(dep); top != "" && !allow[top] {
				t.Errorf("%s/ depends on %s", folder, dep)
			}
		}
	}
}

// topOf returns the top folder of a package of ours, "fiber" for the web
// framework, and "" for all others.
func topOf(dep string) string {
	if strings.HasPrefix(dep, "github.com/gofiber/") || strings.HasPrefix(dep, "github.com/valyala/fasthttp") {
		return "fiber"
	}
	rest, ours := strings.CutPrefix(dep, "pochi/")
	if !ours {
		return ""
	}
	top, _, _ := strings.Cut(rest, "/")
	return top
}
