package oauth

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"

	"pochi/app/agreements"
	"pochi/app/agreements/interval"
	"pochi/app/problem"
	"pochi/ilp/pointer"
	"pochi/ledger"

	"github.com/google/uuid"
)

const (
	detailsMax     = 2 << 10 // bytes; Hydra repeats them in its redirects
	termsMax       = 8 << 10 // bytes, of terms that an app sends itself
	descriptionMax = 200     // characters
	receiversMax   = 20
	detailType     = "agreement"
)

// Detail is what an app asks for besides scopes: an agreement with these Terms
// or, unless ID is zero, the one that it has proposed under this ID.
type Detail struct {
	ID    uuid.UUID
	Terms agreements.Terms
}

// TermsReader reads what apps ask for. Nothing is ignored: what isn't known is
// refused, since somebody meant something by it.
type TermsReader struct {
	Pointers pointer.Parser
	Assets   []ledger.Asset // those that agreements can be in
}

// Details reads the parameter authorization_details (RFC 9396): an array of one
// object of the type "agreement", with the terms of an agreement or, as id, the
// agreement that the app has proposed; 2 kB at most. Errors: problem.Invalid with
// the path of the member as field, such as "amount.value".
func (r TermsReader) Details(text string) (Detail, error) {
	if len(text) > detailsMax {
		return Detail{}, problem.Field("authorization_details", "authorization_details has more than %d bytes: propose the agreement first, and ask for it by its id.", detailsMax)
	}
	element, err := onlyOf([]byte(text))
	if err != nil {
		return Detail{}, problem.Field("authorization_details", "authorization_details can't be read: %s.", err)
	}
	members, err := object(element)
	if err != nil {
		return Detail{}, problem.Field("authorization_details", "The element of authorization_details can't be read: %s.", err)
	}
	if kind, _ := stringOf(members["type"]); kind != detailType {
		return Detail{}, problem.Field("type", `The type of the authorization detail must be "%s".`, detailType)
	}
	delete(members, "type")
	if _, byReference := members["id"]; byReference {
		return reference(members)
	}
	terms, err := r.terms(members)
	return Detail{Terms: terms}, err
}

// Terms reads the body with which an app proposes an agreement: an object as in
// Details, whose type may be left out; 8 kB at most. Errors: as of Details.
func (r TermsReader) Terms(body []byte) (agreements.Terms, error) {
	if len(body) > termsMax {
		return agreements.Terms{}, problem.New(problem.TooLarge, "An agreement has at most %d bytes.", termsMax)
	}
	members, err := object(body)
	if err != nil {
		return agreements.Terms{}, problem.New(problem.Invalid, "The agreement can't be read: %s.", err)
	}
	if value, ok := members["type"]; ok {
		if kind, _ := stringOf(value); kind != detailType {
			return agreements.Terms{}, problem.Field("type", `The type must be "%s".`, detailType)
		}
		delete(members, "type")
	}
	return r.terms(members)
}

func reference(members map[string]json.RawMessage) (Detail, error) {
	text, _ := stringOf(members["id"])
	id, err := uuid.Parse(text)
	if err != nil || id == uuid.Nil || id.String() != text {
		return Detail{}, problem.Field("id", "id isn't the id of an agreement.")
	}
	for _, name := range slices.Sorted(maps.Keys(members)) {
		if name != "id" {
			return Detail{}, problem.Field(name, "%s can't stand beside an id: the terms are those that were proposed.", quoted(name))
		}
	}
	return Detail{ID: id}, nil
}

// reading is terms half read.
type reading struct {
	TermsReader
	terms  agreements.Terms
	faults problem.Errors
}

func (r TermsReader) terms(members map[string]json.RawMessage) (agreements.Terms, error) {
	reading := reading{TermsReader: r}
	readers := map[string]func(json.RawMessage) error{
		"description": reading.description, "amount": reading.amount, "interval": reading.interval, "paymentMax": reading.paymentMax,
		"receivers": reading.receivers, "startsAt": moment(&reading.terms.StartsAt), "expiresAt": moment(&reading.terms.ExpiresAt),
	}
	for _, name := range slices.Sorted(maps.Keys(members)) {
		read, known := readers[name]
		if !known {
			read = func(json.RawMessage) error { return errors.New("isn't known here") }
		}
		if err := read(members[name]); err != nil {
			reading.fault(name, err)
		}
	}
	for _, name := range []string{"description", "amount"} {
		if _, there := members[name]; !there {
			reading.fault(name, errors.New("is missing"))
		}
	}
	if len(reading.faults) > 0 {
		return agreements.Terms{}, reading.faults
	}
	return reading.terms, nil
}

func (r *reading) fault(name string, err error) {
	r.faults = append(r.faults, problem.Field(name, "%s %s.", quoted(name), err))
}

// quoted is a member's name as an app wrote it, safe to be said.
func quoted(name string) string {
	if utf8.RuneCountInString(name) > 40 {
		name = string([]rune(name)[:40]) + "…"
	}
	return strconv.QuoteToASCII(name)
}

func (r *reading) description(value json.RawMessage) error {
	text, ok := stringOf(value)
	if !ok || text == "" || text != printableUpTo(text, descriptionMax) {
		return fmt.Errorf("must be 1 to %d printable characters in one line", descriptionMax)
	}
	r.terms.Description = text
	return nil
}

// digits is an amount of money: not 0, and not written in two ways.
var digits = regexp.MustCompile(`^[1-9][0-9]{0,18}$`)

// units reads an amount in an asset's smallest unit.
func units(value json.RawMessage) (uint64, error) {
	text, ok := stringOf(value)
	n, err := strconv.ParseUint(text, 10, 63)
	if !ok || err != nil || !digits.MatchString(text) {
		return 0, errors.New(`must be a string of digits, such as "1200", that is more than 0 and less than 2^63`)
	}
	return n, nil
}

func (r *reading) amount(value json.RawMessage) error {
	members, err := object(value)
	if err != nil {
		return errors.New(`must be an object such as {"value": "1200", "assetCode": "EUR", "assetScale": 2}`)
	}
	var scale *uint8
	code, isCode := stringOf(members["assetCode"])
	switch {
	case len(members) != 3 || !isCode || json.Unmarshal(members["assetScale"], &scale) != nil || scale == nil:
		return errors.New("must have value, assetCode and assetScale, and nothing else")
	case !slices.Contains(r.Assets, ledger.Asset{Code: code, Scale: *scale}):
		return fmt.Errorf("is in an asset that this wallet doesn't have: it has %s", r.assets())
	}
	if r.terms.Amount.Value, err = units(members["value"]); err != nil {
		return fmt.Errorf("has a value that %w", err)
	}
	r.terms.Amount.Asset = ledger.Asset{Code: code, Scale: *scale}
	return nil
}

func (r *reading) assets() string {
	text := ""
	for i, asset := range r.Assets {
		if i > 0 {
			text += ", "
		}
		text += fmt.Sprintf("%s with scale %d", asset.Code, asset.Scale)
	}
	return text
}

func (r *reading) interval(value json.RawMessage) error {
	text, ok := stringOf(value)
	if !ok || text == "" {
		return errors.New("must be a repeating interval such as R/P1M; without one the amount is for once")
	}
	rule, err := interval.Parse(text)
	if err != nil {
		return fmt.Errorf("can't be used: %w", errors.New(withoutStop(err.Error())))
	}
	r.terms.Interval = rule
	return nil
}

func (r *reading) paymentMax(value json.RawMessage) (err error) {
	r.terms.PaymentMax, err = units(value)
	return err
}

func (r *reading) receivers(value json.RawMessage) error {
	var texts []*string
	if json.Unmarshal(value, &texts) != nil || len(texts) == 0 || len(texts) > receiversMax {
		return fmt.Errorf("must be an array of 1 to %d payment pointers; without one anybody can be paid", receiversMax)
	}
	for _, text := range texts {
		if text == nil {
			return errors.New("must name payment pointers")
		}
		receiver, err := r.Pointers.Parse(*text)
		if err != nil {
			return fmt.Errorf("has what is no payment pointer: %s", withoutStop(err.Error()))
		}
		if slices.Contains(r.terms.Receivers, receiver.String()) {
			return errors.New("names the same payment pointer twice")
		}
		r.terms.Receivers = append(r.terms.Receivers, receiver.String())
	}
	return nil
}

func moment(into *time.Time) func(json.RawMessage) error {
	return func(value json.RawMessage) error {
		text, _ := stringOf(value)
		t, err := time.Parse(time.RFC3339, text)
		if t = t.UTC(); err != nil || t.Year() < 1970 || t.Year() > 9999 {
			return errors.New("must be a moment such as 2026-01-31T00:00:00Z")
		}
		*into = t
		return nil
	}
}

// withoutStop makes a sentence the end of another one.
func withoutStop(sentence string) string {
	if n := len(sentence); n > 0 && sentence[n-1] == '.' {
		return sentence[:n-1]
	}
	return sentence
}
