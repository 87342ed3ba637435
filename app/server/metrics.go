package server

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"pochi/app/payments"
	"pochi/db"
	"pochi/ilp/connector"
)

// metrics answers GET /metrics on the ops listener, in the text format that
// Prometheus reads: what the wallet has done since it started, and what it is
// doing. It names peers, and nobody else.
type metrics struct {
	connector interface {
		Counts() []connector.Count
		Flights() []connector.Flight
	}
	payments interface {
		Tally(ctx context.Context) (payments.Tally, error)
	}
	writer interface{ Tally() db.Tally }
	rates  agingRates
	log    *slog.Logger
}

// ServeHTTP implements http.Handler. It answers 500 when the database can't be
// read: what is left out would look like zero.
func (m metrics) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), healthTimeout)
	defer cancel()
	paid, err := m.payments.Tally(ctx)
	if err != nil {
		m.log.Error("the metrics can't be read", "error", err)
		http.Error(w, "the database can't be read", http.StatusInternalServerError)
		return
	}
	var out exposition
	m.packets(&out)
	out.family("pochi_payments_ended_total", "counter", "Payments and charges that have ended, by how.")
	out.sample("pochi_payments_ended_total", paid.Completed, "state", string(payments.Completed))
	out.sample("pochi_payments_ended_total", paid.Failed, "state", string(payments.Failed))
	out.family("pochi_payments", "gauge", "Payments and charges that haven't ended, by state.")
	out.sample("pochi_payments", paid.Sending, "state", string(payments.Sending))
	out.sample("pochi_payments", paid.NeedReview, "state", string(payments.NeedsReview))
	written := m.writer.Tally()
	out.single("pochi_writer_batches_total", "counter", "Batches that were committed.", written.Batches)
	out.single("pochi_writer_units_total", "counter", "Units that were committed in them.", written.Units)
	out.single("pochi_writer_waiting", "gauge", "Units that wait for the next batch.", uint64(written.Waiting))
	out.single("pochi_rates_stale", "gauge", "Exchange rates that were set and are too old.", uint64(len(m.rates.TooOld())))
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	_, _ = w.Write(out.Bytes()) // who asked may have gone
}

// packets writes what became of packets, and what is in flight.
func (m metrics) packets(out *exposition) {
	out.family("pochi_ilp_packets_total", "counter", "Packets that were answered, by who sent them and the outcome: fulfilled, a reject's code, or unknown.")
	counts := m.connector.Counts()
	slices.SortFunc(counts, func(a, b connector.Count) int {
		return cmp.Or(cmp.Compare(a.From, b.From), cmp.Compare(a.Outcome, b.Outcome))
	})
	for _, c := range counts {
		out.sample("pochi_ilp_packets_total", c.Packets, "from", c.From, "outcome", c.Outcome)
	}
	flights := m.connector.Flights()
	slices.SortFunc(flights, func(a, b connector.Flight) int {
		return cmp.Or(cmp.Compare(a.Peer, b.Peer), cmp.Compare(direction(a), direction(b)))
	})
	for _, gauge := range []struct {
		name, help string
		of         func(connector.Flight) uint64
	}{
		{"pochi_ilp_in_flight_packets", "Packets in flight from a peer, and to it.", func(f connector.Flight) uint64 { return f.Packets }},
		{"pochi_ilp_in_flight_amount", "What they carry, in the smallest unit of the peer's asset.", func(f connector.Flight) uint64 { return f.Amount }},
	} {
		out.family(gauge.name, "gauge", gauge.help)
		for _, f := range flights {
			out.sample(gauge.name, gauge.of(f), "peer", f.Peer, "direction", direction(f))
		}
	}
	out.family("pochi_ilp_in_doubt_amount", "gauge", "What may have arrived at a peer though its answers were lost, in the same unit.")
	for _, f := range flights {
		if f.ToPeer {
			out.sample("pochi_ilp_in_doubt_amount", f.InDoubt, "peer", f.Peer)
		}
	}
}

func direction(f connector.Flight) string {
	if f.ToPeer {
		return "to"
	}
	return "from"
}

// exposition is a text in version 0.0.4 of Prometheus' format.
type exposition struct{ bytes.Buffer }

func (e *exposition) family(name, kind, help string) {
	fmt.Fprintf(e, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, kind)
}

// sample writes a value under labels: name, value, name, value.
func (e *exposition) sample(name string, value uint64, labels ...string) {
	e.WriteString(name)
	for i := 0; i+1 < len(labels); i += 2 {
		e.WriteByte("{,"[min(i, 1)])
		e.WriteString(labels[i] + `="` + labelEscapes.Replace(labels[i+1]) + `"`)
	}
	if len(labels) > 0 {
		e.WriteByte('}')
	}
	e.WriteString(" " + strconv.FormatUint(value, 10) + "\n")
}

var labelEscapes = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`)

func (e *exposition) single(name, kind, help string, value uint64) {
	e.family(name, kind, help)
	e.sample(name, value)
}
