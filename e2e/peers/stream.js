// Reads and writes STREAM with ilp-protocol-stream and both generations of @interledger/stream-receiver, for the Go tests: a JSON
// request a line on stdin, an answer a line on stdout, or {"error": "…"}. Octets travel as hex, uint64s as strings, and a frame as
// [type, field, field, …].
//
//	{"do": "seal", secret, packet: {type, sequence, amount, frames}}  →  {data, fulfillment, condition}
//	{"do": "open", secret, data}                                      →  {packet, fulfillment, condition}
//	{"do": "credentials", module, key, base, tag}                     →  {address, secret}
//	{"do": "reply", module, key, base, to, amount, condition, data}   →  {tag, fulfillment}
'use strict'

const readline = require('node:readline')
const stream = require('ilp-protocol-stream/dist/src/packet')
const crypto = require('ilp-protocol-stream/dist/src/crypto')

const octets = (hex) => Buffer.from(hex, 'hex')

// Which field of which frames is octets.
const octetFields = { [stream.FrameType.StreamData]: 2, [stream.FrameType.StreamReceipt]: 1 }

function readFrame ([type, ...fields]) {
  if (type in octetFields) fields[octetFields[type]] = octets(fields[octetFields[type]])
  return new stream[`${stream.FrameType[type]}Frame`](...fields)
}

function writeFrame ({ type, name, ...fields }) {
  return [type, ...Object.values(fields).map((value) => {
    if (Buffer.isBuffer(value)) return value.toString('hex')
    return typeof value === 'object' ? value.toString() : value
  })]
}

async function proof (secret, data) {
  const fulfillment = await crypto.generateFulfillment(await crypto.generateFulfillmentKey(secret), data)
  return { fulfillment: fulfillment.toString('hex'), condition: (await crypto.hash(fulfillment)).toString('hex') }
}

const answers = {
  async seal ({ secret, packet: { sequence, type, amount, frames } }) {
    const packet = new stream.Packet(sequence, type, amount, frames.map(readFrame))
    const data = await packet.serializeAndEncrypt(await crypto.generatePskEncryptionKey(octets(secret)))
    return { data: data.toString('hex'), ...await proof(octets(secret), data) }
  },

  async open ({ secret, data }) {
    const packet = await stream.Packet.decryptAndDeserialize(await crypto.generatePskEncryptionKey(octets(secret)), octets(data))
    const { sequence, ilpPacketType, prepareAmount, frames } = packet
    return {
      packet: { sequence: String(sequence), type: Number(ilpPacketType), amount: String(prepareAmount), frames: frames.map(writeFrame) },
      ...await proof(octets(secret), octets(data))
    }
  },

  credentials ({ module, key, base, tag }) {
    const { ilpAddress, sharedSecret } = server(module, key, base).generateCredentials({ paymentTag: tag })
    return { address: ilpAddress, secret: sharedSecret.toString('hex') }
  },

  reply ({ module, key, base, to, amount, condition, data }) {
    const answer = server(module, key, base).createReply({
      destination: to, amount, executionCondition: octets(condition), expiresAt: new Date(), data: octets(data)
    })
    if (!('accept' in answer)) return { error: answer.code }
    return { tag: answer.paymentTag, fulfillment: answer.accept().fulfillment.toString('hex') }
  }
}

function server (module, key, base) {
  const { StreamServer } = require(module)
  return new StreamServer({ serverSecret: octets(key), serverAddress: base })
}

async function main () {
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const request = JSON.parse(line)
    let answer
    try {
      answer = await answers[request.do](request)
    } catch (err) {
      answer = { error: String(err.message) }
    }
    process.stdout.write(JSON.stringify(answer) + '\n')
  }
}

main()
