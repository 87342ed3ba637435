package web

import (
	"testing"
	"time"

	"pochi/app/payments"
	"pochi/ledger"
	"pochi/views"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
)

// TestMovementsOfApps checks what lists say about money that an app moved.
func TestMovementsOfApps(t *testing.T) {
	id, agreement := uuid.MustParse("0199a3c0-0000-7000-8000-000000000001"), uuid.MustParse("0199a3c0-0000-7000-8000-000000000002")
	at := time.Date(2026, 11, 22, 14, 5, 0, 0, time.UTC)
	line := func(change func(*payments.Movement)) payments.Movement {
		m := payments.Movement{
			ID: id, Who: "Ben", Pointer: "$wallet.example/ben", Amount: ledger.Amount{Value: 1200, Asset: ledger.Asset{Code: "EUR", Scale: 2}},
			State: payments.Completed, At: at, App: "Shop", AgreementID: agreement,
		}
		change(&m)
		return m
	}
	charge, stream := "/payments/"+id.String(), "/agreements/"+agreement.String()
	for name, test := range map[string]struct {
		m    payments.Movement
		want views.Movement
	}{
		"a charge":                    {line(func(*payments.Movement) {}), views.Movement{URL: charge, Who: "Ben", Detail: "by Shop"}},
		"a charge to another wallet":  {line(func(m *payments.Movement) { m.Who = "" }), views.Movement{URL: charge, Who: "$wallet.example/ben", Detail: "by Shop"}},
		"packets":                     {line(func(m *payments.Movement) { m.Stream = true }), views.Movement{URL: stream, Who: "Ben", Detail: "by Shop"}},
		"packets to another wallet":   {line(func(m *payments.Movement) { m.Stream, m.Who, m.Pointer = true, "", "" }), views.Movement{URL: stream, Who: "Another wallet", Detail: "by Shop"}},
		"a person's own":              {line(func(m *payments.Movement) { m.App = "" }), views.Movement{URL: charge, Who: "Ben", Detail: "$wallet.example/ben"}},
		"a request of another wallet": {line(func(m *payments.Movement) { m.App, m.Who, m.Pointer = "", "", "$bank.example/requests/"+id.String() }), views.Movement{URL: charge, Who: "Payment request", Detail: "at bank.example"}},
		"a person's, to who knows it": {line(func(m *payments.Movement) { m.App, m.Who = "", "" }), views.Movement{URL: charge, Who: "$wallet.example/ben"}},
	} {
		test.want.ID, test.want.Amount = id.String(), views.Money{Text: minus + "€12.00", Code: "EUR"}
		test.want.Time = views.Moment{Text: "14:05 UTC", ISO: "2026-11-22T14:05:00Z"}
		if diff := cmp.Diff(test.want, (&Site{}).movement(test.m)); diff != "" {
			t.Errorf("%s:\n%s", name, diff)
		}
	}
}
