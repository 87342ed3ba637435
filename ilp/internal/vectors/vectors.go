// Package vectors finds the published test vectors, which are not part of this repository, for the tests beside it.
package vectors

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"pochi/ilp/internal/module"
)

// Read decodes the JSON file of that name below VECTORS_DIR into v. The default is ../shared/vectors; a relative folder
// counts from the module's root. It skips the test, saying so, if the file isn't there.
func Read(t *testing.T, name string, v any) {
	t.Helper()
	dir := os.Getenv("VECTORS_DIR")
	if dir == "" {
		dir = filepath.Join("..", "shared", "vectors")
	}
	if !filepath.IsAbs(dir) {
		dir = filepath.Join(module.Root(t), dir)
	}
	b, err := os.ReadFile(filepath.Join(dir, name))
	if os.IsNotExist(err) {
		t.Skipf("no published vectors: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, v); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
}
