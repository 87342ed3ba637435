// Package admin is what the people who run a wallet do to it from the command
// line. Handler does it; Client finds who runs the handler: a running wallet,
// over the socket in its data folder, or else the command itself, which then
// has the database to itself. Lists only read the database, beside whoever
// writes it.
//
// The socket speaks HTTP with JSON: POST and a path, and a body where there is
// more to say; 200 and the things as they are now, or another status and an
// answer such as {"code": "conflict", "message": "Item 3 was paid before."}.
// Whoever may open the socket, its owner, may do everything. Passwords and
// tokens are in bodies only, and bodies are not logged.
package admin

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"

	"pochi/app/payments"
	"pochi/app/problem"

	"github.com/google/uuid"
)

// requestMax is how long a request may take: less than the client waits.
const requestMax = 20 * time.Second

// Reviewer is what the handler needs of payments.
type Reviewer interface {
	Resolve(ctx context.Context, item int64, pay bool) (group []payments.Suspense, repeated bool, err error)
	Return(ctx context.Context, id uuid.UUID) (p payments.Payer, repeated bool, err error)
	PayerOf(ctx context.Context, id uuid.UUID) (p payments.Payer, found bool, err error)
}

// Services are what the handler works with.
type Services struct {
	Payments Reviewer
	Peers    Peers
	People   People
	Rates    Rates
	Clients  Clients
	Apps     Apps
	Database string // of DatabaseKey
	Log      *slog.Logger
}

// The paths of what can be done.
func pathRelease(item int64) string  { return "/suspense/" + strconv.FormatInt(item, 10) + "/release" }
func pathPay(item int64) string      { return "/suspense/" + strconv.FormatInt(item, 10) + "/pay" }
func pathReturn(id uuid.UUID) string { return "/payments/" + id.String() + "/return" }

// Handler answers the requests of Client. Each is safe to repeat: what can't be
// done twice is refused.
func Handler(s Services) http.Handler {
	mux := http.NewServeMux()
	for pattern, answer := range map[string]answerer{
		"POST /suspense/{item}/release": func(r *http.Request) (answer, error) { return s.resolve(r, false) },
		"POST /suspense/{item}/pay":     func(r *http.Request) (answer, error) { return s.resolve(r, true) },
		"POST /payments/{id}/return":    s.returnPayment,
		"POST /peers/{name}/add":        s.addPeer,
		"POST /peers/{name}/update":     s.updatePeer,
		"POST /peers/{name}/remove":     s.removePeer,
		"POST /peers/{name}/ping":       s.pingPeer,
		"POST /peers/{name}/settle":     s.settlePeer,
		"POST /users/add":               s.addPerson,
		"POST /rates/{from}/{to}":       s.setRate,

		"POST /rates/{from}/{to}/remove": s.removeRate,

		"POST " + pathAddClient:    s.addClient,
		"POST " + pathListClients:  s.listClients,
		"POST " + pathRemoveClient: s.removeClient,
		"POST " + pathAddApp:       s.addApp,

		"POST /peers/{name}/doubts/{reference}/dismiss": func(r *http.Request) (answer, error) { return s.resolveDoubt(r, false) },
		"POST /peers/{name}/doubts/{reference}/accept":  func(r *http.Request) (answer, error) { return s.resolveDoubt(r, true) },
		"/": func(*http.Request) (answer, error) {
			return answer{}, problem.New(problem.NotFound, "The running wallet doesn't know this command: it is of another version.")
		},
	} {
		mux.Handle(pattern, s.guard(answer))
	}
	return http.TimeoutHandler(mux, requestMax, `{"code": "unavailable", "message": "The wallet took too long. Repeat the command to see whether it was done."}`)
}

// answer is what to say, and what of it goes to the log.
type answer struct {
	body     any
	repeated bool
	amount   string
	state    string
}

// recorder is an answer's body that has more for the log than the path says.
type recorder interface{ record() []any }

// attributes are what goes to the log: never a password or a token.
func (a answer) attributes() []any {
	out := []any{"repeated", a.repeated}
	if a.amount != "" {
		out = append(out, "amount", a.amount)
	}
	if a.state != "" {
		out = append(out, "state", a.state)
	}
	if more, ok := a.body.(recorder); ok {
		out = append(out, more.record()...)
	}
	return out
}

// answerer does what a request asks for.
type answerer func(r *http.Request) (answer, error)

// guard refuses requests that mean another database than this one, or that
// nobody waits for any more, and logs the others.
func (s Services) guard(do answerer) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var done answer
		err := errOtherDatabase(r.Header.Get(databaseHeader), s.Database)
		if err == nil {
			done, err = inTime(do, r, time.Now())
		}
		s.log(r, done, err)
		status, body := http.StatusOK, done.body
		if err != nil {
			status, body = problem.Status(err), faultOf(err)
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(body) // who asked may have gone: they repeat it
	}
}

func (s Services) log(r *http.Request, done answer, err error) {
	record(s.Log.With("path", r.URL.Path).With(callerAttributes(r.Context())...), done, err)
}

// record logs what became of a command; log says which, and whose.
func record(log *slog.Logger, done answer, err error) {
	switch {
	case err == nil:
		log.Info("admin command", done.attributes()...)
	case problem.CodeOf(err) == problem.Internal:
		log.Error("admin command failed", "error", err)
	default:
		log.Info("admin command refused", "error", err)
	}
}

// deadlineHeader says, in unix microseconds, until when somebody waits for the
// answer. They are told afterwards that nobody knows what became of the command:
// it is not to be done later.
const deadlineHeader = "Pochi-Deadline"

// inTime does what is asked for, unless its time is over.
func inTime(do answerer, r *http.Request, now time.Time) (answer, error) {
	micros, err := strconv.ParseInt(r.Header.Get(deadlineHeader), 10, 64)
	if err != nil {
		return answer{}, problem.New(problem.Invalid, "The command doesn't say until when it may be done: it is of another version.")
	}
	deadline := time.UnixMicro(micros)
	if !now.Before(deadline) {
		return answer{}, problem.New(problem.Gone, "Nobody waits for this command any more. Nothing was done.")
	}
	ctx, cancel := context.WithDeadline(r.Context(), deadline)
	defer cancel()
	return do(r.WithContext(ctx))
}

func (s Services) resolve(r *http.Request, pay bool) (answer, error) {
	item, err := strconv.ParseInt(r.PathValue("item"), 10, 64)
	if err != nil {
		return answer{}, problem.New(problem.Invalid, "%q is no item's number.", r.PathValue("item"))
	}
	group, repeated, err := s.Payments.Resolve(r.Context(), item, pay)
	if err != nil {
		return answer{}, err
	}
	out := make([]SuspenseItem, len(group))
	amounts := make([]string, len(group))
	for i, resolved := range group {
		out[i] = newSuspenseItem(resolved)
		out[i].Repeated = repeated
		amounts[i] = sum(resolved).String()
	}
	return answer{out, repeated, strings.Join(amounts, ", "), group[0].State}, nil
}

func (s Services) returnPayment(r *http.Request) (answer, error) {
	id, err := uuid.Parse(r.PathValue("id"))
	if err != nil {
		return answer{}, problem.New(problem.Invalid, "%q is no payment's id.", r.PathValue("id"))
	}
	p, repeated, err := s.Payments.Return(r.Context(), id)
	if err != nil {
		return answer{}, err
	}
	out := newPayment(p)
	out.Repeated = repeated
	return answer{out, repeated, p.Back().String(), string(p.State)}, nil
}
