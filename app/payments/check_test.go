package payments_test

import (
	"context"
	"database/sql"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"pochi/app/payments"
	"pochi/db"
	"pochi/ledger"

	"github.com/google/uuid"
)

// audited checks a database and returns its defects.
func audited(t *testing.T, read *sql.DB) []ledger.Defect {
	t.Helper()
	report, err := ledger.Check(context.Background(), read, ledger.CheckOptions{Observers: []ledger.Observer{payments.NewAudit()}})
	if err != nil {
		t.Fatal(err)
	}
	return report.Defects
}

// change edits the database through its writer.
func (w *wallet) change(statement string) {
	w.t.Helper()
	err := w.DB.Write(context.Background(), func(tx db.Tx) error {
		_, err := tx.ExecContext(context.Background(), statement)
		return err
	})
	if err != nil {
		w.t.Fatalf("%s: %v", statement, err)
	}
}

// A database with payments that was written before accounts had numbers is
// brought up to date and is right.
func TestCheckOfAMigratedDatabase(t *testing.T) {
	dump, err := os.ReadFile("testdata/before-0004.sql")
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "pochi.db")
	old, err := sql.Open("sqlite3", "file:"+path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := old.Exec(string(dump)); err != nil {
		t.Fatal(err)
	}
	if err := old.Close(); err != nil {
		t.Fatal(err)
	}
	d, err := db.Open(ctx, db.Options{URL: "sqlite:" + path})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if _, err := ledger.Open(ctx, d); err != nil {
		t.Fatal(err)
	}
	if defects := audited(t, d.Read); len(defects) > 0 {
		t.Errorf("defects %v", defects)
	}
	var sending int
	if err := d.Read.QueryRow("SELECT count(*) FROM outgoing_payments WHERE state = 'sending'").Scan(&sending); err != nil || sending != 1 {
		t.Errorf("%d payments are being sent, %v", sending, err)
	}
}

// What is in suspense, or needs review, is compared too.
func TestCheckOfWhatIsNotFinal(t *testing.T) {
	tests := map[string][]string{
		"in suspense": {
			"UPDATE outgoing_payments SET sent_amount = sent_amount + 1",
			"UPDATE outgoing_payments SET state = 'completed', ended_at = 1",
			"UPDATE outgoing_payments SET state = 'failed', ended_at = 1",
		},
		"paid": {
			"UPDATE outgoing_payments SET sent_amount = sent_amount - 1",
			"UPDATE outgoing_payments SET sent_amount = 0",
		},
		"released": {
			"UPDATE outgoing_payments SET sent_amount = sent_amount + 300",
		},
		"needs review": {
			"UPDATE outgoing_payments SET ended_at = 5",
			"UPDATE outgoing_payments SET state = 'failed', ended_at = 5",
		},
	}
	for name, statements := range tests {
		t.Run(name, func(t *testing.T) {
			w := newWallet(t)
			ann := w.Person("ann", usd, "10")
			w.Person("ben", eur, "")
			crashed(t, w, ann, "5", 100, 300, false)
			switch name {
			case "paid", "released":
				if _, _, err := w.review().Resolve(context.Background(), w.item(), name == "paid"); err != nil {
					t.Fatal(err)
				}
			case "needs review":
				w.park()
			}
			w.Check()
			for _, statement := range statements {
				w.change("CREATE TEMP TABLE kept AS SELECT * FROM outgoing_payments")
				w.change(statement)
				named := func(d ledger.Defect) bool { return d.Name == payments.DefectPayment }
				if defects := audited(t, w.DB.Read); !slices.ContainsFunc(defects, named) {
					t.Errorf("%s: defects %v", statement, defects)
				}
				w.change("DELETE FROM outgoing_payments")
				w.change("INSERT INTO outgoing_payments SELECT * FROM kept")
				w.change("DROP TABLE kept")
				w.Check()
			}
		})
	}
}

// Holds of peers and of the wallet itself have no payment; a person's has one.
func TestCheckOfHoldsWithoutPayments(t *testing.T) {
	w := newWallet(t)
	ann := w.Person("ann", usd, "10")
	peer := w.peer(usd)
	exchange, outgoing := ledger.HouseAccount(usd, ledger.CodeExchange), ledger.HouseAccount(usd, ledger.CodeOutgoing)
	take := func(debit, toward uuid.UUID) ledger.Take {
		return ledger.Take{
			Reference: uuid.Must(uuid.NewV7()), Debit: debit, Credit: outgoing, Toward: toward, Amount: 1, Unreserved: true,
		}
	}
	if err := w.Ledger.Submit(context.Background(), ledger.Chain{take(exchange, peer)}, nil); err != nil {
		t.Fatal(err)
	}
	w.Check()
	if err := w.Ledger.Submit(context.Background(), ledger.Chain{take(ann.Account, peer)}, nil); err != nil {
		t.Fatal(err)
	}
	if defects := audited(t, w.DB.Read); len(defects) != 1 || defects[0].Name != payments.DefectPayment {
		t.Errorf("defects %v", defects)
	}
}

// People pay each other all the while.
func TestCheckBesidePayments(t *testing.T) {
	w := newWallet(t)
	ann, ben := w.Person("ann", usd, "1000"), w.Person("ben", eur, "1000")
	var paying sync.WaitGroup
	stop := make(chan struct{})
	for _, from := range []struct {
		person
		to string
	}{{ann, benPointer}, {ben, annPointer}} {
		paying.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
					w.Confirm(from.person, w.Quote(from.person, from.to, "1", payments.FixedDebit))
				}
			}
		})
	}
	for range 20 {
		if defects := audited(t, w.DB.Read); len(defects) > 0 {
			t.Errorf("defects %v", defects)
			break
		}
	}
	close(stop)
	paying.Wait()
	w.Check()
}
