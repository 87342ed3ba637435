package payments_test

import (
	"testing"

	"pochi/app/payments/paytest"
)

var (
	usd = paytest.USD
	eur = paytest.EUR
	jpy = paytest.JPY
	old = paytest.OLD
)

type person = paytest.Person

// wallet is one of package paytest.
type wallet struct {
	*paytest.Wallet
	t *testing.T
}

func newWallet(t *testing.T) *wallet {
	t.Helper()
	return &wallet{paytest.New(t, paytest.Options{}), t}
}
