package problem_test

import (
	"errors"
	"fmt"
	"testing"

	"pochi/app/problem"

	"github.com/google/go-cmp/cmp"
)

func TestInternalErrorsStayHidden(t *testing.T) {
	err := fmt.Errorf("open ledger: %w", errors.New("disk I/O error"))
	if got := problem.CodeOf(err); got != problem.Internal {
		t.Errorf("code = %q, want internal", got)
	}
	if got := problem.MessageOf(err); got == err.Error() || got == "" {
		t.Errorf("message %q shows the cause or nothing", got)
	}
	if got := problem.Fields(err); len(got) != 0 {
		t.Errorf("fields = %v, want none", got)
	}
	if got := problem.Status(err); got != 500 {
		t.Errorf("status = %d, want 500", got)
	}
}

func TestWrappedProblemKeepsCodeAndMessage(t *testing.T) {
	err := fmt.Errorf("confirm: %w", problem.New(problem.Gone, "The quote has expired.").Because(errors.New("clock")))
	if problem.CodeOf(err) != problem.Gone || problem.MessageOf(err) != "The quote has expired." || problem.Status(err) != 410 {
		t.Errorf("got %q %q %d", problem.CodeOf(err), problem.MessageOf(err), problem.Status(err))
	}
}

func TestFieldsKeepTheFirstMessageOfEach(t *testing.T) {
	var errs problem.Errors
	if errs.OrNil() != nil {
		t.Fatal("no errors should be nil")
	}
	errs.Add("email", "Enter an e-mail address.")
	errs.Add("email", "Too long.")
	errs.Add("password", "At least %d characters.", 10)
	want := map[string]string{"email": "Enter an e-mail address.", "password": "At least 10 characters."}
	if diff := cmp.Diff(want, problem.Fields(errs.OrNil())); diff != "" {
		t.Error(diff)
	}
	if problem.Status(errs) != 422 {
		t.Errorf("status = %d", problem.Status(errs))
	}
}
