package api

import (
	"context"
	"fmt"
	"strconv"

	"pochi/app/agreements"
	"pochi/app/problem"

	"github.com/google/uuid"
)

// agreementJSON is what a person granted an app. Times and amounts that don't
// apply are left out.
type agreementJSON struct {
	ID            uuid.UUID `json:"id"`
	State         string    `json:"state"`
	Description   string    `json:"description"`
	Amount        amount    `json:"amount"` // in an interval, or in all
	Interval      string    `json:"interval,omitempty"`
	IntervalWords string    `json:"intervalWords"`
	PaymentMax    string    `json:"paymentMax,omitempty"` // as in the authorization detail
	Receivers     []string  `json:"receivers"`            // none: anybody
	StartsAt      *string   `json:"startsAt,omitempty"`
	ExpiresAt     *string   `json:"expiresAt,omitempty"`
	Used          *amount   `json:"used,omitempty"` // in the current interval, with what is reserved
	Left          *amount   `json:"left,omitempty"`
	RenewsAt      *string   `json:"renewsAt,omitempty"`
	ILP           *ilpLink  `json:"ilp,omitempty"` // where packets are allowed
	CreatedAt     *string   `json:"createdAt"`
}

// ilpLink is where an agreement takes packets (ILP-over-HTTP, with the access
// token).
type ilpLink struct {
	URL string `json:"url"`
}

// agreementWithUsage returns an agreement as it is answered.
func (a *API) agreementWithUsage(ctx context.Context, found agreements.Agreement) (agreementJSON, error) {
	out := a.agreementJSON(found)
	usage, err := a.agreements.Usage(ctx, found.ID)
	if code := problem.CodeOf(err); code != "" && code != problem.Internal && code != problem.Unavailable {
		return out, nil // it has ended, or hasn't begun: nothing can be used
	}
	if err != nil {
		return out, fmt.Errorf("find out what is used of the agreement: %w", err)
	}
	asset := found.Amount.Asset
	out.Used, out.Left, out.RenewsAt = of(usage.Used, asset), of(usage.Left, asset), moment(usage.Span.End)
	return out, nil
}

func (a *API) agreementJSON(found agreements.Agreement) agreementJSON {
	out := agreementJSON{
		ID: found.ID, State: string(found.State), Description: found.Description, Amount: amountOf(found.Amount),
		Interval: found.Interval.String(), IntervalWords: found.Interval.Words(),
		Receivers: append([]string{}, found.Receivers...),
		StartsAt:  moment(found.StartsAt), ExpiresAt: moment(found.ExpiresAt), CreatedAt: moment(found.CreatedAt),
	}
	if found.PaymentMax > 0 {
		out.PaymentMax = strconv.FormatUint(found.PaymentMax, 10)
	}
	if found.Packets() && a.packetsURL != "" {
		out.ILP = &ilpLink{a.packetsURL + found.ID.String()}
	}
	return out
}
