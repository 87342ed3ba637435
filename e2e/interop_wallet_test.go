package e2e

import (
	"fmt"
	"os"
	"testing"
)

// needWallet skips the test, saying so, unless wallets can be run.
func needWallet(t *testing.T) {
	t.Helper()
	if os.Getenv("POCHI_E2E") == "" {
		t.Skip("needs bin/pochi: run it with POCHI_E2E=1 after make build, or with make test")
	}
}

func loopback(port int) string { return fmt.Sprintf("http://127.0.0.1:%d/", port) }

// startMoney starts a wallet.
func startMoney(t *testing.T, address string) side {
	t.Helper()
	t.Skip("peers can't be added to a wallet yet")
	return nil
}
