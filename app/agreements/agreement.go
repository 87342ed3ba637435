// Package agreements keeps what people let apps do with their money. An agreement
// is the one way in which anybody but its owner moves money of an account: it has
// one person, one account and one app, and how much of it is used is counted in
// the ledger, in the chains that move the money.
//
// What is used often is in memory. It is read there and changed there on the
// writer's goroutine only, in the units that change the rows: so it is never older
// than the database, and what a unit of the books asks there, with an Authority's
// Guard, is true until the unit's money has moved.
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
	Expired State = "expired" // its time is over; this is no row's state, but read from the clock
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
	// Zero until then. An agreement that has expired ended when its terms did.
	ApprovedAt, EndedAt, LastUsedAt time.Time
}

// Live reports whether the agreement is active or paused.
func (a Agreement) Live() bool { return a.State == Active || a.State == Paused }

// Ends returns when the agreement's terms end, the zero time for never.
func (a Agreement) Ends() time.Time { return a.Terms.Ends(a.ApprovedAt) }

// Begins returns when it can first be used.
func (a Agreement) Begins() time.Time {
	begins, _ := a.Terms.Begins(a.ApprovedAt)
	return begins
}

// Span returns the interval that a moment is in. It is false before the agreement
// begins and after it ends.
func (a Agreement) Span(moment time.Time) (interval.Span, bool) {
	return a.Terms.At(a.ApprovedAt, moment)
}

// asOf says of a row what the clock says.
func (a Agreement) asOf(now time.Time) Agreement {
	if ends := a.Ends(); a.Live() && !ends.IsZero() && !now.Before(ends) {
		a.State, a.EndedAt = Expired, ends
	}
	return a
}

// Usage is how much of an agreement is used in the interval that a moment is in,
// in units of its asset. Before it begins that is the first one, after it has ended
// the last one, of which nothing is left.
type Usage struct {
	Span              interval.Span
	Limit, Used, Left uint64 // Used contains what is reserved by payments on their way
}
