package admin

import (
	"strconv"
	"time"

	"pochi/app/payments"
	"pochi/ledger"

	"github.com/google/uuid"
)

// Amount is a sum of money as Open Payments writes it: {"value": "1250",
// "assetCode": "USD", "assetScale": 2} is 12.50 USD.
type Amount struct {
	Value      string `json:"value"` // in the asset's smallest unit; a text, since many a reader of JSON rounds large numbers
	AssetCode  string `json:"assetCode"`
	AssetScale uint8  `json:"assetScale"`
}

func newAmount(a ledger.Amount) Amount {
	return Amount{strconv.FormatUint(a.Value, 10), a.Asset.Code, a.Asset.Scale}
}

// SuspenseItem is what was in flight to another node when the wallet crashed.
type SuspenseItem struct {
	Item         int64      `json:"item"`
	Group        int64      `json:"group"` // those of one group are resolved together
	State        string     `json:"state"` // open, released or paid
	Amount       Amount     `json:"amount"`
	At           time.Time  `json:"at"`
	Reference    uuid.UUID  `json:"reference"`    // what the money moved for
	Bearer       uuid.UUID  `json:"bearer"`       // the account that has it back when it is released
	Counterparty uuid.UUID  `json:"counterparty"` // the account that gets it when it is paid
	Payment      *uuid.UUID `json:"payment,omitempty"`
	PaymentState string     `json:"paymentState,omitempty"`
	Payer        string     `json:"payer,omitempty"`    // e-mail
	App          string     `json:"app,omitempty"`      // that spent it under an agreement
	Receiver     string     `json:"receiver,omitempty"` // payment pointer
	Repeated     bool       `json:"repeated,omitempty"` // the command was done before; nothing was done now
}

func sum(s payments.Suspense) ledger.Amount { return ledger.Amount{Value: s.Amount, Asset: s.Asset} }

func newSuspenseItem(s payments.Suspense) SuspenseItem {
	out := SuspenseItem{
		Item: s.Item, Group: s.Group, State: s.State, Amount: newAmount(sum(s)), At: s.At.UTC(),
		Reference: s.Reference, Bearer: s.Bearer, Counterparty: s.Counterparty, Payer: s.Email, App: s.App,
	}
	if s.Payment.ID != uuid.Nil {
		out.Payment, out.PaymentState, out.Receiver = &s.Payment.ID, string(s.Payment.State), s.Payment.Receiver
	}
	return out
}

// Payment is an outgoing payment.
type Payment struct {
	ID              uuid.UUID  `json:"id"`
	State           string     `json:"state"`           // sending, needs_review, completed or failed
	Payer           string     `json:"payer,omitempty"` // e-mail
	Account         uuid.UUID  `json:"account"`
	Receiver        string     `json:"receiver"` // payment pointer
	DebitAmount     Amount     `json:"debitAmount"`
	SentAmount      Amount     `json:"sentAmount"`
	DeliveredAmount Amount     `json:"deliveredAmount"`
	HeldAmount      Amount     `json:"heldAmount"`     // still reserved on the account
	InFlightAmount  Amount     `json:"inFlightAmount"` // on its way to another wallet, or was when this one crashed
	CheckingAmount  Amount     `json:"checkingAmount"` // open in suspense
	ReleasedAmount  Amount     `json:"releasedAmount"` // back from suspense
	PaidAmount      Amount     `json:"paidAmount"`     // paid from suspense, a part of the sent amount
	DoubtedAmount   Amount     `json:"doubtedAmount"`  // given back because answers were lost: it may have arrived
	Reason          string     `json:"reason,omitempty"`
	CreatedAt       time.Time  `json:"createdAt"`
	EndedAt         *time.Time `json:"endedAt,omitempty"`
	Repeated        bool       `json:"repeated,omitempty"` // the command was done before; nothing was done now
}

func newPayment(p payments.Payer) Payment {
	out := Payment{
		ID: p.ID, State: string(p.State), Payer: p.Email, Account: p.AccountID, Receiver: p.Receiver,
		DebitAmount: newAmount(p.DebitAmount), SentAmount: newAmount(p.SentAmount), DeliveredAmount: newAmount(p.DeliveredAmount),
		HeldAmount: newAmount(p.Held()), InFlightAmount: newAmount(p.InFlight), CheckingAmount: newAmount(p.Suspended.Open),
		ReleasedAmount: newAmount(p.Suspended.Released), PaidAmount: newAmount(p.Suspended.Paid),
		DoubtedAmount: newAmount(p.Doubted),
		Reason:        p.Reason, CreatedAt: p.CreatedAt,
	}
	if !p.EndedAt.IsZero() {
		out.EndedAt = &p.EndedAt
	}
	return out
}
