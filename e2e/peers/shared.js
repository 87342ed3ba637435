// What the peers of the interop tests share: talking with the test, a link over HTTP, and SPSP.
//
// Such a peer is started as
//
//	node peers/NAME.js '{"url": …, "token": …, …}'
//
// prints a line of JSON about itself, and then answers each line of JSON on stdin, {"do": "a command", …}, with one on stdout:
// what the command returned, or {"error": "…"}. It ends when stdin does. Amounts are strings.
'use strict'

const http = require('node:http')
const { EventEmitter, once } = require('node:events')
const readline = require('node:readline')
const ilp = require('ilp-packet')
const PluginHttp = require('ilp-plugin-http')

const config = JSON.parse(process.argv[2])

// talk prints the line about this peer and obeys commands, one after another.
async function talk (about, commands) {
  console.log(JSON.stringify(about))
  const lines = readline.createInterface({ input: process.stdin })
  lines.on('close', () => process.exit()) // also in the midst of a command
  for await (const line of lines) {
    const request = JSON.parse(line)
    let answer
    try {
      answer = await commands[request.do](request)
    } catch (err) {
      answer = { error: err instanceof Error ? err.stack : String(err) }
    }
    console.log(JSON.stringify(answer))
  }
}

// Link exchanges packets with a wallet through ilp-plugin-http, at a free port of its own, and counts the money in them: sent
// and received are {amount, packets} of those that were fulfilled, with rejects by their code in refused. Packets above max are
// rejected with F08, if there is a max; and once so much was received as keeps says, the link keeps a tenth of all that follows.
class Link {
  constructor ({ url, token, incoming, max, keeps }) {
    this.max = max
    this.keeps = keeps
    this.sent = { amount: 0n, packets: 0, refused: {} }
    this.received = { amount: 0n, packets: 0, refused: {} }
    this.http = new PluginHttp({
      incoming: { port: { port: 0, host: '127.0.0.1' }, staticToken: incoming }, // it hands this to net.Server.listen
      outgoing: { url, staticToken: token, name: 'peer' }
    })
  }

  // listen returns the port.
  async listen () {
    await this.http.connect()
    if (!this.http._httpServer.listening) await once(this.http._httpServer, 'listening')
    return this.http._httpServer.address().port
  }

  // take has packets from the wallet answered by handle, which takes and returns their bytes.
  take (handle) {
    this.http.registerDataHandler((data) => {
      const prepare = ilp.deserializeIlpPrepare(data)
      if (this.keeps !== undefined && this.received.amount >= BigInt(this.keeps)) {
        prepare.amount = String(BigInt(prepare.amount) * 9n / 10n)
      }
      return this.count(this.received, ilp.serializeIlpPrepare(prepare), (data) => this.tooLarge(data) ?? handle(data))
    })
  }

  tooLarge (data) {
    const { amount } = ilp.deserializeIlpPrepare(data)
    if (this.max === undefined || BigInt(amount) <= BigInt(this.max)) return undefined
    return ilp.errorToReject('test.foreign', new ilp.Errors.AmountTooLargeError('too large', {
      receivedAmount: amount, maximumAmount: this.max
    }))
  }

  async count (sum, data, exchange) {
    const { amount } = ilp.deserializeIlpPrepare(data)
    const answer = await exchange(data)
    const { type, data: { code } } = ilp.deserializeIlpPacket(answer)
    if (type === ilp.Type.TYPE_ILP_REJECT) {
      sum.refused[code] = (sum.refused[code] ?? 0) + 1
    } else if (amount !== '0') {
      sum.amount += BigInt(amount)
      sum.packets++
    }
    return answer
  }

  // plugin is the link as a library wants it that opens and closes its plugins itself.
  plugin () {
    return Object.assign(new EventEmitter(), {
      connect: async () => {},
      disconnect: async () => {},
      isConnected: () => true,
      registerDataHandler: (handle) => this.take(handle),
      deregisterDataHandler: () => {},
      registerMoneyHandler: () => {},
      deregisterMoneyHandler: () => {},
      sendMoney: async () => {},
      sendData: (data) => this.count(this.sent, data, (data) => this.http.sendData(data))
    })
  }

  // sums is what the link has counted.
  sums () {
    const text = ({ amount, ...rest }) => ({ amount: String(amount), ...rest })
    return { sent: text(this.sent), received: text(this.received) }
  }

  // pays has pay send money, and returns what that cost on this link. It fails if the payer counted something else.
  async pays (pay) {
    const { amount, packets } = this.sent
    const { sent, delivered, ...rest } = await pay()
    const cost = this.sent.amount - amount
    if (BigInt(sent) !== cost) throw new Error(`sent ${sent}, and on the link ${cost}`)
    return { sent: String(sent), delivered: String(delivered), packets: this.sent.packets - packets, ...rest }
  }
}

// query asks a payment pointer's URL for a connection (SPSP).
async function query (url) {
  const answer = await fetch(url, { headers: { accept: 'application/spsp4+json' } })
  if (!answer.ok) throw new Error(`${url}: status ${answer.status}`)
  const details = await answer.json()
  return { destinationAccount: details.destination_account, sharedSecret: Buffer.from(details.shared_secret, 'base64') }
}

// offer serves SPSP: each query gets a connection that credentials makes, {address, secret}. It returns the port.
async function offer (credentials) {
  const server = http.createServer((request, response) => {
    const { address, secret } = credentials()
    response.writeHead(200, { 'content-type': 'application/spsp4+json', 'cache-control': 'no-cache' })
    response.end(JSON.stringify({ destination_account: address, shared_secret: secret.toString('base64') }))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return server.address().port
}

module.exports = { config, talk, Link, query, offer }
