package main

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"golang.org/x/oauth2"
)

// kind is what a customer wants.
type kind string

const (
	bouquet      kind = "bouquet"
	subscription kind = "subscription"
	tips         kind = "tips"
)

// stage is how far a deal has come.
type stage string

const (
	asked  stage = "asked" // the customer is in their wallet
	denied stage = "denied"
	agreed stage = "agreed"
	done   stage = "done" // paid, or ended by the customer here
)

// deal is what one customer wants from the shop, and what they agreed to.
type deal struct {
	ID        string
	Kind      kind
	Visitor   string // whose browser
	Title     string
	Price     uint64 // of the bouquet, or of each delivery; smallest units
	Stage     stage
	State     string // of the OAuth2 request, good for once
	Verifier  string // PKCE
	Customer  string // what they are called
	Agreement string
	Token     *oauth2.Token
	Bills     []bill
	Tipped    uint64 // what arrived of it
	MadeAt    time.Time
}

// bill is a charge. It is written down before the wallet is asked, so that the same one can be sent again.
type bill struct {
	Key     string
	Payment payment
	Refused string // why the wallet doesn't make it
	At      time.Time
}

// open tells whether it isn't known what became of it.
func (b bill) open() bool {
	return b.Refused == "" && (b.Payment.State == "" || b.Payment.State == "pending")
}

// Paid tells whether everything arrived.
func (b bill) Paid() bool { return b.Payment.State == "delivered" }

// AnyPaid tells whether a charge was paid in full.
func (d deal) AnyPaid() bool { return slices.ContainsFunc(d.Bills, bill.Paid) }

// deals are all deals, in a file. They are safe for concurrent use.
type deals struct {
	file string
	mu   sync.Mutex
	all  map[string]deal
	busy map[string]*sync.Mutex
}

// openDeals reads the shop's file in its folder, or begins one.
func openDeals(folder string) (*deals, error) {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, fmt.Errorf("SHOP_DATA: %w", err)
	}
	d := &deals{file: filepath.Join(folder, "deals.json"), all: map[string]deal{}, busy: map[string]*sync.Mutex{}}
	text, err := os.ReadFile(d.file)
	if errors.Is(err, os.ErrNotExist) {
		return d, nil
	}
	if err == nil {
		err = json.Unmarshal(text, &d.all)
	}
	return d, err
}

// save writes a deal down.
func (d *deals) save(one deal) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.all[one.ID] = one
	text, err := json.Marshal(d.all)
	if err != nil {
		return err
	}
	if err := os.WriteFile(d.file+".new", text, 0o600); err != nil { // there are tokens in it
		return err
	}
	return os.Rename(d.file+".new", d.file)
}

// find returns a deal of a visitor.
func (d *deals) find(visitor, id string) (deal, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	one, ok := d.all[id]
	return one, ok && one.Visitor == visitor
}

// begun returns the visitor's deal that was begun with this state.
func (d *deals) begun(visitor, state string) (deal, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, one := range d.all {
		if state != "" && one.State == state && one.Visitor == visitor {
			return one, true
		}
	}
	return deal{}, false
}

// of returns a visitor's deals, latest first, but for those of which nothing came.
func (d *deals) of(visitor string) []deal {
	d.mu.Lock()
	defer d.mu.Unlock()
	var out []deal
	for _, one := range d.all {
		if one.Visitor == visitor && (one.Stage == agreed || one.Stage == done) {
			out = append(out, one)
		}
	}
	slices.SortFunc(out, func(a, b deal) int { return b.MadeAt.Compare(a.MadeAt) })
	return out
}

// lock makes one request at a time work on a deal: a refresh token is good for once. The result unlocks it.
func (d *deals) lock(id string) func() {
	d.mu.Lock()
	if d.busy[id] == nil {
		d.busy[id] = &sync.Mutex{}
	}
	m := d.busy[id]
	d.mu.Unlock()
	m.Lock()
	return m.Unlock
}

// random is a text that nobody can guess.
func random() string { return rand.Text() }

// addTips counts what was tipped.
func (d *deals) addTips(id string, tipped uint64) error {
	d.mu.Lock()
	one := d.all[id]
	d.mu.Unlock()
	one.Tipped += tipped
	return d.save(one)
}
