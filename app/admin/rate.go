package admin

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"pochi/app/problem"
	"pochi/app/rates"
	"pochi/db"
)

// Rates is what the handler needs of the exchange rates.
type Rates interface {
	Set(ctx context.Context, c rates.Change) (rates.Changed, error)
}

// Rate is what one whole unit of a currency buys of another. Numbers are
// fractions, such as 9/10, or whole.
type Rate struct {
	From      string     `json:"from"`
	To        string     `json:"to"`
	Rate      string     `json:"rate"` // whole units of To for one of From
	SpreadBps int        `json:"spread_bps"`
	Effective string     `json:"effective_rate"` // after the spread
	Source    string     `json:"source"`         // admin or configuration
	Inverse   bool       `json:"inverse,omitempty"`
	SetAt     *time.Time `json:"set_at,omitempty"`
	GoodUntil *time.Time `json:"good_until,omitempty"`
	Stale     bool       `json:"stale"`             // nothing is exchanged at it any more
	Warning   string     `json:"warning,omitempty"` // how people can gain by exchanging in a circle, since it was set
}

func newRate(r rates.Rate, now time.Time) Rate {
	out := Rate{
		From: r.From, To: r.To, Rate: r.Value.RatString(), SpreadBps: r.SpreadBps, Effective: r.Effective().RatString(),
		Source: string(r.Source), Inverse: r.Inverse, Stale: r.Stale(now),
	}
	if !r.SetAt.IsZero() {
		out.SetAt, out.GoodUntil = &r.SetAt, &r.GoodUntil
	}
	return out
}

// pathSetRate is of a change: the currencies, and the rest as a query.
func pathSetRate(c rates.Change) string {
	query := url.Values{
		"rate": {c.Rate}, "spread_bps": {strconv.Itoa(c.SpreadBps)}, "valid": {c.Valid.String()}, "force": {strconv.FormatBool(c.Force)},
	}
	return "/rates/" + url.PathEscape(c.From) + "/" + url.PathEscape(c.To) + "?" + query.Encode()
}

// parseSetRate reads what pathSetRate wrote.
func parseSetRate(r *http.Request) (c rates.Change, err error) {
	query := r.URL.Query()
	c = rates.Change{From: r.PathValue("from"), To: r.PathValue("to"), Rate: query.Get("rate")}
	if c.SpreadBps, err = strconv.Atoi(query.Get("spread_bps")); err != nil {
		return c, problem.Field("spread_bps", "%q is no whole number.", query.Get("spread_bps"))
	}
	if c.Valid, err = time.ParseDuration(query.Get("valid")); err != nil {
		return c, problem.Field("valid", "%q is no length of time such as 24h.", query.Get("valid"))
	}
	if c.Force, err = strconv.ParseBool(query.Get("force")); err != nil {
		return c, problem.Field("force", "%q is neither true nor false.", query.Get("force"))
	}
	return c, nil
}

func (s Services) setRate(r *http.Request) (answer, error) {
	change, err := parseSetRate(r)
	if err != nil {
		return answer{}, err
	}
	changed, err := s.Rates.Set(r.Context(), change)
	if err != nil {
		return answer{}, err
	}
	out := make([]Rate, len(changed.Rates))
	for i, rate := range changed.Rates {
		out[i] = newRate(rate, rate.SetAt)
	}
	out[0].Warning = changed.Warning
	return answer{out, false, changed.Rates[0].String(), "set"}, nil
}

// SetRate puts an exchange rate in force. It returns the direction that was set
// and, where it serves that too, the other.
func (c Client) SetRate(ctx context.Context, change rates.Change) ([]Rate, error) {
	return do[[]Rate](ctx, c, pathSetRate(change), nil)
}

// Rates prints what is in force in each direction: what admins have set, and
// for the other pairs the configuration's table.
func (l Lists) Rates(ctx context.Context, table rates.Table) error {
	return l.reading(ctx, func(tx db.Tx, encoder *json.Encoder) error {
		list, err := rates.List(ctx, tx, table)
		if err != nil {
			return err
		}
		now := time.Now()
		for _, r := range list {
			if err := encoder.Encode(newRate(r, now)); err != nil {
				return err
			}
		}
		return nil
	})
}
