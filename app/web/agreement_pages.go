package web

import (
	"context"
	"math/bits"
	"time"

	"pochi/app/agreements"
	"pochi/app/apps"
	"pochi/app/notices"
	"pochi/app/payments"
	"pochi/ledger"
	"pochi/views"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"
)

// Agreements is what pages need of what people have allowed apps.
type Agreements interface {
	List(ctx context.Context, userID uuid.UUID) ([]agreements.Agreement, error)
	FindOf(ctx context.Context, userID, id uuid.UUID) (agreements.Agreement, error)
	Usage(ctx context.Context, id uuid.UUID) (agreements.Usage, error)
	Timeline(ctx context.Context, id uuid.UUID) ([]agreements.Event, error)
	Notices(ctx context.Context, userID uuid.UUID, most int) ([]agreements.Event, error)
	Lower(ctx context.Context, userID, id uuid.UUID, amount uint64) error
	Pause(ctx context.Context, userID, id uuid.UUID) error
	Resume(ctx context.Context, userID, id uuid.UUID) error
	Revoke(ctx context.Context, userID, id uuid.UUID) error
}

// AgreementPayments lists what was paid under an agreement.
type AgreementPayments interface {
	AgreementMovements(ctx context.Context, userID, agreementID uuid.UUID, before string, limit int) ([]payments.Movement, string, error)
}

// Notices keeps which notices people have closed.
type Notices interface {
	Closed(ctx context.Context, userID uuid.UUID) (map[notices.Notice]bool, error)
	Close(ctx context.Context, userID uuid.UUID, n notices.Notice) error
}

// Apps is what pages need of the apps that people have registered.
type Apps interface {
	List(ctx context.Context, owner uuid.UUID) ([]apps.App, error)
	Find(ctx context.Context, owner uuid.UUID, id string) (apps.App, error)
	Register(ctx context.Context, owner uuid.UUID, form apps.Form) (apps.App, string, error)
	Edit(ctx context.Context, owner uuid.UUID, id string, form apps.Form) (apps.App, error)
	Rotate(ctx context.Context, owner uuid.UUID, id string) (string, error)
	Delete(ctx context.Context, owner uuid.UUID, id string) error
	Standing(ctx context.Context, id string) (apps.Standing, error)
	SetLogo(ctx context.Context, owner uuid.UUID, id string, file []byte) error
	RemoveLogo(ctx context.Context, owner uuid.UUID, id string) error
	Logo(ctx context.Context, id string) (png []byte, version string, err error)
	Logos(ctx context.Context, ids []string) (map[string]string, error)
}

// agreementRoutes mounts the pages of what people allow apps.
func (s *Site) agreementRoutes(r fiber.Router) {
	r.Get("/agreements", signedIn, s.showAgreements)
	r.Get("/agreements/connected", signedIn, s.showConnections)
	r.Get("/agreements/connected/:id", signedIn, s.askDisconnect)
	r.Post("/agreements/connected/:id", signedIn, s.disconnect)
	r.Get("/agreements/:id", signedIn, s.showAgreement)
	r.Post("/agreements/:id/pause", signedIn, s.pauseAgreement)
	r.Post("/agreements/:id/resume", signedIn, s.resumeAgreement)
	r.Get("/agreements/:id/lower", signedIn, s.askLowerAgreement)
	r.Post("/agreements/:id/lower", signedIn, s.lowerAgreement)
	r.Get("/agreements/:id/revoke", signedIn, s.askRevokeAgreement)
	r.Post("/agreements/:id/revoke", signedIn, s.revokeAgreement)
	r.Post("/agreements/:id/notice", signedIn, s.closeNotice)
}

// developerRoutes mounts the pages for those who build apps.
func (s *Site) developerRoutes(r fiber.Router) {
	r.Get("/developers", signedIn, s.showDevelopers)
	r.Get("/developers/api", s.showAPI)
	r.Get("/developers/apps/new", signedIn, s.newApp)
	r.Post("/developers/apps", signedIn, s.registerApp)
	r.Get("/developers/apps/:id", signedIn, s.showApp)
	r.Get("/developers/apps/:id/edit", signedIn, s.editApp)
	r.Post("/developers/apps/:id", signedIn, s.changeApp)
	r.Get("/developers/apps/:id/secret", signedIn, s.askAppSecret)
	r.Post("/developers/apps/:id/secret", signedIn, s.makeAppSecret)
	r.Get("/developers/apps/:id/delete", signedIn, s.askDeleteApp)
	r.Post("/developers/apps/:id/delete", signedIn, s.deleteApp)
	r.Post(uploadRoute, signedIn, s.uploadLogo)
	r.Post("/developers/apps/:id/logo/remove", signedIn, s.removeLogo)
}

// agreementRow is an agreement as lists show it.
func (s *Site) agreementRow(ctx context.Context, a agreements.Agreement, logo string) (views.AgreementRow, error) {
	usage, err := s.Agreements.Usage(ctx, a.ID)
	return views.AgreementRow{
		ID: a.ID.String(), App: views.AppMark{Name: a.App, Logo: logoURL(a.ClientID, logo)}, Description: a.Description,
		State: s.agreementState(a, usage), Use: useOf(a, usage, s.Now()), LastUsed: minute(a.LastUsedAt), Ended: minute(a.EndedAt),
		Unused: s.unused(a), Ends: minute(a.Ends()),
	}, err
}

func (s *Site) agreementState(a agreements.Agreement, usage agreements.Usage) views.AgreementState {
	switch {
	case a.State == agreements.Revoked:
		return views.AgreementOver
	case a.State == agreements.Expired:
		return views.AgreementExpired
	case a.State == agreements.Paused:
		return views.AgreementPaused
	case s.Now().Before(a.Begins()):
		return views.AgreementWaiting
	case usage.Left == 0:
		return views.AgreementUsedUp
	}
	return views.AgreementActive
}

// unusedAfter is how long an agreement isn't used before its owner is asked
// whether they need it.
const unusedAfter = 60 * 24 * time.Hour

func (s *Site) unused(a agreements.Agreement) bool {
	last := a.LastUsedAt
	for _, at := range []time.Time{a.ApprovedAt, a.Begins()} {
		if at.After(last) {
			last = at
		}
	}
	return a.Live() && s.Now().Sub(last) >= unusedAfter
}

// useOf is how much of an agreement is used now.
func useOf(a agreements.Agreement, usage agreements.Usage, now time.Time) views.Use {
	amount := func(value uint64) ledger.Amount { return ledger.Amount{Value: value, Asset: a.Amount.Asset} }
	use := views.Use{
		Limit: money(a.Amount), Per: a.Interval.Per(), Used: money(amount(usage.Used)), Left: money(amount(usage.Left)),
		Percent: percent(usage),
	}
	next := usage.Span.End
	if now.Before(a.Begins()) {
		next = a.Begins()
	}
	if _, again := a.Span(next); again && !next.IsZero() {
		use.Exactly = a.Interval.Shortest() < 24*time.Hour && !a.Interval.IsOne()
		if use.Renews = day(next); use.Exactly {
			use.Renews = minute(next)
		}
	}
	return use
}

// percent is how much is used: 0 only if nothing is, 100 only if nothing is left.
func percent(usage agreements.Usage) int {
	switch {
	case usage.Used == 0:
		return 0
	case usage.Used >= usage.Limit:
		return 100
	}
	hi, lo := bits.Mul64(usage.Used, 100)
	part, _ := bits.Div64(hi, lo, usage.Limit)
	return max(1, int(part))
}

// logosOf returns the versions of the logos of the agreements' apps.
func (s *Site) logosOf(ctx context.Context, all ...agreements.Agreement) (map[string]string, error) {
	ids := make([]string, len(all))
	for i, a := range all {
		ids[i] = a.ClientID
	}
	return s.Apps.Logos(ctx, ids)
}
