package server

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"pochi/db"
)

const healthTimeout = 2 * time.Second

// hydraReady is what health needs of Hydra.
type hydraReady interface {
	Ready(ctx context.Context) error
}

// health answers GET /healthz: 200 while the wallet serves people, naming the
// database and Hydra; 503 when the database doesn't. Without Hydra only apps
// can't be connected, which is no reason to take the wallet out of service.
type health struct {
	db    *db.DB
	hydra hydraReady
}

type healthAnswer struct {
	Status   string `json:"status"` // ok, degraded or down
	Database string `json:"database"`
	Hydra    string `json:"hydra"`
}

// ServeHTTP implements http.Handler.
func (h health) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), healthTimeout)
	defer cancel()
	answer, status := healthAnswer{Status: "ok", Database: "ok", Hydra: "ok"}, http.StatusOK
	hydra := make(chan error, 1) // side by side: a Hydra that hangs must not use up the database's time
	go func() { hydra <- h.hydra.Ready(ctx) }()
	down := h.databaseDown(ctx)
	if <-hydra != nil {
		answer.Status, answer.Hydra = "degraded", "unreachable"
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
