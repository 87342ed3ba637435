package main

import (
	"strings"
	"testing"
	"time"

	"pochi/app/admin"
	"pochi/app/peers"
	"pochi/app/problem"
	"pochi/db"
	"pochi/ledger"

	"github.com/google/uuid"
)

// What a peer may claim is listed with the payment behind it, and settled, with a
// wallet that runs and without one.
func TestDoubtCommands(t *testing.T) {
	for name, running := range map[string]bool{"without a wallet": false, "beside a running wallet": true} {
		t.Run(name, func(t *testing.T) {
			newData(t)
			loggedWallet(t)()
			bob := one[admin.Peer](t, "admin", "peer", "add", "bob", "--ilp-address", "test.bob", "--asset", "USD/2", "--incoming-token", bobToken)
			payment, forwarded := crash(t), uuid.Must(uuid.NewV7())
			open(t, func(d *db.DB, _ *ledger.Ledger) {
				err := d.Write(t.Context(), func(tx db.Tx) error {
					for i, reference := range []uuid.UUID{payment, payment, forwarded} {
						doubt := peers.Doubt{Peer: bob.ID, Reference: reference, Amount: 5, Cause: "it timed out"}
						if err := doubt.Record(t.Context(), tx, time.Unix(int64(i), 0)); err != nil {
							return err
						}
					}
					_, err := tx.ExecContext(t.Context(), "UPDATE outgoing_payments SET doubted_amount = 10 WHERE id = ?", payment[:])
					return err
				})
				if err != nil {
					t.Fatal(err)
				}
			})
			logged := func() string { return "" }
			if running {
				logged = loggedWallet(t)
			}
			doubts := func(args ...string) []admin.PeerDoubt {
				t.Helper()
				text, err := pochi(t, append([]string{"admin", "peer", "doubts", "bob"}, args...)...)
				return objects[admin.PeerDoubt](t, text, err)
			}
			listed := doubts()
			if len(listed) != 2 {
				t.Fatalf("%+v", listed)
			}
			if d := listed[0]; d.Reference != payment || d.State != "open" || d.Packets != 2 || d.Amount != 10 || d.Asset != "USD/2" || d.Cause != "it timed out" ||
				!d.FirstAt.Equal(time.Unix(0, 0)) || !d.LastAt.Equal(time.Unix(1, 0)) ||
				d.Payment == nil || *d.Payment != payment || d.Payer != "ann@example.com" || d.Receiver != "$localhost:3000/nobody" {
				t.Errorf("%+v", d)
			}
			if d := listed[1]; d.Reference != forwarded || d.Payment != nil || d.Payer != "" {
				t.Errorf("%+v", d)
			}
			if _, err := pochi(t, "admin", "peer", "doubts", "bob", "--accept", payment.String(), "--amount", "5"); problem.CodeOf(err) != problem.Conflict {
				t.Errorf("another amount: %v", err)
			}
			for _, repeated := range []bool{false, true} {
				if d := doubts("--accept", payment.String()); len(d) != 1 || d[0].State != "accepted" || d[0].Amount != 10 || d[0].Payer == "" || d[0].ResolvedAt == nil || d[0].Repeated != repeated {
					t.Errorf("%+v", d)
				}
				if d := doubts("--dismiss", forwarded.String(), "--amount", "5"); len(d) != 1 || d[0].State != "dismissed" || d[0].Repeated != repeated {
					t.Errorf("%+v", d)
				}
			}
			if d, all := doubts(), doubts("--all"); len(d) != 0 || len(all) != 2 {
				t.Errorf("open %+v, all %+v", d, all)
			}
			text, err := pochi(t, "admin", "peer", "list")
			if now := objects[admin.Peer](t, text, err)[0]; now.OwedToPeer != 10 || now.InDoubt != (admin.PeerInDoubt{}) {
				t.Errorf("%+v", now)
			}
			wantOrder(t)
			log := logged()
			for _, want := range []string{"doubts=2", "path=/peers/bob/doubts/" + payment.String() + "/accept", "amount=\"0.10 USD\"", "state=accepted"} {
				if running && !strings.Contains(log, want) {
					t.Errorf("the log lacks %s: %s", want, log)
				}
			}
			for _, args := range [][]string{
				{"eve"}, {"bob", "--amount", "5"}, {"bob", "--accept", payment.String(), "--dismiss", payment.String()}, {"bob", "--accept", "5"},
			} {
				if text, err := pochi(t, append([]string{"admin", "peer", "doubts"}, args...)...); err == nil || text != "" {
					t.Errorf("%q: %q", args, text)
				}
			}
		})
	}
}

// Whoever looks at what is in suspense is told that this isn't all.
func TestSuspenseListNamesDoubts(t *testing.T) {
	newData(t)
	loggedWallet(t)()
	bob := one[admin.Peer](t, "admin", "peer", "add", "bob", "--ilp-address", "test.bob", "--asset", "USD/2", "--incoming-token", bobToken)
	said := func() string {
		t.Helper()
		var out, warned strings.Builder
		if err := (admin.Lists{DB: newConfig(t).DB, Out: &out, Warn: &warned}).Suspense(t.Context(), false); err != nil || out.Len() > 0 {
			t.Errorf("%q, %v", &out, err)
		}
		return warned.String()
	}
	if text := said(); text != "" {
		t.Errorf("without doubts: %q", text)
	}
	open(t, func(d *db.DB, _ *ledger.Ledger) {
		doubt := peers.Doubt{Peer: bob.ID, Reference: uuid.New(), Amount: 5}
		if err := d.Write(t.Context(), func(tx db.Tx) error { return doubt.Record(t.Context(), tx, time.Now()) }); err != nil {
			t.Fatal(err)
		}
	})
	if text := said(); !strings.HasSuffix(text, ": pochi admin peer doubts bob\n") {
		t.Errorf("%q", text)
	}
}
