package api

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"pochi/app/agreements"
	"pochi/app/payments"
	"pochi/app/problem"
	"pochi/ledger"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"
)

// The header that makes a charge safe to send again, and how long its value may
// be, in bytes.
const (
	keyHeader = "Idempotency-Key"
	keyMax    = 255
)

// receiverMax bounds a receiver, in bytes: more than any that can be paid.
const receiverMax = 2048

// order is what an app wants to be paid.
type order struct {
	Receiver    string
	Fixed       payments.Fixed
	Amount      ledger.Amount
	Description string
}

// makeCharge answers POST /api/agreements/{id}/charges: with 201 once it is known
// what became of the charge, with 200 if that was known before, and with 202 if it
// isn't known yet. A key that was used before is looked up first, also when the
// agreement has ended.
func (a *API) makeCharge(c *fiber.Ctx, by caller) error {
	begun := a.now().UTC().Truncate(time.Microsecond)
	ctx, cancel := context.WithTimeout(c.UserContext(), a.patience)
	defer cancel()
	key, err := keyOf(c)
	if err != nil {
		return err
	}
	wanted, err := orderOf(c)
	if err != nil {
		return err
	}
	hash, err := wanted.hash()
	if err != nil {
		return err
	}
	made, err := a.charges.Charge(ctx, payments.ChargeRequest{
		AgreementID: by.agreement.ID, Key: key, Body: hash, Receiver: wanted.Receiver, Fixed: wanted.Fixed,
		Amount: strconv.FormatUint(wanted.Amount.Value, 10), Asset: &wanted.Amount.Asset,
		Description: wanted.Description,
	})
	if err != nil {
		return fmt.Errorf("charge: %w", wanted.named(notNow(by.agreement, err)))
	}
	if made, err = a.outcome(ctx, by, made); err != nil {
		return err
	}
	c.Set(fiber.HeaderLocation, chargePath(made))
	status := http.StatusCreated
	switch {
	case !made.State.Ended():
		status = http.StatusAccepted
	case made.CreatedAt.Before(begun):
		status = http.StatusOK
	}
	return c.Status(status).JSON(chargeOf(made))
}

// notNow tells an app that is refused whether to try again some day.
func notNow(found agreements.Agreement, err error) error {
	var e *problem.Error
	if !errors.As(err, &e) || e.Code != problem.Forbidden || e.Field != "" {
		return err
	}
	switch {
	case found.State == agreements.Paused:
		return newFault(http.StatusForbidden, "agreement_paused", "Not allowed", e.Message)
	case !found.Live():
		return newFault(http.StatusForbidden, "agreement_ended", "Not allowed", e.Message)
	}
	return err
}

// outcome waits for what becomes of a charge, as long as there is time.
func (a *API) outcome(ctx context.Context, by caller, made payments.Charge) (payments.Charge, error) {
	if made.State.Ended() {
		return made, nil
	}
	end, ok := a.limits.wait(by.ClientID)
	if !ok {
		return made, nil
	}
	defer end()
	a.charges.Wait(ctx, made.ID)
	found, err := a.charges.FindCharge(context.WithoutCancel(ctx), made.AgreementID, made.ID)
	if err != nil {
		return made, fmt.Errorf("find the charge: %w", err)
	}
	return found, nil
}

func chargePath(c payments.Charge) string { return chargesPath(c.AgreementID) + "/" + c.ID.String() }

func chargesPath(agreement uuid.UUID) string {
	return Prefix + "/agreements/" + agreement.String() + "/charges"
}

// keyOf returns the request's one Idempotency-Key: visible ASCII characters.
func keyOf(c *fiber.Ctx) (string, error) {
	values := c.Request().Header.PeekAll(keyHeader)
	if len(values) != 1 {
		return "", malformed(keyHeader, "A charge needs one Idempotency-Key, so that it can be sent again without being made twice.")
	}
	key := strings.Clone(string(values[0]))
	unseen := func(r rune) bool { return r <= ' ' || r > '~' }
	if key == "" || len(key) > keyMax || strings.ContainsFunc(key, unseen) {
		return "", malformed(keyHeader, fmt.Sprintf("An Idempotency-Key has 1 to %d visible ASCII characters.", keyMax))
	}
	return key, nil
}

// orderOf reads the body.
func orderOf(c *fiber.Ctx) (o order, err error) {
	body, err := bodyOf(c)
	if err != nil {
		return o, err
	}
	b, err := parseObject(body)
	if err != nil {
		return o, err
	}
	o.Receiver = b.text("receiver")
	switch {
	case b.has("debitAmount") && b.has("receiveAmount"):
		b.fail(malformed("receiveAmount", "A charge has either a debitAmount or a receiveAmount."))
	case b.has("receiveAmount"):
		o.Fixed, o.Amount = payments.FixedReceive, b.amount("receiveAmount")
	default:
		o.Fixed, o.Amount = payments.FixedDebit, b.amount("debitAmount")
	}
	if b.has("description") {
		o.Description = b.text("description")
	}
	if len(o.Receiver) > receiverMax {
		b.fail(invalid("receiver", "This receiver is too long."))
	}
	return o, b.end()
}

// hash is the same for the same order, however it was written.
func (o order) hash() ([32]byte, error) {
	canonical, err := json.Marshal(o)
	return sha256.Sum256(canonical), err
}

// named says of a problem which field of the body it is about.
func (o order) named(err error) error {
	var e *problem.Error
	if !errors.As(err, &e) || e.Field != "amount" && e.Code != problem.LimitExceeded {
		return err
	}
	named := e.Because(err)
	named.Field = "debitAmount"
	if o.Fixed == payments.FixedReceive {
		named.Field = "receiveAmount"
	}
	return named
}
