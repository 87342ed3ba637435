package main

import (
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/alecthomas/kong"
)

// secretMax is how long a file with a secret may be, in bytes.
const secretMax = 4096

// secret is a password or a token. What stands on a command line, others can
// see who use this machine: @FILE stands for what is in FILE, without the
// newline at its end, @/dev/stdin for what comes on stdin.
type secret string

// Decode implements kong.MapperValue.
func (s *secret) Decode(ctx *kong.DecodeContext) error {
	var text string
	if err := ctx.Scan.PopValueInto("secret", &text); err != nil {
		return err
	}
	name, isFile := strings.CutPrefix(text, "@")
	if !isFile {
		*s = secret(text)
		return nil
	}
	read, err := readSecret(name)
	*s = secret(read)
	return err
}

func readSecret(name string) (string, error) {
	file, err := os.Open(name)
	if err != nil {
		return "", err
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, secretMax+1))
	switch {
	case err != nil:
		return "", err
	case len(text) > secretMax:
		return "", fmt.Errorf("%s is longer than a secret can be", name)
	}
	return strings.TrimSuffix(strings.TrimSuffix(string(text), "\n"), "\r"), nil
}
