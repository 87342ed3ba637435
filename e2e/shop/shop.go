package main

import (
	"embed"
	"fmt"
	"html/template"
	"log"
	"net/http"
	"strings"
)

//go:embed pages
var files embed.FS

// shop is the program's pages.
type shop struct {
	config
	wallet *wallet
	deals  *deals
	band   *band
}

// routes returns all pages. Forms of other sites are refused.
func (s *shop) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", s.home)
	mux.HandleFunc("GET /shop.css", func(w http.ResponseWriter, r *http.Request) { http.ServeFileFS(w, r, files, "pages/shop.css") })
	mux.HandleFunc("POST /bouquets", s.buy)
	mux.HandleFunc("POST /subscriptions", s.subscribe)
	mux.HandleFunc("POST /tips", s.askForTips)
	mux.HandleFunc("GET /callback", s.comeBack)
	mux.HandleFunc("GET /deals/{id}", s.showDeal)
	mux.HandleFunc("GET /deals/{id}/tips", s.tellTips)
	mux.HandleFunc("POST /deals/{id}/bill", s.billDeal)
	mux.HandleFunc("POST /deals/{id}/play", s.play)
	mux.HandleFunc("POST /deals/{id}/stop", s.stop)
	mux.HandleFunc("POST /deals/{id}/end", s.end)
	return http.NewCrossOriginProtection().Handler(mux)
}

// visitorCookie tells browsers apart.
const visitorCookie = "shop_visitor"

// visitor returns whose browser this is.
func visitor(w http.ResponseWriter, r *http.Request) string {
	if cookie, err := r.Cookie(visitorCookie); err == nil {
		return cookie.Value
	}
	cookie := &http.Cookie{Name: visitorCookie, Value: random(), Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode}
	http.SetCookie(w, cookie)
	return cookie.Value
}

// page is what every page shows.
type page struct {
	Shop    string
	Title   string
	Message string // what went wrong, "" for nothing
	Content any
}

var pages = template.Must(template.New("").ParseFS(files, "pages/*.html"))

// show renders a page of that name.
func (s *shop) show(w http.ResponseWriter, status int, name, title, message string, content any) {
	var html strings.Builder
	if err := pages.ExecuteTemplate(&html, name, page{s.Name, title, message, content}); err != nil {
		s.fail(w, err)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	fmt.Fprint(w, html.String())
}

// fail says that something went wrong on the shop's side.
func (s *shop) fail(w http.ResponseWriter, err error) {
	log.Print("shop: ", err)
	http.Error(w, "That didn't work, and it isn't your fault. Nothing was paid that you don't see in your wallet.", http.StatusBadGateway)
}

// price writes an amount in the shop's asset.
func (s *shop) price(units uint64) string {
	return amountOf(units, s.Asset).String()
}
