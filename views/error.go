package views

import "net/http"

// ErrorFor is the page for an HTTP status that says message. Who knows better
// what happened changes title and link.
func ErrorFor(status int, message string) ErrorPage {
	return ErrorPage{Status: status, Title: errorTitle(status), Message: message, LinkText: "Go home", LinkURL: "/"}
}

func errorTitle(status int) string {
	switch status {
	case http.StatusBadRequest, http.StatusUnsupportedMediaType, http.StatusRequestHeaderFieldsTooLarge:
		return "That didn't come through"
	case http.StatusForbidden:
		return "That isn't allowed"
	case http.StatusNotFound:
		return "There is nothing here"
	case http.StatusMethodNotAllowed, http.StatusNotImplemented:
		return "That doesn't work here"
	case http.StatusRequestTimeout:
		return "The connection is too slow"
	case http.StatusConflict:
		return "That isn't possible any more"
	case http.StatusGone:
		return "It is over"
	case http.StatusRequestEntityTooLarge:
		return "That is too much"
	case http.StatusUnprocessableEntity:
		return "That can't be done"
	case http.StatusTooManyRequests:
		return "Please wait"
	case http.StatusServiceUnavailable:
		return "Not available right now"
	}
	return "Something went wrong"
}
