// Package agreements keeps what people let apps do with their money. An agreement
// is the one way in which anybody but its owner moves money of an account: it has
// one person, one account and one app, and how much of it is used is counted in
// the ledger, in the chains that move the money.
package agreements

import (
	"time"

	"pochi/app/agreements/interval"

	"github.com/google/uuid"
)

// State is where an agreement stands.
type State string

// The states.
const (
	Pending State = "pending" // an app has asked, nobody has answered
	Active  State = "active"
	Paused  State = "paused"  // by its owner, who can resume it
	Revoked State = "revoked" // by its owner, or given up by the app
	Expired State = "expired" // its time is over
)

// Agreement is what a person has allowed an app, or what an app has asked for.
type Agreement struct {
	ID        uuid.UUID
	UserID    uuid.UUID // zero while pending
	AccountID uuid.UUID // zero while pending
	ClientID  string
	App       string // what the app was called when it asked
	Terms            // as granted
	Asked     uint64 // the amount that the app asked for, in units of Amount.Asset
	State     State
	CreatedAt time.Time
	// Zero until then.
	ApprovedAt, EndedAt, LastUsedAt time.Time
}

// Usage is how much of an agreement is used in the interval that a moment is in,
// in units of its asset.
type Usage struct {
	Span              interval.Span
	Limit, Used, Left uint64 // Used contains what is reserved by payments on their way
}
