import { setTimeout as delay } from 'node:timers/promises'
import { connect } from '../../../test/support/raw-client.ts'
import { HEAD_SECONDS, MAX_STREAMS, defineAttack, insist, isRefused, send, statusOf } from './attack.ts'
import type { Attack } from './attack.ts'

const SLOW_CLIENTS = 30
/** How often a slow client sends one byte more, in milliseconds. */
const DRIP_MS = 200

/** What one caller can take from the others, or take for another. */
export const shareAttacks: Attack[] = [
  defineAttack({
    id: 'S18',
    name: 'the beginning of two ids',
    async attack ({ port }, scene) {
      const prefix = await placeTwins(() => scene.place())
      const before = (await scene.made()).length
      const answer = await send(scene, port, { method: 'DELETE', path: `/containers/${prefix}?force=true` })
      insist(answer !== undefined, 'there is no answer')
      return { status: answer.status, isSaid: /multiple|several|ambiguous/i.test(answer.body), removed: before - (await scene.made()).length }
    },
    holds: ({ status, isSaid, removed }) => isRefused(status) && isSaid && removed === 0,
    good: { status: 409, isSaid: true, removed: 0 },
    bad: [{ status: 200, isSaid: false, removed: 1 }, { status: 404, isSaid: false, removed: 0 }]
  }),
  defineAttack({
    id: 'S24',
    name: `${3 * MAX_STREAMS} logs that one caller follows`,
    async attack ({ port }, scene) {
      const id = await scene.place()
      const leaving = new AbortController()
      const follow = async () => (await fetch(`http://127.0.0.1:${port}/containers/${id}/logs?follow=true`, { signal: AbortSignal.any([leaving.signal, AbortSignal.timeout(3_000)]) }).catch(() => undefined))?.status ?? 0
      const statuses = await Promise.all(Array.from({ length: 3 * MAX_STREAMS }, follow))
      const other = await statusOf(scene, port, {})
      leaving.abort()
      return { refused: statuses.filter((status) => status === 429).length, failed: statuses.filter((status) => status >= 500).length, other }
    },
    holds: ({ refused, failed, other }) => refused > 0 && failed === 0 && other === 200,
    good: { refused: 20, failed: 0, other: 200 },
    bad: [{ refused: 0, failed: 0, other: 200 }, { refused: 20, failed: 0, other: 0 }]
  }),
  defineAttack({
    id: 'G1',
    name: `${SLOW_CLIENTS} heads that do not come to an end`,
    async attack ({ port }, scene) {
      const clients = await Promise.all(Array.from({ length: SLOW_CLIENTS }, async () => await connect(scene.test, port)))
      for (const client of clients) await client.send(`GET /containers HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nX-Slow: `)
      const drip = setInterval(() => { for (const { socket } of clients) if (socket.writable) socket.write('x') }, DRIP_MS)
      const other = await statusOf(scene, port, {})
      insist(clients.every(({ socket }) => socket.writable), 'heads are not read at all')
      const closed = clients.map(async (client) => await client.closed())
      const open = await Promise.race([Promise.all(closed).then(() => 0), delay(HEAD_SECONDS * 4_000, 1)])
      clearInterval(drip)
      for (const { socket } of clients) socket.destroy()
      return { isCutOff: open === 0, other }
    },
    holds: ({ isCutOff, other }) => isCutOff && other === 200,
    good: { isCutOff: true, other: 200 },
    bad: [{ isCutOff: false, other: 200 }, { isCutOff: true, other: 0 }]
  })
]

/** Makes containers until two ids begin alike: of 17 at least two do. */
async function placeTwins (place: () => Promise<string>): Promise<string> {
  const seen = new Set<string>()
  for (;;) {
    const first = (await place())[0]!
    if (seen.has(first)) return first
    seen.add(first)
  }
}
