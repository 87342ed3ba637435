package web

import (
	"strings"

	"pochi/app/accounts"
	"pochi/app/problem"
	"pochi/ilp/spsp"
	"pochi/views"

	"github.com/gofiber/fiber/v2"
)

// showPointer answers at a payment pointer's URL: SPSP to a wallet that asks
// for it (RFC 9), else a page on which anybody can pay.
func (s *Site) showPointer(c *fiber.Ctx) error {
	c.Vary(fiber.HeaderAccept)
	wallet := wantsSPSP(c.Get(fiber.HeaderAccept))
	payee, err := s.Pointers.PayeeByName(c.UserContext(), c.Params("name"))
	if wallet {
		return s.answerSPSP(c, payee, err)
	}
	if err != nil {
		return err
	}
	pointer := s.pointer(payee.Name)
	return render(c, fiber.StatusOK, views.Pay(s.page(c, "Pay "+payee.PersonName, views.NavNone), views.PayPage{
		Name: payee.PersonName, Pointer: pointer, Currency: currencyLabel(payee.Asset),
		SendURL: "/send?" + query("to", pointer), Mine: payee.UserID == person(c).ID,
	}))
}

// wantsSPSP reports whether an Accept header names SPSP; browsers never do.
func wantsSPSP(accept string) bool {
	return strings.Contains(accept, spsp.ContentType) || strings.Contains(accept, spsp.ContentTypeOld)
}

func (s *Site) answerSPSP(c *fiber.Ctx, payee accounts.Payee, err error) error {
	allowCORS(c)
	if problem.CodeOf(err) == problem.NotFound {
		return c.Status(fiber.StatusNotFound).JSON(fiber.Map{"id": "InvalidReceiverError", "message": problem.MessageOf(err)})
	}
	if err != nil {
		return err
	}
	details, err := s.Offers.Offer(payee)
	if err != nil {
		return err
	}
	if err := c.JSON(details); err != nil {
		return err
	}
	c.Set(fiber.HeaderContentType, spsp.ContentType)
	c.Set(fiber.HeaderCacheControl, "no-cache")
	return nil
}

// allowPointer answers a browser that asks whether a page may query a pointer.
func (s *Site) allowPointer(c *fiber.Ctx) error {
	allowCORS(c)
	return c.SendStatus(fiber.StatusNoContent)
}

func allowCORS(c *fiber.Ctx) {
	c.Set(fiber.HeaderAccessControlAllowOrigin, "*")
	c.Set(fiber.HeaderAccessControlAllowMethods, "GET, OPTIONS")
	c.Set(fiber.HeaderAccessControlAllowHeaders, "web-monetization-id")
}
