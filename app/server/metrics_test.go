package server

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// measured returns the samples of GET /metrics.
func measured(t *testing.T, h http.Handler) map[string]string {
	t.Helper()
	recorder := httptest.NewRecorder()
	h.ServeHTTP(recorder, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	if recorder.Code != http.StatusOK || !strings.HasPrefix(recorder.Header().Get("Content-Type"), "text/plain; version=0.0.4") {
		t.Fatalf("%d %v: %s", recorder.Code, recorder.Header(), recorder.Body)
	}
	out := map[string]string{}
	for line := range strings.Lines(recorder.Body.String()) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		name, value, ok := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		if _, twice := out[name]; !ok || twice {
			t.Errorf("%q", line)
		}
		out[name] = value
	}
	return out
}

// A payment in four packets is seen at both wallets, and nothing is left in flight.
func TestMetrics(t *testing.T) {
	p := newPeering(t)
	before := measured(t, p.a.metrics)
	p.confirm(p.quote("10.00"))
	const toB = `pochi_ilp_in_flight_packets{peer="b",direction="to"}`
	await(t, "the goodbye is over", func() bool { return measured(t, p.a.metrics)[toB] == "0" })
	for who, test := range map[string]struct {
		h    http.Handler
		want map[string]string
	}{
		"the payer's": {p.a.metrics, map[string]string{
			`pochi_ilp_packets_total{from="wallet",outcome="fulfilled"}`: "4",
			`pochi_payments_ended_total{state="completed"}`:              "1",
			`pochi_payments_ended_total{state="failed"}`:                 "0",
			`pochi_payments{state="sending"}`:                            "0",
			`pochi_ilp_in_flight_amount{peer="b",direction="from"}`:      "0",
			`pochi_ilp_in_doubt_amount{peer="b"}`:                        "0",
			`pochi_writer_waiting`:                                       "0",
			`pochi_rates_stale`:                                          "0",
			`pochi_payments{state="needs_review"}`:                       "0",
			`pochi_ilp_in_flight_amount{peer="b",direction="to"}`:        "0",
			`pochi_ilp_in_flight_packets{peer="b",direction="from"}`:     "0",
		}},
		"the payee's": {p.b.metrics, map[string]string{
			`pochi_ilp_packets_total{from="peer",outcome="fulfilled"}`: "4",
			`pochi_payments_ended_total{state="completed"}`:            "0",
		}},
	} {
		got := measured(t, test.h)
		for name, want := range test.want {
			if got[name] != want {
				t.Errorf("%s %s: %q, want %q", who, name, got[name], want)
			}
		}
	}
	after := measured(t, p.a.metrics)
	if before["pochi_writer_batches_total"] == after["pochi_writer_batches_total"] || after["pochi_writer_units_total"] == "0" {
		t.Errorf("batches before %s, after %s, with %s units", before["pochi_writer_batches_total"], after["pochi_writer_batches_total"], after["pochi_writer_units_total"])
	}
}

// A peer's name is whatever an admin typed.
func TestMetricsEscapeNames(t *testing.T) {
	var out exposition
	out.sample("x", 1, "peer", "a\"b\\c", "direction", "to")
	if got, want := out.String(), `x{peer="a\"b\\c",direction="to"} 1`+"\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
