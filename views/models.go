package views

// Assets resolves the name of a static file ("app.css") to the URL under
// which it is served, with its content hash.
type Assets interface {
	URL(name string) string
}

// Nav names the entry of the main navigation that a page belongs to.
type Nav string

// The entries of the main navigation. NavNone marks pages outside of it.
const (
	NavNone     Nav = ""
	NavHome     Nav = "home"
	NavSend     Nav = "send"
	NavAccounts Nav = "accounts"
	NavPointers Nav = "pointers"
	NavApps     Nav = "apps"
)

// Page is what the layout around every page needs.
type Page struct {
	Title  string // of the document, without the brand
	Person string // display name of who is logged in, "" for nobody
	CSRF   string // goes into every POST form as csrf_token
	Dev    bool   // development mode: test money can be added, a badge says so
	Nav    Nav    // current entry of the navigation
	Assets Assets // URLs of style sheets, scripts and icons
	Flash  string // good news from the request before, "" for none

	styles  []string // style sheets besides app.css
	refresh bool     // reload every few seconds where there is no JavaScript
}

// Errors says what is wrong with a form: a field's name to a sentence for
// people. The key "" holds what concerns the whole form.
type Errors map[string]string

// Money is a formatted amount and the code of its currency: {"$1,240.50", "USD"}.
// Text carries the sign, where there is one, and the right number of decimals.
type Money struct {
	Text string
	Code string
}

// Moment is a point in time: as people read it and as RFC 3339 for machines.
// Text is in UTC and says so; with JavaScript the browser's zone takes its place.
type Moment struct {
	Text string
	ISO  string
}

// Option is one entry of a select.
type Option struct {
	Value string
	Label string
}

// Movement is one line of a history.
type Movement struct {
	ID     string
	URL    string // of its detail page
	In     bool   // money came in
	Who    string // "Ben", "Test money"
	Paid   string // coming in from nobody knows whom: our pointer that was paid; else ""
	Detail string // the other side's pointer, or what else tells it apart; may be ""
	Amount Money  // with its sign: "+$25.00" or "−$25.00"
	State  string // "" when completed, else "Sending", "Needs review", "Being checked", "Partly delivered", "Failed"
	Void   bool   // nothing moved in the end: the amount is struck through
	Time   Moment // of the day: "14:05 UTC"
}

// Day is what happened on one date, in UTC, latest first.
type Day struct {
	Label     string // "Today", "Yesterday", "21 November 2026"
	Movements []Movement
}

// SignupForm is the page on which somebody becomes a person of this wallet.
// Fields posted: name, email, password, pointer, currency, next, login_challenge.
type SignupForm struct {
	Host       string // payment pointers here are $Host/name
	Name       string
	Email      string
	Pointer    string // the part after the host
	Currency   string // value of the chosen option
	Currencies []Option
	App        string // the app that asks for the login, "" for none
	Challenge  string // Hydra's login_challenge, passed on; "" for none
	Next       string // path to go on to, "" for home
	Errors     Errors
}

// LoginForm is the log-in page, for the wallet itself and as Hydra's login provider.
// Fields posted: email, password, next, login_challenge.
type LoginForm struct {
	Email     string
	App       string // "to continue to <App>", "" for the wallet itself
	Challenge string
	Next      string
	Errors    Errors // "" holds "E-mail or password is wrong."
}

// AccountCard is an account as home shows it.
type AccountCard struct {
	ID      string
	Name    string
	Balance Money
}

// HomePage is what somebody sees first: balances, how to be paid, what moved last.
type HomePage struct {
	Accounts []AccountCard // the first one is shown largest
	Pointer  string        // "$wallet.example/ann", "" while there is none
	PayURL   string        // "https://wallet.example/ann": the page to share
	Notices  []AgreementNotice
	Days     []Day  // last movements over all accounts
	More     string // URL of the whole history, "" when everything is shown
}

// AccountRow is an account in the list of accounts.
type AccountRow struct {
	ID      string
	Name    string
	Asset   string // "US dollar"
	Balance Money

	ClosesOnce string // all that must come true before it can be closed: "it is empty"; "" when it can be closed now
	Paid       bool   // a payment pointer pays it
}

// ClosedAccount is an account of which only its history is left.
type ClosedAccount struct {
	ID    string
	Name  string
	Asset string // "US dollar"
	Code  string // "USD"
}

// AccountList is the page of all accounts, with the form that opens another.
// Fields posted to /accounts: currency, name. Closing posts to /accounts/ID/close.
type AccountList struct {
	Accounts   []AccountRow
	Closed     []ClosedAccount
	Currencies []Option
	Name       string // as typed into the form
	Currency   string
	Errors     Errors
}

// AccountShow is one account with a page of its history.
type AccountShow struct {
	ID       string
	Name     string
	Asset    string
	Balance  Money
	Pointers []string // that pay into it: "$wallet.example/ann"
	Days     []Day
	Older    string // cursor of the next older page, "" at the end
	Later    bool   // this is not the newest page
	Closed   bool   // nothing moves through it any more
}

// HistoryPage is a page of what moved on all accounts of a person.
type HistoryPage struct {
	Days  []Day
	Older string // cursor of the next older page, "" at the end
	Later bool   // this is not the newest page
}

// AccountEdit is the form that renames an account.
// Fields posted to /accounts/ID: name.
type AccountEdit struct {
	ID      string
	Current string // name now
	Name    string // as typed
	Errors  Errors
}

// PointerRow is a payment pointer in the list of pointers.
type PointerRow struct {
	ID        string
	Pointer   string // "$wallet.example/ann"
	PayURL    string
	AccountID string // the account it pays
}

// PointerList is the page of all payment pointers, with the form that adds one.
// Fields posted to /pointers: name, account; to /pointers/ID: account.
type PointerList struct {
	Host     string
	Pointers []PointerRow
	Accounts []Option // id, "Everyday · USD"
	Name     string   // as typed
	Account  string
	Errors   Errors
}

// DepositForm adds test money to an account; development only.
// Fields posted to /deposit: account, amount.
type DepositForm struct {
	Accounts []Option // id, "Everyday · $12.00 USD"
	Account  string
	Amount   string
	Errors   Errors
}

// The sides of a payment on which an amount can be fixed: values of the field "side".
const (
	SideSend    = "send"    // the amount leaves the payer's account, in its currency
	SideReceive = "receive" // the amount arrives, in the payee's currency
)

// SendForm starts a payment.
// Fields posted to /send: to, account, amount, side.
type SendForm struct {
	To       string
	Payee    Payee
	Accounts []Option // id, "Everyday · $12.00 USD"
	Account  string
	Amount   string
	Side     string // SideSend unless said otherwise
	Errors   Errors
}

// Payee is what a pointer was resolved to while it is typed. The zero value
// shows nothing.
type Payee struct {
	Name      string // public name
	Currency  string // "EUR"
	Elsewhere bool   // at another wallet, which hasn't been asked
	Problem   string // plain reason why what is typed so far can't be paid, "" when it can

	// Of a payment request: what it still asks for, zero for whatever is paid, and for what.
	Asks Money
	What string
}

// QuotePage shows what a payment costs and delivers, and asks to confirm it.
// Posts to /quotes/ID/confirm, or to /quotes/ID/renew once expired.
type QuotePage struct {
	ID          string
	Send        Money
	Receive     Money
	AtMost      bool   // less than Send may leave: what Receive doesn't need stays
	AtLeast     bool   // more than Receive may arrive: the payee is at another wallet
	Rate        string // "1 USD = 0.92 EUR", "" for the same currency
	Fee         string // "None"
	Payee       string // "Ben"
	Pointer     string // "$wallet.example/ben"
	Account     string // the account it is paid from: "Everyday"
	Expires     Moment // "14:07:30 UTC"
	SecondsLeft int    // until then, for the countdown
	Expired     bool
	ChangeURL   string // back to the form with everything filled in
	Problem     string // why the last confirmation was refused, "" for none
}

// PaymentState is where a payment stands.
type PaymentState string

// The states of a payment.
const (
	PaymentSending   PaymentState = "sending"
	PaymentCompleted PaymentState = "completed"
	PaymentPartly    PaymentState = "partly"   // ended with a part delivered
	PaymentFailed    PaymentState = "failed"   // ended with nothing delivered
	PaymentChecking  PaymentState = "checking" // ended, and of a part it isn't known yet whether it was delivered
	PaymentReview    PaymentState = "review"   // interrupted: somebody has to look at it
)

// PaymentPage is one payment, going out or coming in, while it runs and afterwards.
type PaymentPage struct {
	ID         string
	State      PaymentState
	In         bool
	Who        string // the other side: "Ben"; coming in, "" if another wallet didn't say
	Pointer    string // the other side's, where it is known
	Paid       string // coming in: our pointer that was paid, "" for none
	Packets    string // coming in from another wallet: how many, so far
	Request    string // of a payment request: what for; else ""
	RequestURL string
	RequestAt  string // host of the other wallet whose payment request was paid, "" for none
	Account    string // name of our account
	AccountID  string
	App        string // going out: the app that made it, under an agreement; else ""
	AppURL     string // of that agreement
	AppSays    string // what it is for, in the app's words, "" when it says nothing
	Asked      Money  // going out: the debit that was confirmed
	Promised   Money  // going out: what was to arrive
	AtLeast    bool   // going out: that, or more
	Sent       Money  // going out: what really left the account
	Received   Money  // what arrived
	Checking   Money  // going out: may have arrived, the other wallet is being asked; zero for none
	Back       Money  // going out, after such a check: back in our account; zero for none
	Held       Money  // going out, needing review: still reserved; zero otherwise
	Rate       string // "" for the same currency
	Fee        string // "None"; "" hides it
	Reason     string // why it failed or stopped: "Ben's wallet didn't answer."
	Where      string // where the money is: "Nothing was taken from Everyday."
	Started    Moment
	Ended      Moment // zero while sending
}

// PayPage is the public page of a payment pointer.
type PayPage struct {
	Name     string // public name: "Ben"
	Pointer  string // "$wallet.example/ben"
	Currency string // what they receive: "Euro (EUR)"
	SendURL  string // "/send?to=…" for who is logged in
	Mine     bool   // it belongs to who is logged in
}

// ConsentPage asks whether an app may have what it asks for.
// Fields posted to Action: consent_challenge, seal, decision ("allow" or "deny");
// with an agreement also account and amount.
type ConsentPage struct {
	Action    string // path that the form posts to
	Challenge string
	Seal      string // of what the page shows
	App       string
	Logo      string   // URL, "" for none
	Host      string   // where the browser goes afterwards: "shop.example"
	PolicyURL string   // "" for none
	TermsURL  string   // "" for none
	Person    string   // as whom
	Email     string   // as whom
	Can       []string // sentences: "See your name and picture."
	Cannot    []string // sentences: "Move money."
	Agreement *ConsentAgreement
	Errors    Errors
}

// ConsentAgreement is the agreement that an app asks for, nil for none.
type ConsentAgreement struct {
	Description string   // in the app's words
	Password    string   // why the password is asked for; "" when it isn't
	Most        Money    // what it asks for
	Often       string   // "every month", "once"
	PaymentMax  Money    // zero for no such cap
	Receivers   []string // payment pointers; none for anybody
	Starts      Moment   // zero: when it is allowed
	Ends        Moment   // zero: never
	Packets     bool     // it may also be spent without naming receivers
	Worst       string   // "At most €120.00 EUR in all."
	Accounts    []ConsentAccount
	Amount      string // what is allowed, as it was typed
	Currency    string
	RefreshURL  string // of this page; with the amount in its query it says the worst for that
}

// ConsentAccount is an account that can pay.
type ConsentAccount struct {
	ID      string
	Name    string
	Balance Money
	About   string // what is to be known before it is chosen, "" for nothing
	Chosen  bool
}

// The values of the field "decision". DecisionEnter is what the Enter key in a field
// sends, instead of that of the button which comes first.
const (
	DecisionAllow = "allow"
	DecisionDeny  = "deny"
	DecisionEnter = "enter"
)

// LogoutPage asks whether an app's request to log out is meant.
// Fields posted to Action: logout_challenge, decision ("allow" or "deny").
type LogoutPage struct {
	Action    string
	Challenge string
	App       string // "" when it isn't known
}

// ErrorPage says what went wrong and what to do next.
type ErrorPage struct {
	Status    int
	Title     string // "We can't find that page"
	Message   string // a sentence or two
	LinkText  string
	LinkURL   string
	RequestID string // "" hides it
}
