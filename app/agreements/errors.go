package agreements

import (
	"errors"

	"pochi/app/problem"
)

// errDone ends a unit that has only read: nothing is written for it.
var errDone = errors.New("nothing was to be written")

// errEnded refuses to change what has ended.
var errEnded = problem.New(problem.Conflict, "This agreement has ended. Nothing was changed.")

func errNotFound() error { return problem.New(problem.NotFound, "There is no such agreement.") }

func errTooLate() error {
	return problem.New(problem.Gone, "This request has expired. Go back to the app and begin again.")
}
