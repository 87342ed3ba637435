package api

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"

	"github.com/gofiber/fiber/v2"
)

// How many lines a page of a list has.
const (
	pageDefault = 50
	pageMax     = 100
)

// query returns the URL's parameters, each of which is known and comes once.
func query(c *fiber.Ctx, known ...string) (map[string]string, error) {
	values := map[string]string{}
	var err error
	c.Request().URI().QueryArgs().VisitAll(func(key, value []byte) {
		name := string(key)
		_, twice := values[name]
		switch {
		case err != nil:
		case !slices.Contains(known, name):
			err = malformed(name, fmt.Sprintf("The parameter %s isn't known here.", shown(name)))
		case twice:
			err = malformed(name, fmt.Sprintf("The parameter %s comes twice.", shown(name)))
		}
		values[name] = string(value)
	})
	return values, err
}

// page is which part of a list is asked for.
type page struct {
	before  string // cursor, "" for the newest
	limit   int
	filters map[string]string // as they are in the URL, with the rest of it
}

// pagination leads to the next older page.
type pagination struct {
	Next string `json:"next,omitempty"`
}

var cursor = regexp.MustCompile(`^[A-Za-z0-9_-]{1,200}$`)

// listed answers with a page of what list returns, called name, each row as show has it,
// and the cursor of the next older page. The URL may have the filters beside what says
// which page it is.
func listed[Row, Shown any](c *fiber.Ctx, name string, list func(page) ([]Row, string, error), show func(Row) Shown, filters ...string) error {
	values, err := query(c, append(filters, "before", "limit")...)
	if err != nil {
		return err
	}
	page, err := pageOf(values)
	if err != nil {
		return err
	}
	rows, next, err := list(page)
	if err != nil {
		return fmt.Errorf("list the %s: %w", name, err)
	}
	shown := make([]Shown, len(rows))
	for i, row := range rows {
		shown[i] = show(row)
	}
	return c.JSON(map[string]any{name: shown, "pagination": pagination{next}})
}

// pageOf reads the parameters before and limit.
func pageOf(values map[string]string) (page, error) {
	p := page{before: values["before"], limit: pageDefault, filters: values}
	if _, there := values["before"]; there && !cursor.MatchString(p.before) {
		return p, malformed("before", "before must be the next of a page's pagination.")
	}
	if text, there := values["limit"]; there {
		n, err := strconv.Atoi(text)
		if err != nil || !digits(text) || n < 1 || n > pageMax {
			return p, malformed("limit", fmt.Sprintf("limit must be a whole number from 1 to %d.", pageMax))
		}
		p.limit = n
	}
	return p, nil
}
