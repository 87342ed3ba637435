package problem_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

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
	errs := problem.Errors{
		problem.Field("email", "Enter an e-mail address."),
		problem.Field("email", "Too long."),
		problem.Field("password", "At least %d characters.", 10),
	}
	want := map[string]string{"email": "Enter an e-mail address.", "password": "At least 10 characters."}
	if diff := cmp.Diff(want, problem.Fields(errs)); diff != "" {
		t.Error(diff)
	}
	if problem.Status(errs) != 422 {
		t.Errorf("status = %d", problem.Status(errs))
	}
}

func TestOwnStatusAndWait(t *testing.T) {
	err := fmt.Errorf("read: %w", (&problem.Error{Code: problem.Invalid, HTTP: 431, RetryAfter: time.Minute}).Because(errors.New("x")))
	if problem.Status(err) != 431 || problem.RetryAfter(err) != time.Minute || problem.CodeOf(err) != problem.Invalid {
		t.Errorf("%d, %v, %s", problem.Status(err), problem.RetryAfter(err), problem.CodeOf(err))
	}
	if problem.RetryAfter(errors.New("x")) != 0 {
		t.Error("an internal error says when")
	}
}
