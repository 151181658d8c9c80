import t from 'tap'
import type { OutputChunk } from '../../../src/engine/frames.ts'
import { createLineReader, MAX_LINE_LENGTH } from '../../../src/streams/log-lines.ts'
import type { LogLine } from '../../../src/streams/log-lines.ts'

const T1 = '2026-01-05T10:00:00.000000001Z'
const T2 = '2026-01-05T10:00:00.000000002Z'
const PIECE = 16 * 1024

type Frame = { output?: OutputChunk['output'], text: string | Buffer }

/** Reads frames, each cut into slices; without frames their bytes only. */
function read (frames: Frame[], { isTty = false, sliceBytes = Infinity } = {}): LogLine[] {
  const reader = createLineReader({ isTty })
  const lines: LogLine[] = []
  for (const { output = 'stdout', text } of frames) {
    const bytes = Buffer.from(text as string)
    for (let start = 0; start < bytes.length; start += sliceBytes) {
      const chunk = { output, bytes: bytes.subarray(start, start + sliceBytes) }
      lines.push(...reader.push([isTty ? chunk : { ...chunk, startsFrame: start === 0 }]))
    }
  }
  return [...lines, ...reader.flush()]
}

const SLICES = [1, 2, 3, 7, 100, PIECE, Infinity]

t.test('lines of both outputs, however they are cut', async (t) => {
  const frames: Frame[] = [{ text: `${T1} café 🐳\n` }, { output: 'stderr', text: `${T2} oops\n` }, { text: `${T2} \n` }, { text: `${T2} no end` }]
  for (const sliceBytes of SLICES) {
    t.same(read(frames, { sliceBytes }), [
      { stream: 'stdout', time: T1, line: 'café 🐳' },
      { stream: 'stderr', time: T2, line: 'oops' },
      { stream: 'stdout', time: T2, line: '' },
      { stream: 'stdout', time: T2, line: 'no end' }
    ], `${sliceBytes}`)
  }
})

t.test('pieces of one line are one line, a character between two pieces included', async (t) => {
  const whale = Buffer.from('🐳')
  const frames = [{ text: Buffer.concat([Buffer.from(`${T1} a`), whale.subarray(0, 2)]) }, { text: Buffer.concat([Buffer.from(`${T1} `), whale.subarray(2), Buffer.from('b\n')]) }]
  for (const sliceBytes of SLICES) t.same(read(frames, { sliceBytes }), [{ stream: 'stdout', time: T1, line: 'a🐳b' }])
})

t.test('a piece of another time is another line', async (t) => {
  t.same(read([{ text: `${T1} killed` }, { text: `${T2} started\n` }]).map(({ line }) => line), ['killed', 'started'])
})

t.test('a terminal: pieces of 16 KiB, and carriage returns', async (t) => {
  const long = 'x'.repeat(PIECE)
  const text = `${T1} one\r\n${T1} ${long}${T1} ${long}${T1} tail\r\n${T2} ${long}\r\n${T2} ${long}not a time\r\n${T2} rest`
  for (const sliceBytes of SLICES) {
    const lines = read([{ text }], { isTty: true, sliceBytes })
    t.same(lines.map(({ time, line }) => [time, line.replace(long, 'X').replace(long, 'X')]), [[T1, 'one'], [T1, 'XXtail'], [T2, 'X'], [T2, 'Xnot a time'], [T2, 'rest']], `${sliceBytes}`)
  }
})

t.test('a huge line comes in parts that never cut a character, the same however it arrives', async (t) => {
  const text = `${'x'.repeat(MAX_LINE_LENGTH - 1)}🐳${'y'.repeat(MAX_LINE_LENGTH)}`
  const expected = [{ length: MAX_LINE_LENGTH - 1, partial: true }, { length: MAX_LINE_LENGTH, partial: true }, { length: 2, partial: undefined }]
  for (const sliceBytes of [7, PIECE, Infinity]) {
    const lines = read([{ text: `${T1} ${text}\n` }], { sliceBytes })
    t.same(lines.map(({ line, partial }) => ({ length: line.length, partial })), expected)
    t.equal(lines.map(({ line }) => line).join(''), text)
  }
})

t.end()
