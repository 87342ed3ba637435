package admin

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"strings"
	"testing"
	"time"

	"pochi/app/problem"
	"pochi/app/rates"
)

// officeRates refuses rates that aren't 9/10.
type officeRates struct{ exchange }

func (*officeRates) InForce() []rates.Rate { return nil }

func (o *officeRates) Set(ctx context.Context, c rates.Change) ([]rates.Rate, error) {
	if c.Rate != "9/10" {
		return nil, problem.Field("rate", "Not this one.")
	}
	return o.exchange.Set(ctx, c)
}

// Whoever reads the log knows which client set a rate, or tried to.
func TestOfficeIsLogged(t *testing.T) {
	var log bytes.Buffer
	o := Office{Rates: &officeRates{}, Log: slog.New(slog.NewJSONHandler(&log, nil))}
	if _, err := o.SetRate(t.Context(), "c1", rates.Change{From: "USD", To: "EUR", Rate: "9/10", Valid: time.Hour}); err != nil {
		t.Fatal(err)
	}
	if _, err := o.SetRate(t.Context(), "c1", rates.Change{From: "USD", To: "EUR", Rate: "x"}); err == nil {
		t.Fatal("it is set")
	}
	lines := strings.Split(strings.TrimSpace(log.String()), "\n")
	if len(lines) != 2 {
		t.Fatal(lines)
	}
	for i, want := range []map[string]any{
		{"msg": "admin command", "path": "/rates/USD/EUR", "client": "c1", "state": "set", "amount": "1 USD = 0.9 EUR"},
		{"msg": "admin command refused", "path": "/rates/USD/EUR", "client": "c1"},
	} {
		var got map[string]any
		if err := json.Unmarshal([]byte(lines[i]), &got); err != nil {
			t.Fatal(err)
		}
		for key, value := range want {
			if got[key] != value {
				t.Errorf("%s: %v, want %v", key, got[key], value)
			}
		}
	}
}
