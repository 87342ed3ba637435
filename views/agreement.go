package views

import "strconv"

// AppMark is how an app is shown: its logo, or a letter.
type AppMark struct {
	Name string
	Logo string // URL, "" for none
}

// AgreementState is where an agreement stands.
type AgreementState string

// The states of an agreement.
const (
	AgreementActive  AgreementState = "active"
	AgreementWaiting AgreementState = "waiting" // its beginning is to come
	AgreementUsedUp  AgreementState = "used-up" // nothing is left in the interval that runs
	AgreementPaused  AgreementState = "paused"
	AgreementRevoked AgreementState = "revoked"
	AgreementExpired AgreementState = "expired"
	AgreementOver    AgreementState = "over" // ended by somebody
)

// Ended tells that it can't be used ever again.
func (s AgreementState) Ended() bool {
	return s == AgreementRevoked || s == AgreementOver || s == AgreementExpired
}

// word is the state for people.
func (s AgreementState) word() string {
	switch s {
	case AgreementWaiting:
		return "Not begun"
	case AgreementUsedUp:
		return "Used up"
	case AgreementPaused:
		return "Paused"
	case AgreementRevoked:
		return "Revoked"
	case AgreementOver:
		return "Ended"
	case AgreementExpired:
		return "Expired"
	default:
		return "Active"
	}
}

// until begins the sentence that ends with when the next period does.
func (s AgreementState) until() string {
	switch s {
	case AgreementWaiting:
		return "Begins on "
	case AgreementUsedUp:
		return "Nothing left until "
	default:
		return "Renews on "
	}
}

// Use is how much of an agreement is used in the period that runs.
type Use struct {
	Limit   Money
	Per     string // "a month", "in all"
	Used    Money  // with what is on its way
	Left    Money
	Percent int    // used, 0 to 100: 100 only when nothing is left
	Renews  Moment // zero when it doesn't
	Exactly bool   // Renews is a time of the day, too
}

// level names how far the bar is filled, in colours.
func (u Use) level() string {
	switch {
	case u.Percent >= 100:
		return "full"
	case u.Percent >= 80:
		return "near"
	}
	return "fine"
}

// width of the bar's filled part, in hundredths: something used is seen.
func (u Use) width() string { return strconv.Itoa(u.Percent) }

// AgreementRow is an agreement in the list.
type AgreementRow struct {
	ID          string
	App         AppMark
	Description string // in the app's words, "" for none
	State       AgreementState
	Use         Use
	LastUsed    Moment // zero for never
	Ended       Moment // zero while it isn't
	Ends        Moment // when it will, zero for never
	Unused      bool   // for so long that it may not be needed any more
}

// AgreementNotice tells that an agreement is nearly used up, or is, or why it is paused.
// Closing it posts period and kind to /agreements/ID/notice, with next.
type AgreementNotice struct {
	AgreementID string // "" for several
	Text        string // "Flower Shop has used €10.00 EUR of €12.00 EUR a month."
	Period      string
	Kind        string // "near" or "reached", "" for what can't be closed
	Next        string // path to come back to
	Here        bool   // the page is the agreement's own
}

// AgreementList is the page of all apps and agreements.
type AgreementList struct {
	Current []AgreementRow
	Ended   []AgreementRow
}

// AgreementEvent is a line of an agreement's timeline.
type AgreementEvent struct {
	Text string // "You lowered the limit to €5.00 EUR."
	At   Moment
}

// AgreementPage is one agreement with a page of what was paid under it.
type AgreementPage struct {
	AgreementRow
	Can       []string
	Cannot    []string
	Account   string // that it is paid from
	AccountID string
	Events    []AgreementEvent
	Notices   []AgreementNotice
	Days      []Day
	Older     string // cursor of the next older page, "" at the end
	Later     bool   // this is not the newest page
}

// path of the agreement's page.
func (r AgreementRow) path() string { return "/agreements/" + r.ID }

// AgreementLower is the form that lowers a limit.
// Fields posted to /agreements/ID/lower: amount.
type AgreementLower struct {
	ID     string
	App    AppMark
	Use    Use
	Amount string // as typed
	Errors Errors
}

// AgreementRevoke asks whether an agreement is to end. Posts to
// /agreements/ID/revoke.
type AgreementRevoke struct {
	ID      string
	App     AppMark
	Use     Use
	Effects []string // sentences
}
