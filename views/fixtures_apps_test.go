package views_test

import "pochi/views"

func developerApp() views.DeveloperApp {
	return views.DeveloperApp{
		ID: "5f3c9e0a-7b1d-4c5e-9a55-1f0e2d3c4b5a", App: views.AppMark{Name: "Flower Shop", Logo: logo}, Confidential: true,
		RedirectURIs: []string{"https://shop.example/oauth/callback", "https://shop.example/oauth/callback-with-a-longer-name?from=wallet"},
		PolicyURL:    "https://shop.example/privacy", TermsURL: "https://shop.example/terms",
		Agreements: "12 agreements, 3 of them ended", Created: moment("1 November 2026, 10:00 UTC", "2026-11-01T10:00:00Z"),
		SecretMade: moment("1 November 2026, 10:00 UTC", "2026-11-01T10:00:00Z"), LastUsed: moment("22 November 2026, 14:05 UTC", "2026-11-22T14:05:00Z"),
	}
}

func developerScenes() []scene {
	public, unsettled, deleting := developerApp(), developerApp(), developerApp()
	public.App, public.Confidential, public.RedirectURIs = views.AppMark{Name: "Tip jar"}, false, []string{"com.example.tips:/back"}
	public.PolicyURL, public.TermsURL, public.LastUsed, public.Agreements = "", "", views.Moment{}, "No agreements"
	unsettled.Unsettled, deleting.Deleting, deleting.Unsettled = true, true, true
	unsettled.App.Name = "An app with a name that is as long as names can be, really!!"
	scopes := []views.ScopeLine{
		{Scope: "openid", Words: "To recognise somebody who comes back."}, {Scope: "transactions:read", Words: "What moved on their accounts."},
		{Scope: "agreement", Words: "To spend under one agreement, within its limit."},
	}
	page := func(name string, a views.AppShow, amount ...string) scene {
		a.Scopes = scopes
		return scene{name: name, page: views.App(ann(a.App.Name, views.NavNone), a), amount: amount}
	}
	filled := views.AppForm{
		ID: "c1", Current: "Flower Shop", Name: "Flower Shop", RedirectURIs: "https://shop.example/oauth/callback\nhttps://shop.example/2",
		PolicyURL: "https://shop.example/privacy",
	}
	wrong := views.AppForm{
		Name: "Pochi", Kind: "", RedirectURIs: "http://shop.example/", PolicyURL: "shop.example",
		Errors: views.Errors{
			"name":          "Choose a name that can be read and that nobody takes for the wallet's own.",
			"kind":          "Choose where its code runs.",
			"redirect_uris": "An address to come back to begins with https://, or with http://localhost while you try things out.",
			"policy_url":    "A link begins with https:// and has 500 characters at most.",
		},
	}
	question := views.AppQuestion{DeveloperApp: developerApp(), Effects: []string{
		"Its 9 agreements end at once: nothing can be paid under them any more.", "Its tokens stop working, and nobody can log in with it.",
	}}
	secret := views.AppSecret{DeveloperApp: developerApp(), Secret: "XF6ZJ3Q7N2WQK5C4T8YV1BHDMS9R0PEUAGLXF6ZJ3Q7N2WQK5C4T", First: true}
	rotated := secret
	rotated.First = false
	return []scene{
		{name: "developers", page: views.Developers(ann("For developers", views.NavNone), views.DeveloperPage{
			Apps: []views.DeveloperApp{developerApp(), public, unsettled, deleting}, Discovery: "https://id.wallet.example/.well-known/openid-configuration",
		}), amount: []string{"12 agreements, 3 of them ended", "Being deleted", "Being changed"}},
		{name: "developers-none", page: views.Developers(ann("For developers", views.NavNone), views.DeveloperPage{
			Discovery: "http://localhost:4444/.well-known/openid-configuration",
		}), amount: []string{"Register an app"}},
		{name: "app-register", page: views.RegisterApp(ann("Register an app", views.NavNone), views.AppForm{Kind: views.KindConfidential})},
		{name: "app-register-errors", page: views.RegisterApp(ann("Register an app", views.NavNone), wrong)},
		{name: "app-edit", page: views.EditApp(ann("Change the app", views.NavNone), filled)},
		page("app", views.AppShow{DeveloperApp: developerApp()}, "12 agreements, 3 of them ended", "transactions:read", "New secret"),
		page("app-public", views.AppShow{DeveloperApp: public}, "Public", "com.example.tips:/back"),
		page("app-unsettled", views.AppShow{DeveloperApp: unsettled}, "Being changed"),
		page("app-deleting", views.AppShow{DeveloperApp: deleting}, "Being deleted"),
		page("app-logo-errors", views.AppShow{DeveloperApp: developerApp(), Errors: views.Errors{"logo": "Choose a PNG, JPEG, WebP or GIF picture."}}),
		{name: "app-secret", page: views.NewAppSecret(ann("Client secret", views.NavNone), secret), amount: []string{secret.Secret, "isn't shown again"}},
		{name: "app-secret-new", page: views.NewAppSecret(ann("Client secret", views.NavNone), rotated)},
		{name: "app-secret-ask", page: views.AskAppSecret(ann("Make a new secret?", views.NavNone), question)},
		{name: "app-delete", page: views.DeleteApp(ann("Delete Flower Shop?", views.NavNone), question), amount: []string{"9 agreements end"}},
		{name: "api", page: views.API(ann("API reference", views.NavNone), apiReference()), amount: []string{"/api/agreements/{id}/charges", "It needs no token.", "Objects"}},
		{name: "api-logged-out", page: views.API(nobody("API reference"), apiReference())},
	}
}

func apiReference() views.APIReference {
	charge := views.APIOperation{
		ID: "makeCharge", Method: "POST", Path: "/api/agreements/{id}/charges", Summary: "Charge",
		Description: []string{"The wallet pays the receiver from the agreement's account."}, Tokens: []string{"The token of an agreement with the scope agreement."},
		Parameters: []views.APIField{
			{Name: "id", In: "path", Kind: "id", Required: true, Words: "The id of the agreement that the token is for."},
			{Name: "Idempotency-Key", In: "header", Kind: "text", Required: true, Words: "Chosen by the app, one for each charge."},
		},
		Body: "Charge", Answers: []views.APIAnswer{{Status: "201", Words: "What became of the charge.", Type: "Charge"}, {Status: "202", Words: "It isn't known yet."}}, Errors: []string{"401", "409"},
		Curl: "curl -X POST https://wallet.example/api/agreements/ID/charges \\\n  -H 'Authorization: Bearer TOKEN' \\\n  -H 'Idempotency-Key: IDEMPOTENCY_KEY' \\\n  -d '{\"receiver\": \"$shop.example/pay\",\"debitAmount\": {\"value\": \"500\",\"assetCode\": \"EUR\",\"assetScale\": 2}}'",
	}
	open := views.APIOperation{ID: "document", Method: "GET", Path: "/api/openapi.json", Summary: "This document", Curl: "curl https://wallet.example/api/openapi.json"}
	return views.APIReference{
		Description: []string{"Bearer tokens come from the wallet's OAuth 2.0 server, with its URL as `audience`.", "Amounts are whole numbers in strings."},
		Address:     "https://wallet.example/api", Document: "https://wallet.example/api/openapi.json",
		Tokens: []views.APICurl{{Words: "A confidential app's own token:", Line: "curl -X POST https://id.wallet.example/oauth2/token \\\n  -u CLIENT_ID:CLIENT_SECRET"}},
		Groups: []views.APIGroup{{Name: "Charges", Operations: []views.APIOperation{charge}}, {Name: "About", Operations: []views.APIOperation{open}}},
		Errors: []views.APIAnswer{{Status: "401", Words: "No token, or one that isn't valid."}, {Status: "409", Words: "It contradicts what was before."}},
		Types: []views.APIType{
			{Name: "Amount", Words: "A sum of money.", Fields: []views.APIField{{Name: "value", Kind: "text", Required: true, Words: "In the asset's smallest unit."}}},
			{Name: "Charge", Fields: []views.APIField{
				{Name: "debitAmount", Kind: "Amount", Type: "Amount", Required: true, Words: "What was reserved."}, {Name: "reason", Kind: "text"},
			}},
		},
	}
}
