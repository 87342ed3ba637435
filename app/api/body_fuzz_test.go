package api_test

import (
	"bytes"
	"encoding/json"
	"testing"

	"pochi/app/api"
)

// Whatever a body is, it is read or refused; what is read is one JSON object, and
// says the same to whoever else reads it.
func FuzzBody(f *testing.F) {
	for _, seed := range []string{
		orderText, "{}", "", "null", "[]", `{"a":{"b":[1,{"c":null}]}}`, `{"a":1,"a":2}`, `{"a":1}{}`, "{\"a\":\"\xff\"}",
		`{"\u0061":1,"a":2}`, `{"a":1e400}`, `{"a":"\ud800"}`, `{"a":[1,]}`, ` {"a" : true } `,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		values, err := api.ParseBody(body)
		if err != nil {
			return
		}
		decoder := json.NewDecoder(bytes.NewReader(body))
		decoder.UseNumber()
		var other map[string]any
		if err := decoder.Decode(&other); err != nil {
			t.Fatalf("others can't read %q: %v", body, err)
		}
		ours, _ := json.Marshal(values)
		theirs, _ := json.Marshal(other)
		if !bytes.Equal(ours, theirs) {
			t.Errorf("%q is %s here, and %s elsewhere", body, ours, theirs)
		}
	})
}
