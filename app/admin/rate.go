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
	Set(ctx context.Context, c rates.Change) ([]rates.Rate, error)
	Remove(ctx context.Context, from, to string, force bool) (left []rates.Rate, repeated bool, err error)
}

// Rate is what one whole unit of a currency buys of another. Numbers are
// fractions, such as 9/10, or whole.
type Rate struct {
	From        string     `json:"from"`
	To          string     `json:"to"`
	Rate        string     `json:"rate"` // whole units of To for one of From
	SpreadBps   int        `json:"spreadBps"`
	Effective   string     `json:"effectiveRate"` // after the spread
	Source      string     `json:"source"`        // admin, derived or configuration
	Inverse     bool       `json:"inverse,omitempty"`
	DerivedFrom []string   `json:"derivedFrom,omitempty"` // the pairs that it depends on, as they were set: "USD EUR"
	SetAt       *time.Time `json:"setAt,omitempty"`
	GoodUntil   *time.Time `json:"goodUntil,omitempty"`
	Stale       bool       `json:"stale"`           // nothing is exchanged at it any more
	Renew       string     `json:"renew,omitempty"` // the pair to set again, when it is stale
	Repeated    bool       `json:"repeated,omitempty"`
}

func newRate(r rates.Rate, now time.Time) Rate {
	out := Rate{
		From: r.From, To: r.To, Rate: r.Value.RatString(), SpreadBps: r.SpreadBps, Effective: r.Effective().RatString(),
		Source: string(r.Source), Inverse: r.Inverse, DerivedFrom: r.Of, Stale: r.Stale(now),
	}
	if !r.SetAt.IsZero() {
		out.SetAt = &r.SetAt
	}
	if !r.GoodUntil.IsZero() {
		out.GoodUntil = &r.GoodUntil
	}
	if out.Stale {
		out.Renew = r.Renew
	}
	return out
}

// pathSetRate is of a change: the currencies, and the rest as a query.
func pathSetRate(c rates.Change) string {
	query := url.Values{
		"rate": {c.Rate}, "spreadBps": {strconv.Itoa(c.SpreadBps)}, "valid": {c.Valid.String()}, "force": {strconv.FormatBool(c.Force)},
	}
	return pathRate(c.From, c.To) + "?" + query.Encode()
}

func pathRate(from, to string) string {
	return "/rates/" + url.PathEscape(from) + "/" + url.PathEscape(to)
}

// pathRemoveRate is of a removal: the currencies, and whether a large change is
// meant.
func pathRemoveRate(from, to string, force bool) string {
	return pathRate(from, to) + "/remove?force=" + strconv.FormatBool(force)
}

// parseSetRate reads what pathSetRate wrote.
func parseSetRate(r *http.Request) (c rates.Change, err error) {
	query := r.URL.Query()
	c = rates.Change{From: r.PathValue("from"), To: r.PathValue("to"), Rate: query.Get("rate")}
	if c.SpreadBps, err = strconv.Atoi(query.Get("spreadBps")); err != nil {
		return c, problem.Field("spreadBps", "%q is no whole number.", query.Get("spreadBps"))
	}
	if c.Valid, err = time.ParseDuration(query.Get("valid")); err != nil {
		return c, problem.Field("valid", "%q is no length of time such as 24h.", query.Get("valid"))
	}
	c.Force, err = parseForce(query)
	return c, err
}

func parseForce(query url.Values) (bool, error) {
	force, err := strconv.ParseBool(query.Get("force"))
	if err != nil {
		return false, problem.Field("force", "%q is neither true nor false.", query.Get("force"))
	}
	return force, nil
}

func (s Services) setRate(r *http.Request) (answer, error) {
	change, err := parseSetRate(r)
	if err != nil {
		return answer{}, err
	}
	_, done, err := setRate(r.Context(), s.Rates, change)
	return done, err
}

// setRate sets a rate. It returns the direction that was set and the other.
func setRate(ctx context.Context, book Rates, change rates.Change) ([]Rate, answer, error) {
	changed, err := book.Set(ctx, change)
	if err != nil {
		return nil, answer{}, err
	}
	out := make([]Rate, len(changed))
	for i, rate := range changed {
		out[i] = newRate(rate, rate.SetAt)
	}
	return out, answer{out, false, changed[0].String(), "set"}, nil
}

func (s Services) removeRate(r *http.Request) (answer, error) {
	force, err := parseForce(r.URL.Query())
	if err != nil {
		return answer{}, err
	}
	left, repeated, err := s.Rates.Remove(r.Context(), r.PathValue("from"), r.PathValue("to"), force)
	if err != nil {
		return answer{}, err
	}
	out := make([]Rate, len(left))
	for i, rate := range left {
		out[i] = newRate(rate, time.Now())
		out[i].Repeated = repeated
	}
	return answer{out, repeated, "", "removed"}, nil
}

// RemoveRate takes an exchange rate back. It returns what is in force then, in
// both directions: none if nothing is.
func (c Client) RemoveRate(ctx context.Context, from, to string, force bool) ([]Rate, error) {
	return do[[]Rate](ctx, c, pathRemoveRate(from, to, force), nil)
}

// SetRate puts an exchange rate in force. It returns the direction that was set
// and the other.
func (c Client) SetRate(ctx context.Context, change rates.Change) ([]Rate, error) {
	return do[[]Rate](ctx, c, pathSetRate(change), nil)
}

// Rates prints what is in force in each direction: what admins have set,
// what follows from that, and for the other pairs the configuration's table.
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
