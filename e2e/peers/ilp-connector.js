// An ilp-connector between wallets, its links made of ilp-plugin-http. See shared.js; configured are its own address, and the
// wallets: {NAME: {url, token, incoming, relation, address, asset, limit, rates}}, with what it gives in each other wallet's asset
// for a unit of this one's, {NAME: "0.9"}, and how much it may be owed. It prints the port of each. Its only command is
//
//	{"do": "sums"}   of each wallet: what moved on the link, and what the connector counts that it is owed
'use strict'

const { config, talk, Link } = require('./shared')
const { createApp } = require('ilp-connector')
const { setOutputStream } = require('ilp-connector/dist/common/log')
const { default: Middlewares } = require('ilp-connector/dist/services/middleware-manager')

// Rates is the connector's backend, as it loads one.
class Rates {
  async connect () {}
  async getRate (from, to) { return Number(config.wallets[from].rates[to]) }
  async submitPayment () {}
}
module.exports = Rates

// services makes one of each service that the connector asks for.
const made = new Map()
function services (Service) {
  if (!made.has(Service)) made.set(Service, new Service(services))
  return made.get(Service)
}

async function main () {
  setOutputStream(process.stderr)
  const links = {}
  const accounts = {}
  const about = {}
  for (const [name, wallet] of Object.entries(config.wallets)) {
    links[name] = new Link(wallet)
    about[name] = await links[name].listen()
    accounts[name] = {
      relation: wallet.relation,
      plugin: links[name].plugin(),
      assetCode: wallet.asset.code,
      assetScale: wallet.asset.scale,
      balance: { maximum: wallet.limit },
      sendRoutes: false,
      receiveRoutes: false
    }
  }
  const app = createApp({
    ilpAddress: config.address,
    accounts,
    routes: Object.entries(config.wallets).map(([peerId, { address }]) => ({ targetPrefix: address, peerId })),
    backend: __filename
  }, services)
  await app.listen()
  talk(about, {
    sums: () => {
      const { accounts } = services(Middlewares).getMiddleware('balance').getStatus()
      return Object.fromEntries(Object.entries(links).map(([name, link]) => [name, { ...link.sums(), owed: accounts[name].balance }]))
    }
  })
}

main()
