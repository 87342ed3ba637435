// A receiver made of @interledger/stream-receiver and ilp-plugin-http. See shared.js; the module to use, the receiver's address
// and its asset are configured as well. Its only command is
//
//	{"do": "sums"}   what moved on the link, and what the receiver accepted
'use strict'

const { randomBytes } = require('node:crypto')
const ilp = require('ilp-packet')
const { config, talk, Link, offer } = require('./shared')
const { StreamServer } = require(config.module)

const link = new Link(config)
const server = new StreamServer({ serverSecret: randomBytes(32), serverAddress: config.address })
const tag = 'for-bob'
let accepted = 0n

function receive (data) {
  const prepare = ilp.deserializeIlpPrepare(data)
  const answer = server.createReply(prepare)
  if (!('accept' in answer)) return ilp.serializeIlpReply(answer)
  if (answer.paymentTag !== tag) throw new Error(`the tag became ${answer.paymentTag}`)
  accepted += BigInt(prepare.amount)
  return ilp.serializeIlpReply(answer.accept())
}

async function main () {
  link.take(async (data) => receive(data))
  const port = await link.listen()
  const spsp = await offer(() => {
    const { ilpAddress, sharedSecret } = server.generateCredentials({ paymentTag: tag, asset: config.asset })
    return { address: ilpAddress, secret: sharedSecret }
  })
  talk({ port, spsp }, { sums: () => ({ ...link.sums(), counted: String(accepted) }) })
}

main()
