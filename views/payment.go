package views

import "net/url"

// sign names the icon of the payment's state.
func (y PaymentPage) sign() string {
	switch y.State {
	case PaymentCompleted:
		return "check"
	case PaymentPartly:
		return "partly"
	case PaymentFailed:
		return "close"
	case PaymentReview:
		return "alert"
	default:
		return "clock"
	}
}

// stateWord is the payment's state for people.
func (y PaymentPage) stateWord() string {
	switch y.State {
	case PaymentCompleted:
		return "Delivered"
	case PaymentPartly:
		return "Partly delivered"
	case PaymentFailed:
		return "Failed"
	case PaymentChecking:
		return "Being checked"
	case PaymentReview:
		return "Needs review"
	default:
		return "Sending"
	}
}

// headline is the payment in a few words.
func (y PaymentPage) headline() string {
	if y.In {
		switch {
		case y.State == PaymentSending:
			return "Money is arriving"
		case y.Who == "":
			return "You were paid"
		default:
			return y.Who + " paid you"
		}
	}
	switch y.State {
	case PaymentCompleted:
		return "Sent to " + y.payee()
	case PaymentPartly:
		return "Only a part reached " + y.payee()
	case PaymentFailed:
		return "Not sent to " + y.payee()
	case PaymentChecking:
		return "Checking what reached " + y.payee()
	case PaymentReview:
		return "Payment to " + y.payee() + " was interrupted"
	default:
		return "Sending to " + y.payee()
	}
}

// payee is the other side in a sentence. Another wallet's payment request has an
// address that nobody reads.
func (y PaymentPage) payee() string {
	if y.RequestAt != "" {
		return "a payment request at " + y.RequestAt
	}
	return y.Who
}

// main is the amount that the page shows largest: what the person's own account
// gained or lost, or would have.
func (y PaymentPage) main() Money {
	switch {
	case y.In:
		return y.Received
	case y.State == PaymentCompleted || y.State == PaymentPartly:
		return y.Sent
	default:
		return y.Asked
	}
}

// repeats tells that it can be sent again: what was sent is known for good, since
// before that it may be to pay twice, and it didn't pay a request, which is paid once.
func (y PaymentPage) repeats() bool {
	switch y.State {
	case PaymentSending, PaymentChecking, PaymentReview:
		return false
	case PaymentCompleted:
		return !y.In && y.Request == "" && y.RequestAt == ""
	}
	return !y.In
}

// running tells that its amounts may still grow.
func (y PaymentPage) running() bool { return y.State == PaymentSending || y.Packets != "" }

// url is where the payment is shown.
func (y PaymentPage) url() string {
	if y.In {
		return "/payments/" + y.ID + "?side=in" // paying oneself, both sides have one id
	}
	return "/payments/" + y.ID
}

// soFar is the name of an amount that may still grow.
func (y PaymentPage) soFar(name string) string {
	if y.State == PaymentSending {
		return name + " so far"
	}
	return name
}

// theyGet introduces what is promised to arrive.
func theyGet(atLeast bool) string {
	if atLeast {
		return "They get at least"
	}
	return "They get"
}

// again is the send form for the same payee and account.
func (y PaymentPage) again() string {
	return "/send?" + url.Values{"to": {y.Pointer}, "account": {y.AccountID}}.Encode()
}
