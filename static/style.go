package static

import (
	"bytes"
	"fmt"
	"regexp"
)

// join is a style sheet: files of css/, one after the other.
func join(parts []string) ([]byte, error) {
	var style bytes.Buffer
	for _, part := range parts {
		body, err := files.ReadFile("css/" + part + ".css")
		if err != nil {
			return nil, fmt.Errorf("read a style sheet: %w", err)
		}
		style.Write(squeezed(body))
	}
	return style.Bytes(), nil
}

var comment = regexp.MustCompile(`(?s)/\*.*?\*/`)

// squeezed is a style sheet without what only its readers need: comments, line
// breaks and most spaces, a quarter of it. It is formatted as ours are.
func squeezed(style []byte) []byte {
	var out bytes.Buffer
	for line := range bytes.Lines(comment.ReplaceAll(style, nil)) {
		line = bytes.TrimSpace(line)
		if len(line) == 0 {
			continue
		}
		line = bytes.ReplaceAll(line, []byte(": "), []byte(":"))
		line = bytes.ReplaceAll(line, []byte(" {"), []byte("{"))
		out.Write(line)
		if !bytes.ContainsRune([]byte("{};,("), rune(line[len(line)-1])) {
			out.WriteByte('\n') // two lines of one value
		}
	}
	return out.Bytes()
}
