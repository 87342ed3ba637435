package main

import (
	"fmt"
	"net/http"
)

// flower is what is sold.
type flower struct {
	Name, Words, Colour string
	Stems               uint64
}

// flowers are all that there are.
var flowers = []flower{
	{"Sunflowers", "Five, as long as an arm.", "sun", 5},
	{"Roses", "A dozen, and no thorns.", "rose", 12},
	{"Lavender", "A bunch, dry it and keep it.", "lavender", 3},
}

const (
	deliveryStems = 8 // of a month's flowers
	tipsPerStem   = 150
	tipsPerDay    = 500
)

// offer is a flower with its price.
type offer struct {
	flower
	Price string
}

// line is a deal in the list of what was bought.
type line struct{ ID, Title, Words string }

// home shows what there is, and what this browser has bought before.
func (s *shop) home(w http.ResponseWriter, r *http.Request) {
	content := struct {
		Offers          []offer
		Delivery, Drops string
		Deals           []line
	}{Delivery: s.price(deliveryStems * s.Stem), Drops: s.price(tipsPerDay * s.drop())}
	for _, f := range flowers {
		content.Offers = append(content.Offers, offer{f, s.price(f.Stems * s.Stem)})
	}
	for _, d := range s.deals.of(visitor(w, r)) {
		content.Deals = append(content.Deals, line{d.ID, d.Title, s.words(d)})
	}
	s.show(w, http.StatusOK, "home.html", "Flowers", "", content)
}

// drop is the amount of one packet of tips.
func (s *shop) drop() uint64 { return max(1, s.Stem/tipsPerStem) }

// words says how a deal stands.
func (s *shop) words(d deal) string {
	paid := 0
	for _, b := range d.Bills {
		if b.Paid() {
			paid++
		}
	}
	switch {
	case d.Kind == tips:
		return s.price(d.Tipped) + " tipped"
	case d.Kind == bouquet && paid > 0:
		return "Paid, on its way to you"
	case d.Kind == bouquet:
		return "Not paid"
	case d.Stage == done:
		return "Ended"
	case paid == 1:
		return "1 delivery so far"
	}
	return fmt.Sprintf("%d deliveries so far", paid)
}
