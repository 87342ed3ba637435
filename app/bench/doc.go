// Package bench holds benchmarks of whole wallets: what package server runs, as processes of their own with a database on the disk,
// under load that comes over HTTP from this machine.
//
// Each wallet is the test binary itself, started again; so is the bare server beside it. BENCH_ROUND says how long a round of
// packets lasts (2s): with 10s the figures are steadier. BENCH_PAYMENTS says how many payments are made within a wallet (100000).
// BENCH_PROFILES names a folder for CPU profiles of the processes.
package bench
