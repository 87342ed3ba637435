// Package simulation has whole networks of nodes in one process, under a clock that is simulated: thousands of payments go
// through connectors that are joined by links which delay, lose, repeat and forge. Every packet's way is written down at each
// node (visit_test.go), and compared at the end with what the books say, and the senders (sums_test.go).
//
// TestNetworks has the connector and STREAM with books in memory, TestWallets all of the wallet but its pages, with real ledgers.
// A seed is printed with each failure; POCHI_SIM_SEED runs that one network again, POCHI_SIM_COUNT so many.
package simulation

import "log/slog"

var quiet = slog.New(slog.DiscardHandler)
