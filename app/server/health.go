package server

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"pochi/app/rates"
	"pochi/db"
)

const healthTimeout = 2 * time.Second

// hydraReady is what health needs of Hydra.
type hydraReady interface {
	Ready(ctx context.Context) error
}

// agingRates is what health needs of the exchange rates.
type agingRates interface {
	TooOld() []rates.Rate
}

// health answers GET /healthz: 200 while the wallet serves people, naming the
// database, Hydra and the exchange rates; 503 when the database doesn't. Without
// Hydra only apps can't be connected, and with rates that are too old only these
// currencies can't be exchanged, which is no reason to take the wallet out of service.
type health struct {
	db    *db.DB
	hydra hydraReady
	rates agingRates
}

type healthAnswer struct {
	Status   string `json:"status"` // ok, degraded or down
	Database string `json:"database"`
	Hydra    string `json:"hydra"`
	Rates    string `json:"rates"`           // ok, or stale if any is too old
	Renew    string `json:"renew,omitempty"` // the pairs to set again, such as "USD EUR, USD GBP"
}

// ServeHTTP implements http.Handler.
func (h health) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), healthTimeout)
	defer cancel()
	answer, status := healthAnswer{Status: "ok", Database: "ok", Hydra: "ok", Rates: "ok"}, http.StatusOK
	hydra := make(chan error, 1) // side by side: a Hydra that hangs must not use up the database's time
	go func() { hydra <- h.hydra.Ready(ctx) }()
	down := h.databaseDown(ctx)
	if <-hydra != nil {
		answer.Status, answer.Hydra = "degraded", "unreachable"
	}
	if old := h.rates.TooOld(); len(old) > 0 {
		answer.Status, answer.Rates, answer.Renew = "degraded", "stale", renewals(old)
	}
	if down {
		answer.Status, answer.Database, status = "down", "down", http.StatusServiceUnavailable
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	if err := json.NewEncoder(w).Encode(answer); err != nil {
		return // who asked has gone
	}
}

func (h health) databaseDown(ctx context.Context) bool {
	select {
	case <-h.db.Writer.Done():
		return true
	default:
	}
	var seq int64
	return h.db.Read.QueryRowContext(ctx, "SELECT seq FROM head").Scan(&seq) != nil
}

func renewals(old []rates.Rate) string {
	pairs := make([]string, len(old))
	for i, r := range old {
		pairs[i] = r.Renew
	}
	return strings.Join(pairs, ", ")
}
