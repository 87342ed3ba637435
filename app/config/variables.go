package config

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/caarlos0/env/v11"
)

const prefix = "POCHI_"

// Variable is one row of the README's table.
type Variable struct{ Name, Default, Doc string }

// Variables lists every environment variable.
func Variables() []Variable {
	var out []Variable
	for _, f := range reflect.VisibleFields(reflect.TypeFor[Config]()) {
		out = append(out, Variable{prefix + f.Tag.Get("env"), f.Tag.Get("envDefault"), f.Tag.Get("doc")})
	}
	return out
}

func defaultOf(name string) string {
	all := Variables()
	return all[slices.IndexFunc(all, func(v Variable) bool { return v.Name == prefix+name })].Default
}

// Table returns the README's table in Markdown.
func Table() string {
	var b strings.Builder
	b.WriteString("| variable | default | meaning |\n| --- | --- | --- |\n")
	for _, v := range Variables() {
		value := ""
		if v.Default != "" {
			value = "`" + v.Default + "`"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", v.Name, value, v.Doc)
	}
	return b.String()
}

// CheckNames refuses variables that begin with POCHI_ and that nothing reads:
// misspelt, they would change nothing in silence. environ is as os.Environ
// gives it.
func CheckNames(environ []string) error {
	known := []string{"POCHI_HYDRA_SECRET", "POCHI_E2E", "POCHI_CHROMIUM"} // Hydra's and the tests'
	for _, v := range Variables() {
		known = append(known, v.Name)
	}
	for _, pair := range environ {
		name, _, _ := strings.Cut(pair, "=")
		if strings.HasPrefix(name, prefix) && !slices.Contains(known, name) {
			return fmt.Errorf("%s is no variable of the wallet: pochi help lists them", name)
		}
	}
	return nil
}

// unreadable says which variable holds a value that isn't of its type. The
// parser knows the struct's fields only.
func unreadable(err error, environment map[string]string) error {
	var parse env.ParseError
	if !errors.As(err, &parse) {
		return fmt.Errorf("configuration: %w", err)
	}
	field, _ := reflect.TypeFor[Config]().FieldByName(parse.Name)
	name, want := prefix+field.Tag.Get("env"), "a whole number"
	if field.Type == reflect.TypeFor[time.Duration]() {
		want = "a length of time"
	}
	return fmt.Errorf("%s is %q: it must be %s such as %s", name, environment[name], want, field.Tag.Get("envDefault"))
}
