// A payer made of @interledger/pay and ilp-plugin-http. See shared.js; its commands are
//
//	{"do": "pay", "to": URL, "send": N, …}      fixed send, or
//	{"do": "pay", "to": URL, "deliver": N, …}   fixed delivery, to what a payment pointer leads to; with the prices of assets and
//	                                            the slippage that it puts up with
//	{"do": "sums"}                              what moved on the link
'use strict'

const { fetch: ildcp } = require('ilp-protocol-ildcp')
const { setupPayment, startQuote, pay, closeConnection } = require('@interledger/pay')
const { config, talk, Link, query } = require('./shared')

const link = new Link(config)
const plugin = link.plugin()

async function payOnce ({ to, send, deliver, prices, slippage }) {
  const { destinationAccount, sharedSecret } = await query(to)
  const destination = await setupPayment({ plugin, destinationAddress: destinationAccount, sharedSecret })
  const { assetCode, assetScale } = await ildcp(plugin.sendData)
  const quote = await startQuote({
    plugin, destination, sourceAsset: { code: assetCode, scale: assetScale }, amountToSend: send, amountToDeliver: deliver, prices, slippage
  })
  const result = await pay({ plugin, destination, quote })
  await closeConnection(plugin, destination)
  if (result.error) throw new Error(result.error)
  return {
    sent: result.amountSent,
    delivered: result.amountDelivered,
    asset: destination.destinationAsset,
    quote: { send: String(quote.maxSourceAmount), deliver: String(quote.minDeliveryAmount) }
  }
}

async function main () {
  talk({ port: await link.listen() }, {
    pay: (request) => link.pays(() => payOnce(request)),
    sums: () => link.sums()
  })
}

main()
