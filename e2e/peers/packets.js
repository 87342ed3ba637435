// Reads and writes ILP packets with the ilp-packet library, for the Go tests: a JSON request a line on stdin, an answer a line
// on stdout.
//
//	{"encode": {"type": 12, "amount": "1", …}}  →  {"hex": "0c…"}
//	{"decode": "0c…"}                           →  {"packet": {…}, "hex": what it becomes again}, or {"error": "…"}
'use strict'

const readline = require('node:readline')
const ilp = require('ilp-packet')

const octets = ['executionCondition', 'fulfillment', 'data'] // they travel as hex

function read({ type, ...fields }) {
  for (const name of octets) {
    if (name in fields) fields[name] = Buffer.from(fields[name], 'hex')
  }
  if ('expiresAt' in fields) fields.expiresAt = new Date(fields.expiresAt)
  return { type, data: fields }
}

function write({ type, data }) {
  const fields = { ...data }
  for (const name of octets) {
    if (name in fields) fields[name] = fields[name].toString('hex')
  }
  return { type, ...fields } // a Date becomes ISO 8601, in UTC with milliseconds
}

function answer(request) {
  try {
    if (request.encode) return { hex: ilp.serializeIlpPacket(read(request.encode)).toString('hex') }
    const packet = ilp.deserializeIlpPacket(Buffer.from(request.decode, 'hex'))
    return { packet: write(packet), hex: ilp.serializeIlpPacket(packet).toString('hex') }
  } catch (err) {
    return { error: String(err.message) }
  }
}

readline.createInterface({ input: process.stdin }).on('line', (line) => {
  process.stdout.write(JSON.stringify(answer(JSON.parse(line))) + '\n')
})
