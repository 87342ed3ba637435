package web

import (
	"strings"

	"pochi/views"

	"github.com/gofiber/fiber/v2"
)

// showOAuthError is where Hydra sends the browser when a request is so wrong
// that it can't go back to the app. Anybody can write such an address: nothing
// of it is shown but a code that is listed here, and it is no error of ours.
func (s *Site) showOAuthError(c *fiber.Ctx) error {
	code := strings.Clone(c.Query("error"))
	page := views.ErrorPage{Status: fiber.StatusBadRequest, LinkText: "Go home", LinkURL: "/"}
	switch code {
	case "request_forbidden", "request_unauthorized", "login_required", "consent_required", "interaction_required":
		page.Title = "We lost track of this request"
		page.Message = "It was open for too long, was answered before, or your browser kept no cookies. Go back to the app and start again there."
	case "access_denied":
		page.Title = "It wasn't allowed"
		page.Message = "Nothing was shared with the app."
	case "server_error", "temporarily_unavailable":
		page.Title = "Apps can't be connected right now"
		page.Message = "Everything else in your wallet works. Please try again in a minute."
	case "invalid_client", "unauthorized_client":
		page.Title = "We don't know this app"
		page.Message = "The app that sent you here isn't registered with this wallet. Nothing was shared with it. Its makers may want to know: " + code + "."
	case "invalid_request", "invalid_scope", "invalid_grant", "invalid_state", "unsupported_response_type",
		"request_not_supported", "request_uri_not_supported", "registration_not_supported":
		page.Title = "The app made a mistake"
		page.Message = "The app that sent you here asked for something that doesn't work. Nothing was shared with it. Its makers may want to know: " + code + "."
		if strings.Contains(c.Query("error_description"), "redirect_uri") { // Hydra's only hint at what developers most often get wrong
			page.Message += " The address to come back to (redirect_uri) has to be one that is registered."
		}
	default:
		page.Title = "That didn't work"
		page.Message = "Something went wrong between the app and your wallet. Nothing was shared with it. Go back to the app and start again there."
	}
	return s.showMessage(c, page)
}
