// Package static holds what browsers load besides pages: the style sheet, three
// small scripts, icons, the web manifest and htmx, all embedded in the program.
//
// The style sheet is written by hand in cascade layers, one file each in css/,
// and served as one file, which is squeezed; what only developers' pages need is
// another. There is no build step but copying htmx: package.json
// and its lock file pin it, make fetches it with npm and copies it to vendor/.
//
// htmx is version 4, not 2: it swaps the body of 4xx and 5xx answers, which is
// what a form that comes back with its errors is, and it inherits no attribute
// that isn't marked for it, so that an element says all that it does. Code and
// attributes here and in views/ rely on both.
package static

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"path"
)

//go:embed app.js theme.js times.js manifest.webmanifest css icons vendor
var files embed.FS

// sheets are the style sheets by name, with the files of css/ that each is made of,
// in the cascade's order. Every page loads app.css; developers.css is for few.
var sheets = map[string][]string{
	"app.css":        {"reset", "tokens", "base", "components", "pages"},
	"developers.css": {"developers"},
}

// types are the kinds of file that are served; others in the folders are not.
var types = map[string]string{
	".css":         "text/css; charset=utf-8",
	".js":          "text/javascript; charset=utf-8",
	".svg":         "image/svg+xml",
	".png":         "image/png",
	".ico":         "image/x-icon",
	".webmanifest": "application/manifest+json",
}

// File is one static file as it is served.
type File struct {
	Name string // below /static/: "app.css", "icons/pochi.svg"
	Type string // its content type
	Hash string // of its content; changes whenever the content does
	Body []byte // not to be changed
	Gzip []byte // Body, packed (RFC 1952), for who takes it; nil where that saves little
}

// CacheControl is the header for a request of the file with ?v=version:
// for ever when that is the file's hash, else to be asked for again each time.
func (f File) CacheControl(version string) string {
	if version == f.Hash {
		return "public, max-age=31536000, immutable"
	}
	return "no-cache"
}

// Assets are the static files by name. It is safe for concurrent use.
type Assets struct {
	files map[string]File
}

// New reads the embedded files. It fails when htmx was not there at build time.
func New() (*Assets, error) {
	a := &Assets{files: make(map[string]File)}
	for name, parts := range sheets {
		style, err := join(parts)
		if err != nil {
			return nil, err
		}
		a.add(name, style)
	}
	err := fs.WalkDir(files, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if name == "css" {
			return fs.SkipDir
		}
		if entry.IsDir() {
			return nil
		}
		body, err := files.ReadFile(name)
		if err != nil {
			return err
		}
		a.add(name, body)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read static files: %w", err)
	}
	if _, ok := a.files["vendor/htmx.min.js"]; !ok {
		return nil, fmt.Errorf("static/vendor/htmx.min.js was missing when this was built: run make build")
	}
	return a, nil
}

// add keeps a file of a known type.
func (a *Assets) add(name string, body []byte) {
	contentType, ok := types[path.Ext(name)]
	if !ok {
		return
	}
	sum := sha256.Sum256(body)
	a.files[name] = File{Name: name, Type: contentType, Hash: hex.EncodeToString(sum[:6]), Body: body, Gzip: packed(body)}
}

// packed is a body for browsers that unpack it, nil unless it gets a tenth smaller.
func packed(body []byte) []byte {
	var out bytes.Buffer
	w, _ := gzip.NewWriterLevel(&out, gzip.BestCompression) // a level that there is
	w.Write(body)                                           // to memory
	w.Close()
	if out.Len() > len(body)-len(body)/10 {
		return nil
	}
	return out.Bytes()
}

// File is the file of that name, if there is one.
func (a *Assets) File(name string) (File, bool) {
	f, ok := a.files[name]
	return f, ok
}

// URL is where the file is served: /static/app.css?v=<hash>. The name of a file
// that doesn't exist gives a URL that answers 404.
func (a *Assets) URL(name string) string {
	f, ok := a.files[name]
	if !ok {
		return "/static/" + name
	}
	return "/static/" + name + "?v=" + f.Hash
}
