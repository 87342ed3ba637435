package api_test

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"pochi/app/api"
	"pochi/app/payments"
	"pochi/app/problem"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
)

var chargesURL = "/api/agreements/" + shopping.String() + "/charges"

// withKey is what an app that charges sends.
func withKey(key string) map[string]string {
	return map[string]string{"Authorization": "Bearer agreement", "Idempotency-Key": key}
}

// charge sends an order to an API whose charges are fake, and returns what it was
// asked for.
func charge(t *testing.T, fake *chargesFake, headers map[string]string, body string) answer {
	t.Helper()
	opts := options()
	opts.Charges, opts.Patience = fake, 50*time.Millisecond
	app, _ := serve(opts)
	return send(t, app, "POST", chargesURL, headers, body)
}

func TestCharge(t *testing.T) {
	fake := &chargesFake{}
	got := charge(t, fake, withKey("order-1"), orderText)
	if want := chargesURL + "/" + sold.String(); got.Status != 201 || got.header.Get("Location") != want {
		t.Errorf("%d at %q: %v", got.Status, got.header.Get("Location"), got.Body)
	}
	if got.Body["state"] != "delivered" || got.Body["agreementId"] != shopping.String() {
		t.Errorf("%v", got.Body)
	}
	want := payments.ChargeRequest{
		AgreementID: shopping, Key: "order-1", Body: fake.request.Body, Receiver: "$shop.example/pay", Fixed: payments.FixedDebit, Amount: "500", Asset: &eur,
	}
	if diff := cmp.Diff(want, fake.request); diff != "" {
		t.Error(diff)
	}
	charge(t, fake, withKey("order-2"), `{"receiver": "$shop.example/pay", "receiveAmount": {"value": "500", "assetCode": "EUR", "assetScale": 2}, "description": "Tulips"}`)
	if fake.request.Fixed != payments.FixedReceive || fake.request.Description != "Tulips" {
		t.Errorf("%+v", fake.request)
	}
}

// The same order has the same hash, however it is written, and no other has.
func TestChargeIsKnownByWhatItSays(t *testing.T) {
	hash := func(body string) [32]byte {
		fake := &chargesFake{}
		if got := charge(t, fake, withKey("k"), body); got.Status != 201 {
			t.Fatalf("%d %v", got.Status, got.Body)
		}
		return fake.request.Body
	}
	first := hash(orderText)
	if hash(`{"debitAmount":{"assetScale":2,"assetCode":"EUR","value":"500"},"receiver":"\u0024shop.example/pay"}`) != first {
		t.Error("the same order, written in another way, is another one")
	}
	for _, other := range []string{
		strings.Replace(orderText, "500", "501", 1), strings.Replace(orderText, "/pay", "/pay2", 1),
		strings.Replace(orderText, "debit", "receive", 1), strings.Replace(orderText, "EUR", "USD", 1),
		strings.Replace(orderText, "{", `{"description": "Tulips", `, 1),
	} {
		if hash(other) == first {
			t.Errorf("%s is the same", other)
		}
	}
}

// An app is told what became of a charge as soon as that is known, and where to
// ask if it isn't.
func TestChargeTakesTime(t *testing.T) {
	sending := func(payments.ChargeRequest) (payments.Charge, error) {
		c := delivered()
		c.State, c.EndedAt = payments.Sending, time.Time{}
		return c, nil
	}
	pending := func() payments.Charge { c, _ := sending(payments.ChargeRequest{}); return c }
	forever := func(ctx context.Context) { <-ctx.Done() }
	failed := func() payments.Charge {
		c := delivered()
		c.State, c.Partial, c.Reason, c.Spent, c.Returned = payments.Failed, true, "The receiver takes no more.", euros(100), euros(400)
		return c
	}
	before := func(payments.ChargeRequest) (payments.Charge, error) {
		c := delivered()
		c.CreatedAt = begun()
		return c, nil
	}
	for name, tt := range map[string]struct {
		fake   *chargesFake
		status int
		state  string
	}{
		"it ends while we wait":    {&chargesFake{charge: sending}, 201, "delivered"},
		"it fails while we wait":   {&chargesFake{charge: sending, later: failed}, 201, "partial"},
		"it takes longer":          {&chargesFake{charge: sending, wait: forever, later: pending}, 202, "pending"},
		"it was made before":       {&chargesFake{charge: before}, 200, "delivered"},
		"it ended as we gave up":   {&chargesFake{charge: sending, wait: forever}, 201, "delivered"},
		"nobody waits for reviews": {&chargesFake{charge: sending, later: pending}, 202, "pending"},
	} {
		t.Run(name, func(t *testing.T) {
			got := charge(t, tt.fake, withKey("k"), orderText)
			if got.Status != tt.status || got.Body["state"] != tt.state || got.header.Get("Location") == "" {
				t.Errorf("%d %v", got.Status, got.Body)
			}
		})
	}
}

// Nobody who makes charges that take long keeps all connections busy.
func TestFewWaitForCharges(t *testing.T) {
	const allowed = 64
	waiting, end := make(chan struct{}, allowed), make(chan struct{})
	sending := delivered()
	sending.State, sending.EndedAt = payments.Sending, time.Time{}
	fake := &chargesFake{
		charge: func(payments.ChargeRequest) (payments.Charge, error) { return sending, nil },
		wait: func(context.Context) {
			waiting <- struct{}{}
			<-end
		},
	}
	opts := options()
	opts.Charges = &lockedCharges{chargesFake: fake}
	app, _ := serve(opts)
	var wait sync.WaitGroup
	for range allowed {
		wait.Go(func() {
			if got := send(t, app, "POST", chargesURL, withKey("k"), orderText); got.Status != 201 {
				t.Errorf("%d %v", got.Status, got.Body)
			}
		})
		<-waiting
	}
	if got := send(t, app, "POST", chargesURL, withKey("k"), orderText); got.Status != 202 {
		t.Errorf("one more: %d %v", got.Status, got.Body)
	}
	close(end)
	wait.Wait()
	if got := send(t, app, "POST", chargesURL, withKey("k"), orderText); got.Status != 201 {
		t.Errorf("afterwards: %d %v", got.Status, got.Body)
	}
}

// lockedCharges can be asked by several at once.
type lockedCharges struct {
	*chargesFake
	mu sync.Mutex
}

func (l *lockedCharges) Charge(ctx context.Context, r payments.ChargeRequest) (payments.Charge, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.chargesFake.Charge(ctx, r)
}

// What can't be read or used is refused before anything is charged, and the field
// is named.
func TestBadCharges(t *testing.T) {
	amount := func(value string) string {
		return `{"receiver": "$a.example", "debitAmount": {"value": ` + value + `, "assetCode": "EUR", "assetScale": 2}}`
	}
	deep := strings.Repeat(`{"a":`, 20) + "1" + strings.Repeat("}", 20)
	for _, tt := range []struct {
		name, body string
		status     int
		kind       string
		field      any
	}{
		{"nothing but space", " ", 400, "malformed", nil},
		{"no JSON", "receiver=x", 400, "malformed", nil},
		{"cut off", orderText[:20], 400, "malformed", nil},
		{"data after it", orderText + "{}", 400, "malformed", nil},
		{"a list", "[" + orderText + "]", 400, "malformed", nil},
		{"null", "null", 400, "malformed", nil},
		{"not UTF-8", "{\"receiver\": \"\xff\"}", 400, "malformed", nil},
		{"nested deeply", deep, 400, "malformed", strings.Repeat("a.", 8) + "a"},
		{"an unknown name", strings.Replace(orderText, "{", `{"note": 1, `, 1), 400, "malformed", "note"},
		{"a name in other letters", strings.Replace(orderText, "receiver", "Receiver", 1), 400, "malformed", "receiver"},
		{"a name twice", strings.Replace(orderText, "{", `{"receiver": "$evil.example", `, 1), 400, "malformed", "receiver"},
		{"a name twice, below", strings.Replace(orderText, `"value"`, `"value": "1", "value"`, 1), 400, "malformed", "debitAmount.value"},
		{"an unknown name below", strings.Replace(orderText, `"value"`, `"x": 1, "value"`, 1), 400, "malformed", "debitAmount.x"},
		{"no receiver", strings.Replace(orderText, `"receiver": "$shop.example/pay",`, "", 1), 400, "malformed", "receiver"},
		{"a receiver that is null", strings.Replace(orderText, `"$shop.example/pay"`, "null", 1), 400, "malformed", "receiver"},
		{"a receiver that is a number", strings.Replace(orderText, `"$shop.example/pay"`, "7", 1), 400, "malformed", "receiver"},
		{"a receiver without end", strings.Replace(orderText, "/pay", "/"+strings.Repeat("p", 3000), 1), 422, "invalid", "receiver"},
		{"no amount", `{"receiver": "$a.example"}`, 400, "malformed", "debitAmount"},
		{"both amounts", strings.Replace(orderText, "{", `{"receiveAmount": {}, `, 1), 400, "malformed", "receiveAmount"},
		{"an amount that is a string", `{"receiver": "$a.example", "debitAmount": "500"}`, 400, "malformed", "debitAmount"},
		{"a value that is a number", amount(`500`), 400, "malformed", "debitAmount.value"},
		{"a value with a sign", amount(`"+500"`), 400, "malformed", "debitAmount.value"},
		{"a negative value", amount(`"-500"`), 400, "malformed", "debitAmount.value"},
		{"a fraction", amount(`"5.00"`), 400, "malformed", "debitAmount.value"},
		{"an exponent", amount(`"5e2"`), 400, "malformed", "debitAmount.value"},
		{"zeros in front", amount(`"0500"`), 400, "malformed", "debitAmount.value"},
		{"an empty value", amount(`""`), 400, "malformed", "debitAmount.value"},
		{"nothing", amount(`"0"`), 422, "invalid", "debitAmount.value"},
		{"2^63", amount(`"9223372036854775808"`), 422, "invalid", "debitAmount.value"},
		{"a scale that is a string", strings.Replace(orderText, `: 2`, `: "2"`, 1), 400, "malformed", "debitAmount.assetScale"},
		{"a scale that is no integer", strings.Replace(orderText, `: 2`, `: 2.0`, 1), 400, "malformed", "debitAmount.assetScale"},
		{"a negative scale", strings.Replace(orderText, `: 2`, `: -2`, 1), 400, "malformed", "debitAmount.assetScale"},
		{"a scale beyond all", strings.Replace(orderText, `: 2`, `: 258`, 1), 400, "malformed", "debitAmount.assetScale"},
		{"no asset", strings.Replace(orderText, `EUR`, ``, 1), 422, "invalid", "debitAmount.assetCode"},
		{"an asset without end", strings.Replace(orderText, `EUR`, strings.Repeat("E", 40), 1), 422, "invalid", "debitAmount.assetCode"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			fake := &chargesFake{}
			got := charge(t, fake, withKey("k"), tt.body)
			if got.Status != tt.status || got.Body["type"] != "urn:pochi:problem:"+tt.kind || got.Body["field"] != tt.field {
				t.Errorf("%d %v, want %d %s %v", got.Status, got.Body, tt.status, tt.kind, tt.field)
			}
			if fake.made.Load() > 0 {
				t.Error("it was charged")
			}
		})
	}
}

func TestIdempotencyKeys(t *testing.T) {
	for name, tt := range map[string]struct {
		key string
		ok  bool
	}{
		"a UUID":      {"6a1f5b5e-0000-4000-8000-000000000000", true},
		"quoted":      {`"order:1"`, true},
		"the longest": {strings.Repeat("k", 255), true},
		"too long":    {strings.Repeat("k", 256), false},
		"empty":       {"", false},
		"with spaces": {"order 1", false},
		"not ASCII":   {"ordér", false},
		"two of them": {"k\nk", false},
	} {
		t.Run(name, func(t *testing.T) {
			fake := &chargesFake{}
			got := charge(t, fake, withKey(tt.key), orderText)
			if tt.ok != (got.Status == 201) || !tt.ok && (got.Status != 400 || got.Body["field"] != "Idempotency-Key" || fake.made.Load() > 0) {
				t.Errorf("%d %v", got.Status, got.Body)
			}
		})
	}
	got := charge(t, &chargesFake{}, bearer("agreement"), orderText)
	if got.Status != 400 || got.Body["field"] != "Idempotency-Key" {
		t.Errorf("without: %d %v", got.Status, got.Body)
	}
}

// Bodies are JSON and say so.
func TestContentTypes(t *testing.T) {
	for header, want := range map[string]int{
		"application/json":                  201,
		"application/json; charset=utf-8":   201,
		"APPLICATION/JSON":                  201,
		"text/plain":                        415,
		"text/json":                         415,
		"application/jsonp":                 415,
		"application/x-www-form-urlencoded": 415,
		"application/json, text/plain":      415,
		"":                                  415,
	} {
		headers := withKey("k")
		headers["Content-Type"] = header
		fake := &chargesFake{}
		if got := charge(t, fake, headers, orderText); got.Status != want || want != 201 && fake.made.Load() > 0 {
			t.Errorf("%q: %d %v", header, got.Status, got.Body)
		}
	}
	headers := withKey("k")
	headers["Content-Encoding"] = "gzip"
	if got := charge(t, &chargesFake{}, headers, orderText); got.Status != 415 {
		t.Errorf("compressed: %d %v", got.Status, got.Body)
	}
}

// What the service refuses reaches the app with its status, its type, and the
// field as the app wrote it.
func TestRefusedCharges(t *testing.T) {
	for _, tt := range []struct {
		err    error
		status int
		kind   string
		field  any
	}{
		{problem.New(problem.LimitExceeded, "Less is left."), 422, "limit_exceeded", "debitAmount"},
		{problem.New(problem.Insufficient, "Too little money."), 402, "insufficient_funds", nil},
		{problem.New(problem.KeyReused, "Another charge."), 409, "idempotency_key_reused", nil},
		{problem.New(problem.Forbidden, "It is paused."), 403, "forbidden", nil},
		{problem.New(problem.Conflict, "The account is closed."), 409, "conflict", nil},
		{problem.Field("receiver", "Nobody can be paid there."), 422, "invalid", "receiver"},
		{problem.Field("amount", "Too small."), 422, "invalid", "debitAmount"},
		{problem.New(problem.TooMany, "Too many at once."), 429, "too_many", nil},
		{problem.New(problem.Unavailable, "Not now."), 503, "unavailable", nil},
		{context.DeadlineExceeded, 500, "internal", nil},
	} {
		fake := &chargesFake{charge: func(payments.ChargeRequest) (payments.Charge, error) { return payments.Charge{}, tt.err }}
		got := charge(t, fake, withKey("k"), orderText)
		if got.Status != tt.status || got.Body["type"] != "urn:pochi:problem:"+tt.kind || got.Body["field"] != tt.field {
			t.Errorf("%v: %d %v", tt.err, got.Status, got.Body)
		}
	}
	fake := &chargesFake{charge: func(payments.ChargeRequest) (payments.Charge, error) {
		return payments.Charge{}, problem.Field("amount", "Too small.")
	}}
	if got := charge(t, fake, withKey("k"), strings.Replace(orderText, "debit", "receive", 1)); got.Body["field"] != "receiveAmount" {
		t.Errorf("%v", got.Body)
	}
}

// A charge can be looked up by those whose agreement it is under.
func TestShowCharge(t *testing.T) {
	if got := do(t, options(), "GET", chargesURL+"/"+sold.String(), bearer("agreement")); got.Status != 200 || got.Body["id"] != sold.String() {
		t.Errorf("%d %v", got.Status, got.Body)
	}
	for _, other := range []string{uuid.Max.String(), "x", "urn:uuid:" + sold.String(), strings.ToUpper(sold.String()), strings.ReplaceAll(sold.String(), "-", "")} {
		if got := do(t, options(), "GET", chargesURL+"/"+other, bearer("agreement")); got.Status != http.StatusNotFound {
			t.Errorf("%s: %d %v", other, got.Status, got.Body)
		}
	}
}

func TestListCharges(t *testing.T) {
	got := do(t, options(), "GET", chargesURL+"?limit=1", bearer("agreement"))
	if charges, _ := got.Body["charges"].([]any); got.Status != 200 || len(charges) != 1 {
		t.Errorf("%d %v", got.Status, got.Body)
	}
	if diff := cmp.Diff(map[string]any{"next": "older"}, got.Body["pagination"]); diff != "" {
		t.Error(diff)
	}
	got = do(t, options(), "GET", chargesURL+"?before=older", bearer("agreement"))
	if diff := cmp.Diff(map[string]any{"charges": []any{}, "pagination": map[string]any{}}, got.Body); diff != "" {
		t.Error(diff)
	}
}

var _ api.Charges = &chargesFake{}
