package web

import (
	"errors"
	"net/url"
	"slices"
	"strings"

	"pochi/app/problem"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"
)

// refusal is a form that isn't acted upon, whatever is in it: a
// problem.Forbidden whose page has a title of its own and, unless the form is
// another site's, a link back to the form.
type refusal struct {
	problem *problem.Error
	title   string
	foreign bool
}

func (e *refusal) Error() string { return e.problem.Error() }
func (e *refusal) Unwrap() error { return e.problem }

func refuse(title, message string) *refusal {
	return &refusal{problem: problem.New(problem.Forbidden, "%s", message), title: title}
}

func noCookie() error {
	return refuse("Your browser kept no cookie",
		"This wallet knows its own forms by one. Nothing was done. Allow cookies for this wallet and try again.")
}

func incomplete() error {
	e := refuse("This form is incomplete", "A part of it was lost on its way. Nothing was done. Open the page again to go on.")
	e.problem.Err = errors.New("no CSRF token")
	return e
}

func outOfDate() error {
	return refuse("This page is out of date",
		"Somebody has logged in or out in this browser since it was opened. Nothing was done. Open it again to go on.")
}

func loggedOut() error {
	return refuse("You are logged out", "Nothing was done. Log in to go on.")
}

func foreign(origin string, cause error) error {
	e := refuse("This form came from elsewhere", "Another website may have sent it in your name. Nothing was done. Open "+origin+" and try there.")
	e.problem.Err, e.foreign = cause, true
	return e
}

// keptMax is how much of a form is kept in an address, in bytes: an address has
// to fit into ReadBufferSize, with the cookies.
const keptMax = 4 << 10

// formPage returns the page with the form that was sent, filled in with what
// was typed, so far as that is no secret; "/" where it isn't known.
func formPage(c *fiber.Ctx) string {
	for _, form := range []struct {
		action, page string
		fields       []string
	}{
		{"/send", "/send", []string{"to", "account", "amount", "side"}},
		{"/deposit", "/deposit", []string{"account", "amount"}},
		{"/accounts", "/accounts", []string{"currency", "name"}},
		{"/accounts/:id", "/accounts/:id/edit", []string{"name"}},
		{"/accounts/:id/close", "/accounts", nil},
		{"/pointers", "/pointers", []string{"name", "account"}},
		{"/pointers/:id", "/pointers", nil},
		{"/quotes/:id/confirm", "/quotes/:id", nil},
		{"/quotes/:id/renew", "/quotes/:id", nil},
		{"/requests", "/requests", []string{"account", "amount", "description", "expires"}},
		{"/requests/:id/cancel", "/requests/:id", nil},
		{"/agreements/connected/:id", "/agreements/connected/:id", nil},
		{"/agreements/:id/lower", "/agreements/:id/lower", []string{"amount"}},
		{"/agreements/:id/revoke", "/agreements/:id/revoke", nil},
		{"/agreements/:id/:act", "/agreements/:id", nil},
		{"/developers/apps", "/developers/apps/new", []string{"name", "kind", "redirect_uris", "policy_url", "terms_url"}},
		{"/developers/apps/:id", "/developers/apps/:id/edit", []string{"name", "redirect_uris", "policy_url", "terms_url"}},
		{"/developers/apps/:id/secret", "/developers/apps/:id/secret", nil},
		{"/developers/apps/:id/delete", "/developers/apps/:id/delete", nil},
		{"/developers/apps/:id/logo", "/developers/apps/:id", nil},
		{"/developers/apps/:id/logo/remove", "/developers/apps/:id", nil},
		{"/login", "/login", []string{"next", "login_challenge"}},
		{"/signup", "/signup", []string{"next", "login_challenge"}},
		{pathOAuthConsent, pathOAuthConsent, []string{"consent_challenge", "account", "amount"}},
		{pathOAuthLogout, pathOAuthLogout, []string{"logout_challenge"}},
	} {
		if !fiber.RoutePatternMatch(c.Path(), form.action) {
			continue
		}
		page := form.page
		if at := slices.Index(strings.Split(form.action, "/"), ":id"); at >= 0 {
			page = strings.Replace(page, ":id", strings.Split(c.Path(), "/")[at], 1)
		}
		kept := url.Values{}
		for _, field := range form.fields {
			if value := text(c, field); value != "" {
				kept.Set(field, value)
			}
		}
		if query := kept.Encode(); query != "" && len(query) <= keptMax {
			page += "?" + query
		}
		return page
	}
	return "/"
}

// wayBack is the link on the page that refuses a form: to the form, by the
// log-in page for who has to log in.
func wayBack(c *fiber.Ctx) (text, to string) {
	page := formPage(c)
	switch {
	case person(c).ID != uuid.Nil || slices.Contains(LoggedOutForms, c.Path()):
		return "Open the page again", page
	case page == "/":
		return "Log in", "/login"
	}
	return "Log in", "/login?" + query("next", page)
}
