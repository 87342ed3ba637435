package payments_test

import (
	"fmt"
	"strings"
	"testing"

	"pochi/app/payments"

	"github.com/google/uuid"
)

// Whatever is changed about requests behind the ledger's back, check names.
func TestCheckFindsWhatIsWrongWithRequests(t *testing.T) {
	for name, c := range map[string]struct{ change, says string }{
		"asks for more":      {"UPDATE payment_requests SET amount = 5000 WHERE id = OPEN", "takes 5050 at the most, its cap says 1010"},
		"takes anything":     {"UPDATE payment_requests SET amount = NULL WHERE id = OPEN", "its cap says 1010"},
		"cancelled":          {"UPDATE payment_requests SET cancelled_at = 1 WHERE id = OPEN", "takes 0 at the most, its cap says 1010"},
		"not cancelled":      {"UPDATE payment_requests SET cancelled_at = NULL WHERE id = ENDED", "takes 303 at the most, its cap says 0"},
		"another's account":  {"UPDATE payment_requests SET account_id = ANN WHERE id = OPEN", "belongs to another person"},
		"another's pointer":  {"UPDATE payment_requests SET pointer_id = (SELECT id FROM pointers WHERE name = 'ann') WHERE id = OPEN", "belongs to another person"},
		"a line that is not": {"UPDATE incoming_payments SET request_id = NULL", "that was paid 0, its cap says 400"},
		"a line of another":  {"UPDATE incoming_payments SET request_id = ENDED", "that was paid 400, its cap says 0"},
		"nobody's cap": {
			"INSERT INTO payment_requests SELECT x'00112233445566778899aabbccddeeff', user_id, account_id, pointer_id, client_id, amount, description, created_at, expires_at, cancelled_at FROM payment_requests WHERE id = ENDED",
			"without a cap",
		},
		"a cap without": {"DELETE FROM payment_requests WHERE id = ENDED", "cap without a payment request"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWallet(t)
			ann, ben := w.Person("ann", usd, "10"), w.Person("ben", usd, "")
			open, ended := w.request(ben, "10", ""), w.request(ben, "3", "")
			w.Confirm(ann, w.Quote(ann, w.address(open), "4", payments.FixedDebit))
			if err := w.Payments.CancelRequest(t.Context(), ben.ID, ended.ID); err != nil {
				t.Fatal(err)
			}
			w.Check()
			w.change(strings.NewReplacer("OPEN", blob(open.ID), "ENDED", blob(ended.ID), "ANN", blob(ann.Account)).Replace(c.change))
			found := w.Defects()
			said := false
			for _, d := range found {
				said = said || d.Name == payments.DefectPayment && strings.Contains(d.Detail, c.says)
			}
			if !said {
				t.Errorf("%+v", found)
			}
		})
	}
}

// blob is an id in SQL.
func blob(id uuid.UUID) string { return fmt.Sprintf("x'%x'", id[:]) }
