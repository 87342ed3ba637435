package web_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// Fiber has ways to read a form that let the address speak for it, or unpack
// it: formValue is the one way here.
func TestFormsAreReadInOneWay(t *testing.T) {
	unsafe := regexp.MustCompile(`\.(FormValue|FormFile|MultipartForm|BodyParser|Body)\(`)
	files, err := filepath.Glob("*.go")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") || file == "upload.go" { // which makes a plain form of the one with a file
			continue
		}
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if found := unsafe.Find(text); found != nil {
			t.Errorf("%s reads a form with %s", file, found)
		}
	}
}
