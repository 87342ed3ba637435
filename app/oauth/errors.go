package oauth

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"pochi/app/problem"

	hydra "github.com/ory/hydra-client-go/v2"
)

// redirectError is a challenge that was answered before; Hydra knows where the
// browser should go on.
type redirectError struct {
	to  string
	err error
}

func (e *redirectError) Error() string { return e.err.Error() }
func (e *redirectError) Unwrap() error { return e.err }

// RedirectOf tells where the browser should be sent instead of showing err, if
// Hydra said so. The URL is absolute.
func RedirectOf(err error) (string, bool) {
	var e *redirectError
	if errors.As(err, &e) {
		return e.to, true
	}
	return "", false
}

func unavailable(err error) error {
	return problem.New(problem.Unavailable,
		"The part of the wallet that connects apps doesn't answer. Everything else works; please try again in a minute.").Because(err)
}

func unknown(err error) error {
	return problem.New(problem.NotFound,
		"Its address may be damaged, or it was answered long ago. Go back to the app and start again there.").Because(err)
}

func gone(err error) error {
	return problem.New(problem.Gone,
		"It has expired or was answered before. Go back to the app and start again there.").Because(err)
}

// failed turns what the client returned into a problem. resp may be nil.
func (p *Provider) failed(what string, resp *http.Response, err error) error {
	err = fmt.Errorf("%s: %w", what, withoutURL(err))
	if resp == nil {
		return unavailable(err)
	}
	switch code := resp.StatusCode; {
	case code == http.StatusNotFound:
		return unknown(err)
	case code == http.StatusUnauthorized, code == http.StatusConflict: // expired; answered at the same time
		return gone(err)
	case code == http.StatusGone:
		return p.goneTo(err)
	case code >= 400 && code < 500 && code != http.StatusTooManyRequests:
		return err // our mistake
	default: // 5xx, redirects, and 2xx that isn't what it should be
		return unavailable(err)
	}
}

// withoutURL drops the URL that net/http puts into its errors: it holds a
// challenge, and errors reach the log.
func withoutURL(err error) error {
	var e *url.Error
	if errors.As(err, &e) {
		return e.Err
	}
	return err
}

// goneTo reads the address that Hydra gives with 410.
func (p *Provider) goneTo(err error) error {
	var answer *hydra.GenericOpenAPIError
	if !errors.As(err, &answer) {
		return gone(err)
	}
	model, ok := answer.Model().(hydra.OAuth2RedirectTo)
	if !ok {
		return gone(err)
	}
	to, badAddress := p.absolute(model.RedirectTo)
	if badAddress != nil {
		return gone(err)
	}
	return &redirectError{to: to, err: gone(err)}
}
