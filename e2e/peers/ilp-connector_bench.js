// An ilp-connector between two links of ilp-plugin-http, for the benchmarks. It reads a line of JSON,
//
//	{"listen": port, "token": …, "back": port, "next": url, "nextToken": …}
//
// says a line when it takes packets at the port, and sends those to test.next on to the URL. Then it answers each line with what
// it has used: {"CPU": nanoseconds, "Heap": bytes, "Resident": bytes}. It ends with its input.
'use strict'

const net = require('node:net')
const { once } = require('node:events')
const readline = require('node:readline')
const { setTimeout } = require('node:timers/promises')
const { Writable } = require('node:stream')
const { setOutputStream } = require('ilp-connector/dist/common/log')
const { createApp } = require('ilp-connector')

const link = (listen, token, url, outgoing) => ({
  relation: 'peer',
  plugin: 'ilp-plugin-http',
  assetCode: 'USD',
  assetScale: 2,
  balance: { maximum: 'Infinity' },
  rateLimit: { refillPeriod: 1000, refillCount: 1e6, capacity: 1e6 },
  sendRoutes: false,
  receiveRoutes: false,
  options: {
    incoming: { port: { port: listen, host: '127.0.0.1' }, staticToken: token }, // it hands this to net.Server.listen
    outgoing: { url, staticToken: outgoing, name: 'peer' }
  }
})

// answers tells whether somebody listens at a port: the plugin doesn't wait for its own server.
async function answers (port) {
  const socket = net.connect(port, '127.0.0.1')
  try {
    await once(socket, 'connect')
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}

async function main () {
  const lines = readline.createInterface({ input: process.stdin })
  lines.on('close', () => process.exit())
  const questions = lines[Symbol.asyncIterator]()
  const { listen, token, back, next, nextToken } = JSON.parse((await questions.next()).value)
  setOutputStream(new Writable({ write: (chunk, encoding, done) => done() }))
  await createApp({
    ilpAddress: 'test.connector',
    backend: 'one-to-one',
    spread: 0,
    accounts: {
      load: link(listen, token, next, nextToken),
      next: link(back, token, next, nextToken)
    },
    routes: [{ targetPrefix: 'test.next', peerId: 'next' }]
  }).listen()
  while (!await answers(listen)) await setTimeout(20)
  console.log('serving')
  for await (const _ of questions) {
    const { user, system } = process.cpuUsage()
    const { heapUsed, rss } = process.memoryUsage()
    console.log(JSON.stringify({ CPU: (user + system) * 1000, Heap: heapUsed, Resident: rss }))
  }
}

main()
