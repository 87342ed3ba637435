package web

import (
	"mime"
	"strconv"
	"strings"

	"pochi/app/accounts"
	"pochi/app/problem"
	"pochi/ilp/spsp"
	"pochi/views"

	"github.com/gofiber/fiber/v2"
)

// pointerRoute is where payment pointers are.
const pointerRoute = "/:name"

// showPointer answers at a payment pointer's URL: SPSP to a wallet that asks
// for it (RFC 9), else a page on which anybody can pay. What can't be a
// pointer's name is an address like any other.
func (s *Site) showPointer(c *fiber.Ctx) error {
	name := c.Params("name")
	if !isName(name) {
		return c.Next()
	}
	c.Vary(fiber.HeaderAccept)
	payee, err := s.Pointers.PayeeByName(c.UserContext(), name)
	if err != nil {
		return err
	}
	if wantsSPSP(c) {
		return s.answerSPSP(c, payee)
	}
	pointer := s.pointer(payee.Name)
	return render(c, fiber.StatusOK, views.Pay(s.page(c, "Pay "+payee.PersonName, views.NavNone), views.PayPage{
		Name: payee.PersonName, Pointer: pointer, Currency: currencyLabel(payee.Asset),
		SendURL: "/send?" + query("to", pointer), Mine: payee.UserID == person(c).ID,
	}))
}

// wantsSPSP tells whether a request's Accept header names SPSP (RFC 9110,
// section 12.5.1) and doesn't rather want a page; browsers never name it.
func wantsSPSP(c *fiber.Ctx) bool {
	spspWeight, pageWeight := 0.0, 0.0
	for entry := range strings.SplitSeq(c.Get(fiber.HeaderAccept), ",") {
		kind, parameters, err := mime.ParseMediaType(entry)
		if err != nil {
			continue
		}
		weight := 1.0
		if q, given := parameters["q"]; given {
			weight, err = strconv.ParseFloat(q, 64)
			if err != nil {
				continue
			}
		}
		switch kind {
		case spsp.ContentType, spsp.ContentTypeOld:
			spspWeight = max(spspWeight, weight)
		case fiber.MIMETextHTML:
			pageWeight = max(pageWeight, weight)
		}
	}
	return spspWeight > 0 && spspWeight >= pageWeight
}

// noReceiver is SPSP's answer where nobody can be paid.
func noReceiver(c *fiber.Ctx, err error) error {
	c.Vary(fiber.HeaderAccept)
	allowCORS(c)
	return c.Status(fiber.StatusNotFound).JSON(fiber.Map{"id": "InvalidReceiverError", "message": problem.MessageOf(err)})
}

func (s *Site) answerSPSP(c *fiber.Ctx, payee accounts.Payee) error {
	details, err := s.Offers.Offer(payee)
	if err != nil {
		return err
	}
	return writeSPSP(c, details)
}

func writeSPSP(c *fiber.Ctx, details spsp.Details) error {
	allowCORS(c)
	if err := c.JSON(details); err != nil {
		return err
	}
	c.Set(fiber.HeaderContentType, spsp.ContentType)
	c.Set(fiber.HeaderCacheControl, "no-cache")
	return nil
}

// allowPointer answers a browser that asks whether a page may query a pointer.
func (s *Site) allowPointer(c *fiber.Ctx) error {
	if !isName(c.Params("name")) {
		return otherMethods(c)
	}
	allowCORS(c)
	return c.SendStatus(fiber.StatusNoContent)
}

func allowCORS(c *fiber.Ctx) {
	c.Set(fiber.HeaderAccessControlAllowOrigin, "*")
	c.Set(fiber.HeaderAccessControlAllowMethods, "GET, OPTIONS")
	c.Set(fiber.HeaderAccessControlAllowHeaders, "web-monetization-id")
}
