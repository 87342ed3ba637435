package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"pochi/ilp"
)

// amount is money as the wallet's API writes it.
type amount struct {
	Value string `json:"value"` // smallest units
	Code  string `json:"assetCode"`
	Scale uint8  `json:"assetScale"`
}

func amountOf(value uint64, asset ilp.Asset) *amount {
	return &amount{strconv.FormatUint(value, 10), asset.Code, asset.Scale}
}

// String returns the amount as people write it: "KES 750.00".
func (a amount) String() string {
	digits, scale := a.Value, int(a.Scale)
	if scale == 0 {
		return a.Code + " " + digits
	}
	if missing := scale + 1 - len(digits); missing > 0 {
		digits = strings.Repeat("0", missing) + digits
	}
	return a.Code + " " + digits[:len(digits)-scale] + "." + digits[len(digits)-scale:]
}

// terms are what the shop asks a customer to agree to.
type terms struct {
	Description string     `json:"description"`
	Amount      *amount    `json:"amount"`
	Interval    string     `json:"interval,omitempty"` // ISO 8601, "" for once
	Receivers   []string   `json:"receivers,omitempty"`
	ExpiresAt   *time.Time `json:"expiresAt,omitempty"`
}

// inline is an authorization detail that has all terms in it.
type inline struct {
	Type string `json:"type"`
	terms
}

// agreement is what the customer agreed to: the amount may be less than the shop had asked for.
type agreement struct {
	ID            string    `json:"id"`
	State         string    `json:"state"`
	Description   string    `json:"description"`
	Amount        amount    `json:"amount"`
	IntervalWords string    `json:"intervalWords"`
	Left          *amount   `json:"left"`
	RenewsAt      time.Time `json:"renewsAt"`
	ILP           struct {
		URL string `json:"url"`
	} `json:"ilp"`
}

// leaves returns how much can still be used, in the asset's smallest unit.
func (a agreement) leaves() uint64 {
	if a.Left == nil {
		return 0
	}
	left, _ := strconv.ParseUint(a.Left.Value, 10, 64) // what isn't a number can't be used
	return left
}

// payment is what the wallet made of a charge.
type payment struct {
	ID              string `json:"id"`
	State           string `json:"state"` // pending, delivered, partial, failed
	Reason          string `json:"reason"`
	SpentAmount     amount `json:"spentAmount"`
	ReturnedAmount  amount `json:"returnedAmount"`
	DeliveredAmount amount `json:"deliveredAmount"`
}

// refusal is an answer that says no (RFC 9457).
type refusal struct {
	Type   string `json:"type"`
	Status int    `json:"status"`
	Detail string `json:"detail"` // a sentence for people
}

func (r *refusal) Error() string { return r.Detail }

// refused returns the wallet's no, if err is one.
func refused(err error) (*refusal, bool) {
	var r *refusal
	ok := errors.As(err, &r)
	return r, ok
}

// me returns what the customer is called.
func (w *wallet) me(ctx context.Context, token string) (name string, err error) {
	var me struct{ Name string }
	err = w.call(ctx, http.MethodGet, "/me", token, nil, nil, &me)
	return me.Name, err
}

// propose makes terms known to the wallet, and returns the authorization details with which customers are asked for them.
func (w *wallet) propose(ctx context.Context, t terms) (details json.RawMessage, err error) {
	token, err := w.own.Token(w.context(ctx))
	if err != nil {
		return nil, fmt.Errorf("get a token of our own: %w", err)
	}
	var proposed struct {
		Details json.RawMessage `json:"authorizationDetails"`
	}
	err = w.call(ctx, http.MethodPost, "/agreements", token.AccessToken, nil, t, &proposed)
	return proposed.Details, err
}

// granted returns the agreement that a token is for.
func (w *wallet) granted(ctx context.Context, token string) (agreement, error) {
	var list struct{ Agreements []agreement }
	if err := w.call(ctx, http.MethodGet, "/agreements", token, nil, nil, &list); err != nil {
		return agreement{}, err
	}
	if len(list.Agreements) != 1 {
		return agreement{}, fmt.Errorf("the token is for %d agreements", len(list.Agreements))
	}
	return list.Agreements[0], nil
}

// order is the body of a charge: one of the amounts is set.
type order struct {
	Receiver      string  `json:"receiver"`
	DebitAmount   *amount `json:"debitAmount,omitempty"`
	ReceiveAmount *amount `json:"receiveAmount,omitempty"`
}

// charge has the wallet pay. With the same key it pays once, however often it is asked.
func (w *wallet) charge(ctx context.Context, token, agreement, key string, o order) (p payment, err error) {
	err = w.call(ctx, http.MethodPost, "/agreements/"+agreement+"/charges", token, http.Header{"Idempotency-Key": {key}}, o, &p)
	return p, err
}

// payment returns what became of a charge.
func (w *wallet) payment(ctx context.Context, token, agreement, id string) (p payment, err error) {
	err = w.call(ctx, http.MethodGet, "/agreements/"+agreement+"/charges/"+id, token, nil, nil, &p)
	return p, err
}

// giveUp ends an agreement that the shop needs no more.
func (w *wallet) giveUp(ctx context.Context, token, agreement string) error {
	return w.call(ctx, http.MethodDelete, "/agreements/"+agreement, token, nil, nil, nil)
}

// call asks the API. What the wallet answers with an error is a *refusal.
func (w *wallet) call(ctx context.Context, method, path, token string, header http.Header, in, out any) error {
	var body bytes.Buffer
	if in != nil {
		if err := json.NewEncoder(&body).Encode(in); err != nil {
			return err
		}
	}
	request, err := http.NewRequestWithContext(ctx, method, w.api+path, &body)
	if err != nil {
		return err
	}
	if header != nil {
		request.Header = header
	}
	request.Header.Set("Authorization", "Bearer "+token)
	if in != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	answer, err := w.http.Do(request)
	if err != nil {
		return fmt.Errorf("the wallet doesn't answer: %w", err)
	}
	defer answer.Body.Close()
	if answer.StatusCode >= 400 {
		no := &refusal{}
		if err := json.NewDecoder(answer.Body).Decode(no); err != nil || no.Detail == "" {
			return fmt.Errorf("%s %s: %s", method, path, answer.Status)
		}
		return no
	}
	if out == nil {
		return nil
	}
	return json.NewDecoder(answer.Body).Decode(out)
}
