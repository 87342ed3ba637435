// A wallet made of ilp-protocol-stream and ilp-plugin-http. See shared.js; its commands are
//
//	{"do": "config"}                        what the wallet says it is (ILDCP)
//	{"do": "listen"}                        makes it take payments; returns the port of its SPSP
//	{"do": "pay", "to": URL, "amount": N}   pays what a payment pointer leads to
//	{"do": "sums"}                          what moved on the link, and what the connections received
'use strict'

const { fetch: ildcp } = require('ilp-protocol-ildcp')
const { createConnection, createServer } = require('ilp-protocol-stream')
const { config, talk, Link, query, offer } = require('./shared')

const link = new Link(config)
let received = 0n

async function listen () {
  const server = await createServer({ plugin: link.plugin() })
  server.on('connection', (connection) => {
    connection.on('stream', (stream) => {
      stream.setReceiveMax('18446744073709551615')
      stream.on('money', (amount) => { received += BigInt(amount) })
    })
  })
  return {
    asset: { code: server.assetCode, scale: server.assetScale },
    spsp: await offer(() => {
      const { destinationAccount, sharedSecret } = server.generateAddressAndSecret()
      return { address: destinationAccount, secret: sharedSecret }
    })
  }
}

async function pay ({ to, amount }) {
  const plugin = link.plugin()
  plugin.registerDataHandler = () => {} // nobody pays the payer, and the handler is the server's
  const connection = await createConnection({ ...await query(to), plugin })
  const stream = connection.createStream()
  await stream.sendTotal(amount, { timeout: 20000 })
  stream.end()
  await connection.end()
  const { totalSent, totalDelivered, destinationAssetCode, destinationAssetScale } = connection
  if (totalSent !== stream.totalSent) throw new Error(`the connection sent ${totalSent}, its stream ${stream.totalSent}`)
  return { sent: totalSent, delivered: totalDelivered, asset: { code: destinationAssetCode, scale: destinationAssetScale } }
}

async function main () {
  talk({ port: await link.listen() }, {
    config: () => ildcp((data) => link.http.sendData(data)),
    listen,
    pay: (request) => link.pays(() => pay(request)),
    sums: () => ({ ...link.sums(), counted: String(received) })
  })
}

main()
