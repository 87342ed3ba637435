// Package ilphttp carries ILP packets over HTTP. A Server takes packets from peers, an Endpoint sends them to one. Both are
// net/http and nothing else.
//
// In synchronous mode a Prepare is the body of a POST, its Fulfill or Reject the body of the response (RFC 35 before its draft
// 3; it is what deployed peers speak). In asynchronous mode, per peer and direction, the response is a 202, and the reply
// comes in a POST to a callback, with the same Request-Id (what RFC 35 has now). A Callback sends those, a Server takes them, and
// Pending joins them with the Endpoint that waits. A reply in the response is taken in that mode too.
//
// What HTTP says and what it can't:
//
//   - An ILP answer, Fulfill or Reject, in a response is always a 200 with Content-Type application/octet-stream. Any other status is about
//     HTTP: who asks, and whether the body is a packet at all.
//   - A Reject means that no money moved. Where nobody can say that, no ILP answer is given: the Server answers 500 or doesn't
//     call back, the Endpoint returns an *UnknownError.
//   - A Prepare is sent once. Neither this package nor the transport below it sends it again, whatever happens. A reply to a
//     callback is sent until the peer has it or the Prepare expires: the peer takes the first.
//   - A callback counts only from the peer that got the Prepare, as its token proves, and replies go only to the one URL that
//     was agreed on with a peer, whatever its request says.
//   - What has begun is finished: neither side drops a packet because somebody hung up.
package ilphttp

import (
	"mime"
	"strings"
)

// Path is where a Server takes packets, CallbackPath where it takes replies in asynchronous mode. Below AgreementPath is where each
// agreement takes packets, by its id, a UUID in its usual form.
const (
	Path          = "/ilp"
	CallbackPath  = "/ilp/callback"
	AgreementPath = "/ilp/agreements/"
)

// The media types of a packet. ContentType is RFC 35's and what is sent; ContentTypeOld comes from ilp-plugin-http.
const (
	ContentType    = "application/octet-stream"
	ContentTypeOld = "application/ilp+octet-stream"
)

// The largest bodies that are read, in bytes: more than the largest legal packets (33,857 and 41,997), because bytes after a
// packet are legal too and ignored (RFC 30).
const (
	MaxRequestBody  = 40_000
	MaxResponseBody = 48_000
)

// isPacket reports whether a Content-Type header is that of a packet. Parameters don't matter.
func isPacket(header string) bool {
	if header == ContentType || header == ContentTypeOld {
		return true
	}
	mediaType, _, err := mime.ParseMediaType(header)
	return err == nil && (strings.EqualFold(mediaType, ContentType) || strings.EqualFold(mediaType, ContentTypeOld))
}
