package admin

import (
	"encoding/json"
	"net/http"

	"pochi/app/problem"
)

// read reads a request's body. Its errors don't repeat what it holds.
func read[Body any](r *http.Request) (Body, error) {
	var body Body
	decoder := json.NewDecoder(r.Body)
	decoder.DisallowUnknownFields()
	if decoder.Decode(&body) != nil {
		return body, problem.New(problem.Invalid, "The running wallet can't read this command: it is of another version.")
	}
	return body, nil
}
