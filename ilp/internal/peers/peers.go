// Package peers runs independent implementations of Interledger, from npm, under Node.js: for differential tests and for
// benchmarks. Their versions are pinned in e2e/package-lock.json; the scripts that use them are in e2e/peers.
package peers

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"pochi/ilp/internal/module"
)

// Missing says what is missing to run any, or returns "".
func Missing(t testing.TB) string {
	t.Helper()
	if _, err := os.Stat(filepath.Join(module.Root(t), "e2e", "node_modules", "ilp-protocol-stream")); err != nil {
		return "e2e/node_modules has no ilp-protocol-stream: npm ci --prefix e2e --ignore-scripts, or make test, brings it"
	}
	if _, err := exec.LookPath("node"); err != nil {
		return "Node.js is missing"
	}
	return ""
}

// Need skips the test, saying so, if the peers can't be run.
func Need(t testing.TB) {
	t.Helper()
	if why := Missing(t); why != "" {
		t.Skipf("no independent implementation to compare with: %s", why)
	}
}

// Ask runs a script from e2e/peers, which reads the requests from its standard input, a JSON value a line, and answers each
// with a line. It returns the answers, as many as there are requests.
func Ask[Answer, Request any](t testing.TB, script string, requests []Request) []Answer {
	t.Helper()
	var in bytes.Buffer
	lines := json.NewEncoder(&in)
	for _, request := range requests {
		if err := lines.Encode(request); err != nil {
			t.Fatal(err)
		}
	}
	command := exec.Command("node", filepath.Join(module.Root(t), "e2e", "peers", script))
	command.Stdin, command.Stderr = &in, os.Stderr
	out, err := command.Output()
	if err != nil {
		t.Fatalf("%s: %v", script, err)
	}
	answers := make([]Answer, len(requests))
	read := json.NewDecoder(bytes.NewReader(out))
	for i := range answers {
		if err := read.Decode(&answers[i]); err != nil {
			t.Fatalf("answer %d of %s: %v", i, script, err)
		}
	}
	return answers
}
