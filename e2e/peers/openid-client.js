// An app that knows nothing of wallets but what openid-client and fetch do for it: OAuth2 with discovery, PKCE, refresh and
// revocation, and the wallet's API. Started with {issuer, api, audience, client, secret, callback}, it obeys, as shared.js says:
//
//	own {terms}          →  {status, body}: what POST /agreements answers, with a token of the app's own
//	ask {details}        →  {url} to send a browser to
//	back {url}           →  {subject, scope} of the tokens for what the browser came back with
//	api {method, path, body, key}  →  {status, body}
//	refresh              →  {rotated}: whether both tokens are others now
//	revoke               →  {}
//	again                →  {refused}: why the refresh token isn't taken any more
'use strict'

const { config, talk } = require('./shared.js')

async function main () {
  const oidc = await import('openid-client')
  const server = await oidc.discovery(new URL(config.issuer), config.client, undefined, oidc.ClientSecretBasic(config.secret), {
    execute: [oidc.allowInsecureRequests]
  })
  let asked, tokens, before

  async function call (token, { method, path, body, key }) {
    const headers = new Headers(body ? { 'content-type': 'application/json' } : {})
    if (key) headers.set('idempotency-key', key)
    const answer = await oidc.fetchProtectedResource(
      server, token, new URL(config.api + path), method, body && JSON.stringify(body), headers)
    const text = await answer.text()
    return { status: answer.status, body: text && JSON.parse(text) }
  }

  async function refused (grant) {
    try {
      await grant()
    } catch (err) {
      return { refused: err.error }
    }
    return { refused: '' }
  }

  await talk({ issuer: server.serverMetadata().issuer, pkce: server.serverMetadata().supportsPKCE() }, {
    own: async ({ terms }) => {
      const own = await oidc.clientCredentialsGrant(server, { scope: 'agreements:propose', audience: config.audience })
      return call(own.access_token, { method: 'POST', path: '/agreements', body: terms })
    },
    ask: async ({ details }) => {
      asked = { verifier: oidc.randomPKCECodeVerifier(), state: oidc.randomState(), nonce: oidc.randomNonce() }
      const url = oidc.buildAuthorizationUrl(server, {
        redirect_uri: config.callback,
        scope: 'openid profile offline_access agreement',
        code_challenge: await oidc.calculatePKCECodeChallenge(asked.verifier),
        code_challenge_method: 'S256',
        state: asked.state,
        nonce: asked.nonce,
        authorization_details: JSON.stringify(details)
      })
      return { url: url.href }
    },
    back: async ({ url }) => {
      tokens = await oidc.authorizationCodeGrant(server, new URL(url), {
        pkceCodeVerifier: asked.verifier, expectedState: asked.state, expectedNonce: asked.nonce, idTokenExpected: true
      })
      return { subject: tokens.claims().sub, scope: tokens.scope }
    },
    api: (request) => call(tokens.access_token, request),
    refresh: async () => {
      before = tokens
      tokens = await oidc.refreshTokenGrant(server, before.refresh_token)
      return { rotated: tokens.access_token !== before.access_token && tokens.refresh_token !== before.refresh_token }
    },
    revoke: async () => {
      await oidc.tokenRevocation(server, tokens.refresh_token)
      return {}
    },
    again: () => refused(() => oidc.refreshTokenGrant(server, tokens.refresh_token))
  })
}

main()
