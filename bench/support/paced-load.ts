import { connect } from 'node:net'
import type { Socket } from 'node:net'

/**
 * Sends GETs at a rate, whether or not answers come: `node paced-load.ts PORT PATH RATE SECONDS CONNECTIONS`. Prints how long each took from the
 * moment when it was due, in milliseconds, as a JSON list.
 */
const [port, path, rate, seconds, connections] = [Number(process.argv[2]), process.argv[3]!, Number(process.argv[4]), Number(process.argv[5]), Number(process.argv[6])]
const REQUEST = `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n`
/** Head and body of the one answer that there is, whatever headers a proxy adds: its body is 128 bytes of x. */
const BODY = /\r\n\r\nx{128}$/

const times: number[] = []
const waiting: number[] = []
const free: Socket[] = await Promise.all(Array.from({ length: connections }, open))
const total = rate * seconds
const startedAt = performance.now()
let due = 0
while (times.length < total) {
  const now = performance.now()
  for (; due < total && startedAt + due * 1000 / rate <= now; due++) waiting.push(startedAt + due * 1000 / rate)
  serve()
  await new Promise((resolve) => { setImmediate(resolve) })
}
console.log(JSON.stringify(times.map((time) => Math.round(time * 1000) / 1000)))
process.exit(0)

function serve () {
  while (waiting.length > 0 && free.length > 0) send(free.pop()!, waiting.shift()!)
}

function send (socket: Socket, dueAt: number) {
  let answer = ''
  const onData = (chunk: Buffer) => {
    answer += chunk.toString('latin1')
    if (!BODY.test(answer)) return
    socket.off('data', onData)
    times.push(performance.now() - dueAt)
    free.push(socket)
    serve()
  }
  socket.on('data', onData)
  socket.write(REQUEST)
}

function open (): Promise<Socket> {
  const { promise, resolve, reject } = Promise.withResolvers<Socket>()
  const socket = connect(port, '127.0.0.1', () => { resolve(socket.setNoDelay(true)) })
  socket.once('error', reject).once('close', () => { throw new Error('The proxy closed a connection.') })
  return promise
}
