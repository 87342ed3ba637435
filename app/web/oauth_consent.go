package web

import (
	"errors"
	"strings"

	"pochi/app/agreements"
	"pochi/app/oauth"
	"pochi/app/problem"
	"pochi/ledger"
	"pochi/views"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"
)

// asking is what an app asks for, as the consent page shows it.
type asking struct {
	oauth.ConsentRequest
	proposal uuid.UUID         // what the app has proposed; zero when it sent its terms along
	terms    *agreements.Terms // nil when it asks for no agreement
}

// choice is what the person has filled in on the consent page.
type choice struct{ account, amount string }

// showConsent asks whether an app may have what it wants. The form is filled in
// from the query: account, amount.
func (s *Site) showConsent(c *fiber.Ctx) error {
	request, err := s.OAuth.Consents.Consent(c.UserContext(), strings.Clone(c.Query("consent_challenge")))
	if err != nil {
		return err
	}
	if !isSubject(c, request.Subject) {
		return s.consentOfAnother(c, request)
	}
	asked, reason, err := s.asking(c, request)
	if err != nil {
		return err
	}
	if reason != nil {
		return s.rejectConsent(c, request, *reason)
	}
	return s.renderConsent(c, fiber.StatusOK, asked, choice{c.Query("account"), c.Query("amount")}, nil)
}

// asking finds out what a request asks for, and whether that can be allowed:
// the app is told the reason when it can't.
func (s *Site) asking(c *fiber.Ctx, request oauth.ConsentRequest) (asking, *oauth.Reason, error) {
	asked := asking{ConsentRequest: request}
	if request.Refusal != nil {
		return asked, request.Refusal, nil
	}
	if reason, err := s.notRegistered(c, request); err != nil || reason != nil {
		return asked, reason, err
	}
	if request.Detail == nil {
		return asked, nil, nil
	}
	terms, err := s.terms(c, request)
	switch problem.CodeOf(err) {
	case "":
		asked.proposal, asked.terms = request.Detail.ID, &terms
		return asked, nil, nil
	case problem.Invalid, problem.NotFound, problem.Gone:
		return asked, oauth.DetailsFault(err), nil
	}
	return asked, nil, err
}

// notRegistered is what a client is told that isn't an app of this wallet, or not any
// more.
func (s *Site) notRegistered(c *fiber.Ctx, request oauth.ConsentRequest) (*oauth.Reason, error) {
	if s.OAuth.Apps == nil {
		return nil, nil
	}
	err := s.OAuth.Apps.Registered(c.UserContext(), request.App.ID)
	switch problem.CodeOf(err) {
	case problem.NotFound, problem.Gone:
		return &oauth.Reason{Code: oauth.AccessDenied, Description: problem.MessageOf(err)}, nil
	}
	return nil, err
}

func (s *Site) terms(c *fiber.Ctx, request oauth.ConsentRequest) (agreements.Terms, error) {
	if request.Detail.ID == uuid.Nil {
		return s.OAuth.Approvals.Check(request.Detail.Terms)
	}
	proposal, err := s.OAuth.Approvals.Proposal(c.UserContext(), request.App.ID, request.Detail.ID)
	return proposal.Terms, err
}

// decideConsent passes the decision on to Hydra, whom it first asks again what
// it is about. Only what the page has shown is granted.
func (s *Site) decideConsent(c *fiber.Ctx) error {
	request, err := s.OAuth.Consents.Consent(c.UserContext(), formValue(c, "consent_challenge"))
	if err != nil {
		return err
	}
	if !isSubject(c, request.Subject) {
		return s.consentOfAnother(c, request)
	}
	switch decision := formValue(c, "decision"); decision {
	case views.DecisionAllow, views.DecisionEnter:
		return s.allowConsent(c, request, decision)
	case views.DecisionDeny:
		if err := s.OAuth.Approvals.Withdraw(c.UserContext(), person(c).ID, request.Key); err != nil {
			return err
		}
		return s.rejectConsent(c, request, oauth.Reason{Code: oauth.AccessDenied, Description: "The person did not allow it."})
	default:
		return undecided()
	}
}

// allowConsent allows what was shown. The Enter key allows together with the password
// only: somebody may just have typed another amount.
func (s *Site) allowConsent(c *fiber.Ctx, request oauth.ConsentRequest, decision string) error {
	chosen := choice{text(c, "account"), text(c, "amount")}
	asked, reason, err := s.asking(c, request)
	if err != nil {
		return err
	}
	if reason != nil {
		return s.refuseOrRepeat(c, request, *reason)
	}
	if !s.sealed(c, asked) {
		return s.renderConsent(c, fiber.StatusConflict, asked, chosen, views.Errors{
			"": "What " + request.App.Name + " asks for isn't what you were shown before. Nothing was allowed. Please look at it again.",
		})
	}
	if decision == views.DecisionEnter && formValue(c, "password") == "" {
		return s.renderConsent(c, fiber.StatusUnprocessableEntity, asked, chosen, views.Errors{"": "Nothing is decided yet. Choose Deny or Allow."})
	}
	grant := oauth.Grant{Scopes: request.Scopes, Name: person(c).Name}
	if asked.terms != nil {
		approval, errs := s.approval(c, asked)
		if errs != nil {
			return s.renderConsent(c, fiber.StatusUnprocessableEntity, asked, chosen, errs)
		}
		allowed := approval.Terms
		allowed.Amount.Value = approval.Amount
		wrong, err := s.unproven(c, allowed)
		if err != nil {
			return err
		}
		if wrong != "" {
			return s.renderConsent(c, fiber.StatusUnprocessableEntity, asked, chosen, views.Errors{"password": wrong})
		}
		made, err := s.OAuth.Approvals.Approve(c.UserContext(), approval)
		if err != nil {
			return s.notApproved(c, asked, chosen, err)
		}
		if !made.Live() || made.Amount != (ledger.Amount{Value: approval.Amount, Asset: made.Amount.Asset}) {
			return s.answeredOtherwise(c, request)
		}
		grant.Agreement = made.ID
	}
	return s.acceptConsent(c, request, grant)
}

// notApproved shows the form again when that helps: it doesn't when the request
// was answered before.
func (s *Site) notApproved(c *fiber.Ctx, asked asking, chosen choice, err error) error {
	if code := problem.CodeOf(err); code == problem.Conflict || code == problem.Gone {
		if _, none := s.OAuth.Approvals.Answered(c.UserContext(), person(c).ID, asked.Key); none == nil {
			return s.answeredOtherwise(c, asked.ConsentRequest)
		}
	}
	if errs, ok := formErrors(c, err); ok && problem.CodeOf(err) != problem.Gone {
		return s.renderConsent(c, problem.Status(err), asked, chosen, errs)
	}
	return err
}

// refuseOrRepeat rejects a request that can't be allowed, unless it can't because
// the form was sent twice and was accepted the first time: then the browser, which
// follows the second answer only, gets the same one.
func (s *Site) refuseOrRepeat(c *fiber.Ctx, request oauth.ConsentRequest, reason oauth.Reason) error {
	made, err := s.OAuth.Approvals.Answered(c.UserContext(), person(c).ID, request.Key)
	switch {
	case problem.CodeOf(err) == problem.NotFound:
		return s.rejectConsent(c, request, reason)
	case err != nil:
		return err
	}
	amount, err := ledger.ParseAmount(text(c, "amount"), made.Amount.Asset)
	if err != nil || request.Refusal != nil || !made.Live() || made.Amount != amount || made.AccountID != formID(c, "account") || made.ClientID != request.App.ID {
		return s.answeredOtherwise(c, request)
	}
	return s.acceptConsent(c, request, oauth.Grant{Scopes: request.Scopes, Name: person(c).Name, Agreement: made.ID})
}

// answeredOtherwise is for who has allowed the same request before, but not what
// they allow now, or has ended it since: what counts must be what they saw last.
func (s *Site) answeredOtherwise(c *fiber.Ctx, request oauth.ConsentRequest) error {
	if err := s.OAuth.Approvals.Withdraw(c.UserContext(), person(c).ID, request.Key); err != nil {
		return err
	}
	return problem.New(problem.Gone, "You have answered it before, in another way. Nothing is allowed now. Go back to the app and start again there.")
}

// acceptConsent tells Hydra. When that is too late for it, nothing stays allowed;
// when it doesn't answer, the same form can be sent again.
func (s *Site) acceptConsent(c *fiber.Ctx, request oauth.ConsentRequest, grant oauth.Grant) error {
	to, err := s.OAuth.Consents.AcceptConsent(c.UserContext(), request.Challenge, grant)
	switch _, answered := oauth.RedirectOf(err); {
	case err == nil:
		return see(c, to)
	case answered, problem.CodeOf(err) != problem.Gone && problem.CodeOf(err) != problem.NotFound:
		return err
	}
	return errors.Join(s.OAuth.Approvals.Withdraw(c.UserContext(), person(c).ID, request.Key), err)
}

func (s *Site) rejectConsent(c *fiber.Ctx, request oauth.ConsentRequest, reason oauth.Reason) error {
	to, err := s.OAuth.Consents.RejectConsent(c.UserContext(), request.Challenge, reason)
	if err != nil {
		return err
	}
	return see(c, to)
}

// consentOfAnother says that whoever the app asked isn't logged in any more,
// and offers to begin again.
func (s *Site) consentOfAnother(c *fiber.Ctx, request oauth.ConsentRequest) error {
	page := views.ErrorPage{
		Status:   fiber.StatusForbidden,
		Title:    "You are logged out",
		Message:  request.App.Name + " asked before that. Nothing was allowed.",
		LinkText: "Log in and continue",
		LinkURL:  request.RestartURL,
	}
	if who := person(c); who.ID != uuid.Nil {
		page.Title = "Somebody else was asked"
		page.Message = "When " + request.App.Name + " asked, somebody else was logged in here. Nothing was allowed."
		page.LinkText = "Continue as " + who.Name
	}
	return s.showMessage(c, page)
}
