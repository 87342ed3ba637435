package views

// RequestState is where a payment request stands.
type RequestState string

// The states of a payment request.
const (
	RequestOpen      RequestState = "open"
	RequestCompleted RequestState = "completed" // it got what it asked for
	RequestExpired   RequestState = "expired"
	RequestCancelled RequestState = "cancelled"
)

// RequestRow is a payment request in the list of a person's.
type RequestRow struct {
	ID          string
	Amount      Money  // asked; zero for whatever is paid
	Description string // "" for none
	App         bool   // an app asked for it
	State       RequestState
	Received    Money // zero while nothing was
	Created     Moment
}

// RequestList is the page on which a person asks to be paid, and sees what they asked
// for. Fields posted to /requests: account, amount, description, expires.
type RequestList struct {
	Accounts    []Option // id, "Everyday · USD"
	Account     string
	Amount      string
	Description string
	Expires     string // value of one of the Lifetimes
	Lifetimes   []Option
	Requests    []RequestRow
	Older       string // cursor of the next older page, "" at the end
	Later       bool   // this is not the newest page
	Errors      Errors
}

// RequestShow is a payment request as its owner sees it. Posts to /requests/ID/cancel.
type RequestShow struct {
	ID          string
	URL         string // to share
	QR          QR     // of the URL
	State       RequestState
	Amount      Money // asked; zero for whatever is paid
	Most        Money // that is taken; zero without an amount
	Received    Money
	Description string // "" for none
	App         bool   // an app asked for it
	Account     string // name of the account that is paid
	AccountID   string
	Created     Moment
	Expires     Moment // zero for never
	Cancelled   Moment // zero unless it was
	Days        []Day  // what was paid, latest first
	More        bool   // there is more than that
}

// RequestPay is a payment request as everybody else sees it: nothing in it is private.
type RequestPay struct {
	ID          string
	URL         string
	Name        string // public name of who asks
	State       RequestState
	Amount      Money  // asked; zero for whatever is paid
	Received    Money  // of it, zero while nothing was, and without an amount
	Left        Money  // still asked; zero without an amount
	Description string // "" for none
	Currency    string // what they receive: "Euro (EUR)"
	Expires     Moment // zero for never
	SendURL     string // "/send?to=…" for who is logged in
}

// QR is a QR code: Size modules wide and high, the dark ones as the path of an SVG.
type QR struct {
	Size int
	Path string
}

// requestWord is a request's state for people.
func requestWord(state RequestState, received Money) string {
	switch state {
	case RequestCompleted:
		return "Paid"
	case RequestExpired:
		return "Expired"
	case RequestCancelled:
		return "Cancelled"
	}
	if received.Text != "" {
		return "Paid in part"
	}
	return "Waiting"
}

// requestSign names the icon of a request's state.
func requestSign(state RequestState) string {
	switch state {
	case RequestCompleted:
		return "check"
	case RequestOpen:
		return "clock"
	}
	return "close"
}
