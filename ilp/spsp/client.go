package spsp

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
)

// maxBody is the largest answer that is read, in bytes.
const maxBody = 32 << 10

// Client asks payment pointers for their details.
type Client struct {
	// HTTP makes the request; its policies on addresses, redirects and time are the caller's.
	HTTP *http.Client
}

// Query asks url, which a pointer.Pointer gave. A failure is an *Error.
func (c Client) Query(ctx context.Context, url string) (Details, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return Details{}, &Error{NotAPointer, err}
	}
	req.Header.Set("Accept", Accept)
	resp, err := c.HTTP.Do(req)
	if err != nil {
		return Details{}, &Error{NoAnswer, err}
	}
	defer resp.Body.Close()
	if err := checkStatus(resp.StatusCode); err != nil {
		return Details{}, err
	}
	return read(resp)
}

func checkStatus(status int) error {
	err := fmt.Errorf("status %d", status)
	switch {
	case status == http.StatusOK:
		return nil
	case status == http.StatusNotFound || status == http.StatusGone:
		return &Error{NotFound, err}
	case status >= 500 || status == http.StatusTooManyRequests:
		return &Error{NoAnswer, err}
	}
	return &Error{NotAPointer, err}
}

func read(resp *http.Response) (Details, error) {
	mediaType, _, err := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	if err != nil {
		return Details{}, &Error{NotAPointer, err}
	}
	switch mediaType {
	case ContentType, ContentTypeOld, "application/json":
	default:
		return Details{}, &Error{NotAPointer, fmt.Errorf("content type %q", mediaType)}
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxBody+1))
	if err != nil {
		return Details{}, &Error{NoAnswer, err}
	}
	if len(body) > maxBody {
		return Details{}, &Error{NotAPointer, errors.New("answer is too long")}
	}
	var d Details
	if err := json.Unmarshal(body, &d); err != nil {
		return Details{}, &Error{NotAPointer, err}
	}
	return d, nil
}
