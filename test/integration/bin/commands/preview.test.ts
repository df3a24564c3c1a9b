/**
 * `tallyman preview` as cli.md says it: JSON lines, summary, exit codes, words for people.
 */
import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { previewed, previewedJson } from '../../../support/previewed.ts'

let folder = ''
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tallyman-preview-'))
})
after(() => rm(folder, { recursive: true }))

async function file(name: string, content: string | Buffer): Promise<string> {
  const path = join(folder, name)
  await writeFile(path, content)
  return path
}

test('preview gives one JSON line per record and reject, then the summary', async () => {
  const path = await file('orders.csv', 'id;name;__proto__\n1;"a;b";x\n2;b\n3;;y\n')
  const { code, lines } = await previewedJson(path)
  assert.equal(code, 0)
  assert.deepEqual(lines.slice(0, 3), [
    JSON.parse('{"line":2,"record":{"id":"1","name":"a;b","__proto__":"x"}}'),
    JSON.parse('{"line":4,"record":{"id":"3","name":null,"__proto__":"y"}}'),
    {
      line: 3,
      reject: {
        code: 'PARSE_RAGGED',
        message: 'The record has 2 cells where 3 are expected.',
        column: null,
        raw: '2;b',
      },
    },
  ])
  const { summary } = lines[3] as { summary: Record<string, unknown> }
  assert.deepEqual([summary.read, summary.accepted, summary.rejected, summary.charset], [3, 2, 1, 'utf-8'])
  assert.equal((summary.dialect as { delimiter: string }).delimiter, ';')
})

test('preview without a header gives arrays', async () => {
  const path = await file('bare.txt', '1@"a"@x\r\n2@b@\r\n\u001a')
  const { lines } = await previewedJson(path, { header: false })
  assert.deepEqual(lines.slice(0, 2), [
    { line: 1, record: ['1', 'a', 'x'] },
    { line: 2, record: ['2', 'b', null] },
  ])
})

test('a first record that happens to number its cells is data where there is no header', async () => {
  const path = await file('numbered.csv', '1,2\n3,4\n')
  const { lines } = await previewedJson(path, { header: false })
  assert.deepEqual(lines[0], { line: 1, record: ['1', '2'] })
})

test('preview shows an XML file as one record, or its elements at a path', async () => {
  const path = await file(
    'rates.xml',
    '<r xmlns="urn:x" at="1">\n<c n="a">1</c><c n="b"/><d>t<e> </e>u</d></r>',
  )
  const whole = await previewedJson(path)
  assert.deepEqual(whole.lines[0], {
    line: 1,
    record: { '@at': '1', c: [{ '@n': 'a', '#text': '1' }, { '@n': 'b' }], d: { e: null, '#text': 'tu' } },
  })
  const elements = await previewedJson(path, { record: 'r/c' })
  assert.deepEqual(elements.lines.slice(0, 2), [
    { line: 2, record: { '@n': 'a', '#text': '1' } },
    { line: 2, record: { '@n': 'b' } },
  ])
  assert.equal((await previewedJson(path, { record: 'r/x' })).code, 1)
})

test('a file that is unusable as a whole gives one JSON error document and exit 1', async () => {
  for (const [name, content, code] of [
    ['empty.csv', '', 'PARSE_EMPTY_FILE'],
    ['open.csv', 'a,b\n1,2\n3,"4\n', 'PARSE_QUOTE_UNCLOSED'],
    ['doubled.csv', 'a,b,a\n1,2,3\n', 'PARSE_HEADER_DOUBLED'],
    ['bad.xml', '<a><b></a>', 'PARSE_XML_MALFORMED'],
    ['doctype.xml', '<!DOCTYPE a><a/>', 'PARSE_XML_DOCTYPE'],
    ['absent.csv', null, 'PARSE_FILE_UNREADABLE'],
  ] as const) {
    const path = content === null ? join(folder, name) : await file(name, content)
    const { code: exit, lines } = await previewedJson(path)
    assert.deepEqual([exit, lines.length], [1, 1], name)
    const failure = lines[0] as { ok: boolean; error: { code: string; docs: string } }
    assert.deepEqual(
      [failure.ok, failure.error.code, failure.error.docs],
      [false, code, 'docs/errors.md#parse'],
    )
  }
})

test('preview says that it guessed windows-1252, and a wrong charset that is given refuses the file', async () => {
  const path = await file('names.csv', Buffer.from('a,b\n1,M\xfcller \x80\n', 'latin1'))
  const { lines } = await previewedJson(path)
  assert.deepEqual(lines[0], { line: 2, record: { a: '1', b: 'Müller €' } })
  const { summary } = lines[1] as { summary: { charset: string; guessed: string[] } }
  assert.equal(summary.charset, 'windows-1252')
  assert.ok(summary.guessed.includes('charset'))
  assert.equal((await previewedJson(path, { charset: 'utf-8' })).code, 1)
})

test('a limit bounds what preview prints, not what it counts', async () => {
  const path = await file('long.csv', `a,b\n${'1,2\n3\n'.repeat(5)}`)
  const { lines } = await previewedJson(path, { limit: '2' })
  assert.equal(lines.length, 5)
  const { summary } = lines.at(-1) as { summary: Record<string, unknown> }
  assert.deepEqual([summary.read, summary.rejected, summary.printed], [10, 5, { records: 2, rejects: 2 }])
})

test('options of preview reach the reader', async () => {
  const path = await file('odd.txt', "head\na\u0001b~\n'1'\u0001'x\u0001y'~\nTotal~\n")
  const { lines } = await previewedJson(path, {
    delimiter: '\\x01',
    quote: "'",
    recordEnd: '~\\n',
    preamble: '0',
    footer: ['Total'],
    header: false,
  })
  assert.deepEqual(lines[1], { line: 3, record: ['1', 'x\u0001y'] })
})

test('preview speaks to people in a table with file and line', async () => {
  const path = await file('people.csv', 'id,name\n1,Ann\n2\n')
  const { code, out } = await previewed(path)
  assert.equal(code, 0)
  assert.match(out, /people\.csv: 2 records read, 1 accepted, 1 rejected/)
  assert.match(out, /line +id +name\n +2 +1 +Ann\n/)
  assert.match(out, /people\.csv:3: The record has 1 cells where 2 are expected\. \[PARSE_RAGGED\]\n {2}2\n/)
})
