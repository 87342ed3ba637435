package api

import (
	"fmt"
	"net/url"
	"time"

	"pochi/app/rates"

	"github.com/gofiber/fiber/v2"
)

// setRate answers PUT /api/admin/rates/{from}/{to} with both directions. A rate
// that changes by more than half is for people, at the command line.
func (a *API) setRate(c *fiber.Ctx, by caller) error {
	change, err := readRate(c)
	if err != nil {
		return err
	}
	set, err := a.office.SetRate(c.UserContext(), by.ClientID, change)
	if err != nil {
		return fmt.Errorf("set the rate: %w", err)
	}
	return c.JSON(rateList{set})
}

// readRate reads what is asked for. Whether it can be is the rates' to say.
func readRate(c *fiber.Ctx) (change rates.Change, err error) {
	if _, err := query(c); err != nil {
		return change, err
	}
	if change.From, err = url.PathUnescape(c.Params("from")); err != nil {
		return change, malformed("from", "from can't be read.")
	}
	if change.To, err = url.PathUnescape(c.Params("to")); err != nil {
		return change, malformed("to", "to can't be read.")
	}
	body, err := bodyOf(c)
	if err != nil {
		return change, err
	}
	o, err := parseObject(body)
	if err != nil {
		return change, err
	}
	change.Rate = o.text("rate")
	change.SpreadBps = int(o.small("spreadBps", rates.SpreadMax))
	valid := o.text("valid")
	if err := o.end(); err != nil {
		return change, err
	}
	if change.Valid, err = time.ParseDuration(valid); err != nil {
		return change, invalid("valid", "valid must be a length of time such as 24h or 90m.")
	}
	return change, nil
}
