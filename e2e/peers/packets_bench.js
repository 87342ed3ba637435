// Measures the ilp-packet library: a request is {"prepare": hex}, the answer {"perSecond": n} says how often in a second that
// Prepare is decoded, given another amount and expiry, and encoded again.
'use strict'

const readline = require('node:readline')
const ilp = require('ilp-packet')

function measure(prepare, seconds) {
  const expiresAt = new Date('2030-01-02T03:04:05.678Z')
  const began = process.hrtime.bigint()
  const end = began + BigInt(seconds * 1e9)
  let count = 0
  let now = began
  for (; now < end; now = process.hrtime.bigint()) {
    for (let i = 0; i < 1000; i++, count++) {
      const packet = ilp.deserializeIlpPrepare(prepare)
      packet.amount = '1000000'
      packet.expiresAt = expiresAt
      ilp.serializeIlpPrepare(packet)
    }
  }
  return count / (Number(now - began) / 1e9)
}

readline.createInterface({ input: process.stdin }).on('line', (line) => {
  const prepare = Buffer.from(JSON.parse(line).prepare, 'hex')
  measure(prepare, 1) // so that it is compiled
  console.log(JSON.stringify({ perSecond: measure(prepare, 2) }))
})
