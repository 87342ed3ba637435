package web

import (
	"github.com/gofiber/fiber/v2"
)

// LoggedOutForms are the forms for people who aren't logged in.
var LoggedOutForms = []string{"/login", "/signup"}

// Routes mounts every page. Other names are payment pointers.
func (s *Site) Routes(r fiber.Router) {
	r.Get("/static/*", s.showStatic)
	r.Get("/favicon.ico", s.showFavicon)
	r.Get("/robots.txt", showRobots)
	r.Get("/apps/:id/logo", s.showLogo)
	r.Use(acceptForms, s.Sessions.Load, s.identify, s.Guard)

	r.Get("/", s.showStart)
	r.Get("/signup", s.showSignup)
	r.Post("/signup", s.signUp)
	r.Get("/login", s.showLogin)
	r.Post("/login", s.logIn)
	r.Post("/logout", s.logOut)

	r.Get("/accounts", signedIn, s.showAccounts)
	r.Post("/accounts", signedIn, s.openAccount)
	r.Get("/accounts/:id", signedIn, s.showAccount)
	r.Get("/accounts/:id/edit", signedIn, s.editAccount)
	r.Post("/accounts/:id", signedIn, s.renameAccount)
	r.Post("/accounts/:id/close", signedIn, s.closeAccount)

	r.Get("/history", signedIn, s.showHistory)

	r.Get("/pointers", signedIn, s.showPointers)
	r.Post("/pointers", signedIn, s.addPointer)
	r.Post("/pointers/:id", signedIn, s.changePointer)

	if s.Faucet != nil {
		r.Get("/deposit", signedIn, s.showDeposit)
		r.Post("/deposit", signedIn, s.deposit)
	}

	r.Get("/send", signedIn, s.showSend)
	r.Post("/send", signedIn, s.send)
	r.Get("/send/payee", signedIn, s.showPayee)
	r.Get("/quotes/:id", signedIn, s.showQuote)
	r.Post("/quotes/:id/confirm", signedIn, s.confirmQuote)
	r.Post("/quotes/:id/renew", signedIn, s.renewQuote)
	r.Get("/payments/:id", signedIn, s.showPayment)

	r.Get("/requests", signedIn, s.showRequests)
	r.Post("/requests", signedIn, s.makeRequest)
	r.Get(requestRoute, s.showRequest)
	r.Options(requestRoute, s.allowRequest)
	r.Post("/requests/:id/cancel", signedIn, s.cancelRequest)

	s.agreementRoutes(r)
	s.developerRoutes(r)
	s.oauthRoutes(r)

	r.Get(pointerRoute, s.showPointer)
	r.Options(pointerRoute, s.allowPointer)
	r.Use(otherMethods)
}
