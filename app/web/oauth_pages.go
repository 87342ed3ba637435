package web

import (
	"context"

	"pochi/app/agreements"
	"pochi/app/oauth"
	"pochi/app/problem"
	"pochi/app/sessions"
	"pochi/views"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"
)

// OAuth is what the pages for apps need. An oauth.Provider is the first three:
// Hydra sends browsers to these pages when an app wants to know who somebody
// is, wants to be allowed something, or wants them logged out.
type OAuth struct {
	Logins    Logins
	Consents  Consents
	Logouts   Logouts
	Approvals Approvals
	Logos     Logos          // nil where no app has a logo
	Apps      RegisteredApps // nil where any client is one
	StepUp    uint64         // whole units of a currency: to allow more in four weeks takes the password; 0: no amount does
	Key       [32]byte       // seals consent forms; kept over restarts
}

// Approvals makes agreements of what apps ask for. Errors are those of package
// agreements.
type Approvals interface {
	Check(t agreements.Terms) (agreements.Terms, error)
	Proposal(ctx context.Context, clientID string, id uuid.UUID) (agreements.Agreement, error)
	Approve(ctx context.Context, p agreements.Approval) (agreements.Agreement, error)
	Answered(ctx context.Context, userID uuid.UUID, consent [32]byte) (agreements.Agreement, error)
	Withdraw(ctx context.Context, userID uuid.UUID, consent [32]byte) error
}

// Logos knows the logos of the apps that people have registered.
type Logos interface {
	// Logos returns the logos' versions by client; an app without one is left out.
	Logos(ctx context.Context, clientIDs []string) (map[string]string, error)
}

// RegisteredApps knows which clients are apps that people have registered.
type RegisteredApps interface {
	// Registered returns nil for an app of this wallet, problem.Gone for one that was
	// deleted, and problem.NotFound for any other client.
	Registered(ctx context.Context, clientID string) error
}

// Logins answers login challenges. Errors are those of package oauth.
type Logins interface {
	Login(ctx context.Context, challenge string) (oauth.LoginRequest, error)
	AcceptLogin(ctx context.Context, challenge, subject string) (string, error)
	RejectLogin(ctx context.Context, challenge string, reason oauth.Reason) (string, error)
}

// Consents answers consent challenges. Errors are those of package oauth.
type Consents interface {
	Consent(ctx context.Context, challenge string) (oauth.ConsentRequest, error)
	AcceptConsent(ctx context.Context, challenge string, grant oauth.Grant) (string, error)
	RejectConsent(ctx context.Context, challenge string, reason oauth.Reason) (string, error)
}

// Logouts answers logout challenges. Errors are those of package oauth.
type Logouts interface {
	Logout(ctx context.Context, challenge string) (oauth.LogoutRequest, error)
	AcceptLogout(ctx context.Context, challenge string) (string, error)
	RejectLogout(ctx context.Context, challenge string) error
}

// The paths of the pages, as Hydra's configuration names them.
const (
	pathOAuthLogin   = "/oauth/login"
	pathOAuthConsent = "/oauth/consent"
	pathOAuthLogout  = "/oauth/logout"
	pathOAuthError   = "/oauth/error"
)

// oauthRoutes mounts the pages for apps.
func (s *Site) oauthRoutes(r fiber.Router) {
	r.Get(pathOAuthLogin, s.oauthPage(s.showOAuthLogin))
	r.Get(pathOAuthConsent, s.oauthPage(s.showConsent))
	r.Post(pathOAuthConsent, s.oauthPage(s.decideConsent))
	r.Get(pathOAuthLogout, s.oauthPage(s.showOAuthLogout))
	r.Post(pathOAuthLogout, s.oauthPage(s.decideOAuthLogout))
	r.Get(pathOAuthError, s.oauthPage(s.showOAuthError))
}

// oauthPage makes an answer of what Hydra didn't do, too.
func (s *Site) oauthPage(handler fiber.Handler) fiber.Handler {
	return func(c *fiber.Ctx) error {
		c.Set(fiber.HeaderCacheControl, "no-store")
		if err := handler(c); err != nil {
			return s.oauthTrouble(c, err)
		}
		return nil
	}
}

// oauthTrouble sends the browser on where Hydra knows better, else shows what
// is wrong. What is a bug stays an error.
func (s *Site) oauthTrouble(c *fiber.Ctx, err error) error {
	if to, ok := oauth.RedirectOf(err); ok {
		return see(c, to)
	}
	page := views.ErrorFor(problem.Status(err), problem.MessageOf(err))
	switch problem.CodeOf(err) {
	case problem.NotFound:
		page.Title = "We don't know this request"
	case problem.Gone:
		page.Title = "This request is over"
	case problem.Unavailable:
		page.Title = "Apps can't be connected right now"
		s.Log.WarnContext(c.UserContext(), "hydra doesn't answer", "request_id", RequestID(c), "path", c.Path(), "error", err)
	case problem.Invalid:
		page.Title = "Nothing was decided"
	default:
		return err
	}
	return s.showMessage(c, page)
}

// isSubject tells whether whom Hydra means is logged in in this browser.
func isSubject(c *fiber.Ctx, subject string) bool {
	session, ok := sessions.Current(c)
	return ok && session.UserID.String() == subject
}

// undecided is for a form that came back without one of its two buttons.
func undecided() error {
	return problem.New(problem.Invalid, "Neither button was pressed. Go back and choose one.")
}
