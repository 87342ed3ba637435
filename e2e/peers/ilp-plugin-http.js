// A peer that speaks ILP over HTTP with ilp-plugin-http, for TestPluginHTTP.
//
//   node ilp-plugin-http.js URL TOKEN
//
// It takes packets on a free port of its own and prints which. It fulfills those to test.peer.fulfill with 32 zero bytes, throws
// at those to test.peer.crash, and rejects all others with F02; both answers carry the packet's data. Then it reads lines: each
// is a packet in hex, which it sends to URL, and prints the answer in hex, or "error" and why there is none. TOKEN is the
// bearer token of both directions.
'use strict'

const { once } = require('events')
const readline = require('readline')
const IlpPacket = require('ilp-packet')
const PluginHttp = require('ilp-plugin-http')

const [url, token] = process.argv.slice(2)

async function handle (data) {
  const { destination, data: payload } = IlpPacket.deserializeIlpPrepare(data)
  switch (destination) {
    case 'test.peer.fulfill':
      return IlpPacket.serializeIlpFulfill({ fulfillment: Buffer.alloc(32), data: payload })
    case 'test.peer.crash':
      throw new Error('crashed')
  }
  return IlpPacket.serializeIlpReject({ code: 'F02', triggeredBy: 'test.peer', message: 'nobody here', data: payload })
}

async function main () {
  const plugin = new PluginHttp({
    incoming: { port: { port: 0, host: '127.0.0.1' }, staticToken: token }, // it hands this to net.Server.listen
    outgoing: { url, staticToken: token, name: 'peer' }
  })
  plugin.registerDataHandler(handle)
  await plugin.connect()
  if (!plugin._httpServer.listening) await once(plugin._httpServer, 'listening')
  console.log(plugin._httpServer.address().port)
  for await (const line of readline.createInterface({ input: process.stdin })) {
    try {
      console.log((await plugin.sendData(Buffer.from(line, 'hex'))).toString('hex'))
    } catch (err) {
      console.log('error', err.message)
    }
  }
  await plugin.disconnect()
  process.exit()
}

main()
