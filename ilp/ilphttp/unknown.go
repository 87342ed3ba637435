package ilphttp

import (
	"pochi/ilp/connector"
	"pochi/ilp/packet"
)

// UnknownError says that a whole packet may have reached a peer, and that no answer came from which one could tell whether the
// peer fulfilled it. errors.Is finds connector.ErrUnknown in it.
//
// By the protocol nothing is owed without a fulfillment that came before the packet's expiry, so whoever forwards a packet may
// send Reject back, as deployed connectors do; but a peer that fulfilled will claim the money, so it is not a packet that
// simply failed.
type UnknownError struct {
	// Reject is what deployed connectors would send back: R00 if no answer came in time, T01 if the connection broke, T00 if
	// what came was a status of 5xx or no ILP answer.
	Reject *packet.Reject
	// Status is the HTTP status that came, or 0.
	Status int
	// Err is the reason.
	Err error
}

// Error returns the reason.
func (e *UnknownError) Error() string { return "ilphttp: outcome unknown: " + e.Err.Error() }

// Unwrap returns connector.ErrUnknown and the reason.
func (e *UnknownError) Unwrap() []error { return []error{connector.ErrUnknown, e.Err} }

// Relay returns Reject; see connector.Link.
func (e *UnknownError) Relay() *packet.Reject { return e.Reject }
