package views

import "net/http"

// ErrorFor is the page for an HTTP status, in words that fit wherever it
// happens. Who knows better what happened changes the words.
func ErrorFor(status int) ErrorPage {
	e := ErrorPage{Status: status, LinkText: "Go home", LinkURL: "/"}
	switch status {
	case http.StatusBadRequest:
		e.Title, e.Message = "That didn't come through", "The page sent something that we can't read. Go back and try again."
	case http.StatusForbidden:
		e.Title, e.Message = "This page is out of date", "You may have logged out or in since it was opened. Nothing was changed. Go back, load the page again and repeat."
	case http.StatusNotFound:
		e.Title, e.Message = "There is nothing here", "The address may be mistyped, or what was here is gone."
	case http.StatusMethodNotAllowed:
		e.Title, e.Message = "That doesn't work here", "This address can't be used like that. Nothing was changed."
	case http.StatusRequestEntityTooLarge:
		e.Title, e.Message = "That is too much", "What was sent is larger than this page takes. Nothing was changed."
	case http.StatusTooManyRequests:
		e.Title, e.Message = "Too many tries", "Please wait a minute, then try again."
	case http.StatusServiceUnavailable:
		e.Title, e.Message = "Not available right now", "A part of the wallet doesn't answer. Your money is safe. Please try again in a minute."
	default:
		e.Title, e.Message = "Something went wrong", "It is our fault and we have a record of it. If you were paying, look at your last movements before you try again."
	}
	return e
}
