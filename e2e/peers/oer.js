// Reads and writes OER with the oer-utils library, for the Go tests: a JSON request a line on stdin, an answer a line on
// stdout.
//
//	{"writeUint": "300"}    →  {"hex": "02012c"}        {"readUint": "02012c"}  →  {"uint": "300"}, or {"error": "…"}
//	{"writeOctets": "beef"} →  {"hex": "02beef"}        {"readOctets": "02beef"} → {"octets": "beef"}, or {"error": "…"}
'use strict'

const readline = require('node:readline')
const { Reader, Writer } = require('oer-utils')

function answer(request) {
  const writer = new Writer()
  try {
    if ('readUint' in request) return { uint: Reader.from(Buffer.from(request.readUint, 'hex')).readVarUInt() }
    if ('readOctets' in request) {
      return { octets: Reader.from(Buffer.from(request.readOctets, 'hex')).readVarOctetString().toString('hex') }
    }
    if ('writeUint' in request) writer.writeVarUInt(request.writeUint)
    if ('writeOctets' in request) writer.writeVarOctetString(Buffer.from(request.writeOctets, 'hex'))
    return { hex: writer.getBuffer().toString('hex') }
  } catch (err) {
    return { error: String(err.message) }
  }
}

readline.createInterface({ input: process.stdin }).on('line', (line) => {
  process.stdout.write(JSON.stringify(answer(JSON.parse(line))) + '\n')
})
