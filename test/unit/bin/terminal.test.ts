/** What reaches a terminal, a pipe or a file: colours, breaks between words, tables that fit. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { progressLine, showProgress } from '../../../bin/progress.ts'
import { openTerminal, table, wrapped } from '../../../bin/terminal.ts'
import type { Progress } from '../../../lib/model/progress.ts'
import type { Clock } from '../../../lib/model/time/clock.ts'

const ESCAPE = String.fromCharCode(27)

interface Fake {
  readonly stream: NodeJS.WriteStream
  readonly texts: string[]
}

function fake(isTTY: boolean, columns = 40): Fake {
  const texts: string[] = []
  const stream = { isTTY, columns, write: (text: string) => texts.push(text) > 0 }
  return { stream: stream as unknown as NodeJS.WriteStream, texts }
}

const plainWishes = { json: false, quiet: false, noColor: false }

test('data in a pipe stays uncoloured and unbroken while notes on the terminal are coloured and broken', () => {
  const [stdout, stderr] = [fake(false), fake(true)]
  const terminal = openTerminal({ stdout: stdout.stream, stderr: stderr.stream }, plainWishes)
  const long = 'one two three four five six seven eight nine ten eleven'
  terminal.data(terminal.paintOut('bad', long))
  terminal.note(terminal.paint('bad', long))
  assert.deepEqual(stdout.texts, [`${long}\n`])
  assert.ok(stderr.texts[0]!.includes(`${ESCAPE}[31m`))
  assert.equal(stderr.texts[0]!.split('\n').length, 3)
  assert.equal(terminal.columns, null)
})

test('NO_COLOR and --quiet take colour and animation away, --quiet the notes too', () => {
  const at = (wishes: Partial<typeof plainWishes>) => {
    const [stdout, stderr] = [fake(true), fake(true)]
    const terminal = openTerminal(
      { stdout: stdout.stream, stderr: stderr.stream },
      { ...plainWishes, ...wishes },
    )
    terminal.note(terminal.paint('good', 'note'))
    terminal.out(terminal.paintOut('good', 'data'))
    return [terminal.animated, stderr.texts.join(''), stdout.texts.join('')]
  }
  assert.deepEqual(at({ noColor: true }), [false, 'note\n', 'data'])
  assert.deepEqual(at({ quiet: true }), [false, '', 'data'])
  assert.equal(at({})[0], true)
})

test('a line is broken between words, under its own text and without counting colours', () => {
  const line = `  ${ESCAPE}[2mlaw${ESCAPE}[22m     read 25 = mapped 25 + rejected 0`
  assert.deepEqual(wrapped(line, 30), [
    `  ${ESCAPE}[2mlaw${ESCAPE}[22m     read 25 = mapped 25`,
    '          + rejected 0',
  ])
  assert.deepEqual(wrapped(line, 42), [line])
  assert.deepEqual(wrapped('x'.repeat(50), 40), ['x'.repeat(50)], 'a word is never broken')
})

test('a table that is too wide sets its last column under the line before it cuts anything', () => {
  const head = ['id', 'name', 'why']
  const rows = [
    ['1', 'a-long-file-name.csv', 'because of a reason'],
    ['10', 'short.csv', ''],
  ]
  assert.equal(
    table(head, rows),
    'id  name                  why\n 1  a-long-file-name.csv  because of a reason\n10  short.csv\n',
  )
  assert.equal(
    table(head, rows, 30),
    'id  name\n 1  a-long-file-name.csv\n    because of a reason\n10  short.csv\n',
  )
  assert.equal(table(head, rows, 20).split('\n')[1], ' 1  a-long-file-nam…')
})

test('control characters of names never reach the terminal', () => {
  assert.ok(!table(['name'], [[`evil${ESCAPE}[2J.csv`]]).includes(ESCAPE))
})

test('progress tells amount, share, rate and time left', () => {
  const event: Progress = {
    step: 'fetch',
    subject: 'a.csv',
    unit: 'bytes',
    done: 5 * 1024 ** 2,
    total: 20 * 1024 ** 2,
  }
  assert.equal(progressLine(event, 2_000), 'fetch     a.csv  5.0 MB  25 %  2.5 MB/s  6 s left')
  assert.equal(
    progressLine({ ...event, unit: 'rows', done: 12_345, total: null }, 0),
    'fetch     a.csv  12,345 rows',
  )
})

test('off a terminal progress is one line per 30 seconds, however many files go by', () => {
  let ms = 0
  const clock: Clock = { now: () => ms, monotonicMs: () => ms, sleep: async () => {} }
  const notes: string[] = []
  const terminal = {
    ...openTerminal({ stdout: fake(false).stream, stderr: fake(false).stream }, plainWishes),
    note: (text: string) => void notes.push(text),
  }
  const display = showProgress(terminal, clock, () => 80)
  for (let file = 0; file < 100; file += 1) {
    ms = file * 1_000
    display.show({ step: 'fetch', subject: `${file}.csv`, unit: 'bytes', done: 1, total: 1 })
  }
  assert.deepEqual(
    notes.map(note => /\d+\.csv/.exec(note)?.[0]),
    ['30.csv', '60.csv', '90.csv'],
  )
})
