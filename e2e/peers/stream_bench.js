// Measures ilp-protocol-stream: a request is {"sequence", "amount"}, the answer {"perSecond": n} says how often in a second a STREAM
// packet with these and a StreamMoney frame is encoded and encrypted, decrypted and decoded. The key is derived once.
'use strict'

const readline = require('node:readline')
const { Packet, StreamMoneyFrame, IlpPacketType } = require('ilp-protocol-stream/dist/src/packet')
const { generatePskEncryptionKey } = require('ilp-protocol-stream/dist/src/crypto')

async function measure (key, sequence, amount, seconds) {
  const began = process.hrtime.bigint()
  const end = began + BigInt(seconds * 1e9)
  let count = 0
  let now = began
  for (; now < end; now = process.hrtime.bigint()) {
    for (let i = 0; i < 100; i++, count++) {
      const packet = new Packet(sequence, IlpPacketType.Prepare, amount, [new StreamMoneyFrame(1, 1)])
      await Packet.decryptAndDeserialize(key, await packet.serializeAndEncrypt(key))
    }
  }
  return count / (Number(now - began) / 1e9)
}

async function main () {
  const key = await generatePskEncryptionKey(Buffer.alloc(32, 1))
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const { sequence, amount } = JSON.parse(line)
    await measure(key, sequence, amount, 1) // so that it is compiled
    console.log(JSON.stringify({ perSecond: await measure(key, sequence, amount, 2) }))
  }
}

main()
