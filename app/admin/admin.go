// Package admin is what the people who run a wallet do to it from the command
// line. Handler does it; Client finds who runs the handler: a running wallet,
// over the socket in its data folder, or else the command itself, which then
// has the database to itself. Lists only read the database, beside whoever
// writes it.
//
// The socket speaks HTTP with JSON: POST and a path, no body; 200 and the thing
// as it is now, or another status and an answer such as
// {"code": "conflict", "message": "Item 3 was paid before."}. Whoever may open
// the socket, its owner, may do everything.
package admin

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"pochi/app/payments"
	"pochi/app/problem"

	"github.com/google/uuid"
)

// requestMax is how long a request may take: less than the client waits.
const requestMax = 20 * time.Second

// Reviewer is what the handler needs of payments.
type Reviewer interface {
	Resolve(ctx context.Context, item int64, pay bool) (payments.Suspense, bool, error)
	Return(ctx context.Context, id uuid.UUID) (payments.Outgoing, bool, error)
}

// Services are what the handler works with.
type Services struct {
	Payments Reviewer
	Database string // of DatabaseKey
	Log      *slog.Logger
}

// The paths of what can be done.
func pathRelease(item int64) string  { return "/suspense/" + strconv.FormatInt(item, 10) + "/release" }
func pathPay(item int64) string      { return "/suspense/" + strconv.FormatInt(item, 10) + "/pay" }
func pathReturn(id uuid.UUID) string { return "/payments/" + id.String() + "/return" }

// Handler answers the requests of Client. Each is safe to repeat.
func Handler(s Services) http.Handler {
	mux := http.NewServeMux()
	for pattern, answer := range map[string]answerer{
		"POST /suspense/{item}/release": func(r *http.Request) (any, error) { return s.resolve(r, false) },
		"POST /suspense/{item}/pay":     func(r *http.Request) (any, error) { return s.resolve(r, true) },
		"POST /payments/{id}/return":    s.returnPayment,
		"/": func(*http.Request) (any, error) {
			return nil, problem.New(problem.NotFound, "The running wallet doesn't know this command: it is of another version.")
		},
	} {
		mux.Handle(pattern, s.guard(answer))
	}
	return http.TimeoutHandler(mux, requestMax, `{"code": "unavailable", "message": "The wallet took too long. Repeat the command to see whether it was done."}`)
}

// answerer does what a request asks for and returns what to say.
type answerer func(r *http.Request) (any, error)

// guard refuses requests that mean another database than this one.
func (s Services) guard(answer answerer) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var body any
		err := errOtherDatabase(r.Header.Get(databaseHeader), s.Database)
		if err == nil {
			body, err = answer(r)
		}
		status := http.StatusOK
		switch {
		case err == nil:
			s.Log.Info("admin command", "path", r.URL.Path)
		case problem.CodeOf(err) == problem.Internal:
			s.Log.Error("admin command failed", "path", r.URL.Path, "error", err)
		default:
			s.Log.Info("admin command refused", "path", r.URL.Path, "error", err)
		}
		if err != nil {
			status, body = problem.Status(err), faultOf(err)
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(body) // who asked may have gone: they repeat it
	}
}

func (s Services) resolve(r *http.Request, pay bool) (any, error) {
	item, err := strconv.ParseInt(r.PathValue("item"), 10, 64)
	if err != nil {
		return nil, problem.New(problem.Invalid, "%q is no item's number.", r.PathValue("item"))
	}
	resolved, repeated, err := s.Payments.Resolve(r.Context(), item, pay)
	if err != nil {
		return nil, err
	}
	out := newSuspenseItem(resolved)
	out.Repeated = repeated
	return out, nil
}

func (s Services) returnPayment(r *http.Request) (any, error) {
	id, err := uuid.Parse(r.PathValue("id"))
	if err != nil {
		return nil, problem.New(problem.Invalid, "%q is no payment's id.", r.PathValue("id"))
	}
	p, repeated, err := s.Payments.Return(r.Context(), id)
	if err != nil {
		return nil, err
	}
	out := newPayment(p, "")
	out.Repeated = repeated
	return out, nil
}

// fault is an answer that isn't what was asked for. Whoever reads it runs the
// wallet: the cause of an internal error is for them.
type fault struct {
	Code    problem.Code `json:"code"`
	Field   string       `json:"field,omitempty"`
	Message string       `json:"message"`
}

func faultOf(err error) fault {
	f := fault{Code: problem.CodeOf(err), Message: problem.MessageOf(err)}
	if f.Code == problem.Internal {
		f.Message = err.Error()
	}
	for field := range problem.Fields(err) {
		f.Field = field
	}
	return f
}

func (f fault) problem(status int) error {
	return &problem.Error{Code: f.Code, Field: f.Field, Message: f.Message, HTTP: status}
}
