// Reads and writes ILDCP with ilp-protocol-ildcp, for the Go tests: a JSON request a line on stdin, an answer a line on stdout.
//
//	{"request": true}                                               →  {hex: a Prepare}
//	{"write": {"clientAddress": …, "assetScale": …, "assetCode": …}} →  {hex: a Fulfill}
//	{"read": "hex of a Fulfill"}                                    →  {config: {…}}, or {error: "…"}
'use strict'

const readline = require('node:readline')
const ildcp = require('ilp-protocol-ildcp')

function answer ({ request, write, read }) {
  try {
    if (request) return { hex: ildcp.serializeIldcpRequest({ expiresAt: new Date(Date.now() + 60000) }).toString('hex') }
    if (write) return { hex: ildcp.serializeIldcpResponse(write).toString('hex') }
    return { config: ildcp.deserializeIldcpResponse(Buffer.from(read, 'hex')) }
  } catch (err) {
    return { error: String(err.message) }
  }
}

readline.createInterface({ input: process.stdin }).on('line', (line) => {
  process.stdout.write(JSON.stringify(answer(JSON.parse(line))) + '\n')
})
