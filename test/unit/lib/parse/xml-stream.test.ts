/**
 * XML files as records: paths, parents, lists, namespaces, and everything that refuses a file.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { TallymanError } from '../../../../lib/model/errors.ts'
import { xml } from '../../../../lib/parse/xml.ts'
import { parsed, refused, rows } from '../../../support/parsed.ts'

const statement = `<?xml version="1.0" encoding="UTF-8"?>
<Doc xmlns="urn:x">
  <Hdr><Id>7</Id><Count>2</Count></Hdr>
  <Stmt
     no="S1">
    <Entry><Amt Ccy="EUR">1.50</Amt><Info>one</Info><Info>two &amp; more</Info><Info/><Own><!-- x -->a<![CDATA[<b>]]></Own></Entry>
    <Entry><Amt Ccy="">  </Amt><Unwanted><Amt>9</Amt></Unwanted>tail</Entry>
  </Stmt>
</Doc>
`
const entries = xml({
  records: {
    entry: {
      path: 'Doc/Stmt/Entry',
      columns: ['Amt', 'Amt/@Ccy', 'Info[]', 'Own', '.', '../@no', '../../Hdr/Id'],
    },
  },
  controls: { count: 'Doc/Hdr/Count' },
  countControl: 'count',
})

test('columns are read by paths: texts, attributes, lists, own text, parents', async () => {
  const file = await parsed(statement, entries)
  assert.deepEqual(rows(file), [
    [6, '1.50', 'EUR', ['one', 'two & more', ''], 'a<b>', null, 'S1', '7'],
    [7, null, null, null, null, 'tail', 'S1', '7'],
  ])
  assert.deepEqual(file.summary.controls, { count: '2' })
  assert.equal(file.summary.read, 2)
})

test('a stated count may be of some kinds only, and a kind that is no record is refused before any file comes', async () => {
  const counting = (countedKinds: readonly string[]) =>
    xml({
      records: {
        statement: { path: 'Doc/Stmt', columns: ['@no'] },
        entry: { path: 'Doc/Stmt/Entry', columns: ['Amt'] },
      },
      controls: { count: 'Doc/Hdr/Count' },
      countControl: 'count',
      countedKinds,
    })
  assert.equal((await parsed(statement, counting(['entry']))).summary.read, 3)
  await assert.rejects(parsed(statement, counting(['statement'])), {
    code: 'PARSE_COUNT_MISMATCH',
    message: /states "2" records of kind statement \(count\), but 1 were read/,
  })
  assert.throws(() => counting(['line']), { code: 'CONFIG_PARSE_INVALID' })
})

test('an XML record shows its exact source text, in any chunks', async () => {
  const lines = statement.split('\n')
  // The first kilobyte is always read at once, so the records stand behind it.
  const late = statement.replace('<Doc', `<!--${' '.repeat(1100)}--><Doc`)
  const sizes = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 4 })
  await fc.assert(
    fc.asyncProperty(sizes, async chunks => {
      const file = await parsed(late, entries, { chunks })
      assert.deepEqual(
        file.records.map(record => [record.line, record.raw()]),
        [
          [6, lines[5]!.trim()],
          [7, lines[6]!.trim()],
        ],
      )
    }),
    { numRuns: 60 },
  )
})

test('the line of a record is that of its first character, also when its start tag spans lines', async () => {
  const spec = xml({ records: { statement: { path: 'Doc/Stmt', columns: ['@no'] } } })
  assert.deepEqual(rows(await parsed(statement, spec)), [[4, 'S1']])
})

test('an element that occurs twice where one is declared rejects its record, never the last wins', async () => {
  const text = '<D><E><A>1</A><A>2</A></E>\n<E><A>3</A></E></D>'
  const file = await parsed(text, xml({ records: { e: { path: 'D/E', columns: ['A'] } } }))
  assert.deepEqual(refused(file), [[1, 'PARSE_XML_REPEATED', '<E><A>1</A><A>2</A></E>']])
  assert.equal(file.rejects[0]!.issues[0]!.column, 'A')
  assert.deepEqual(rows(file), [[2, '3']])
})

test('a value of a parent that comes after its record refuses the file', async () => {
  const spec = xml({ records: { e: { path: 'D/E', columns: ['@x', '../Late'] } } })
  await assert.rejects(parsed('<D>\n<E x="1"/>\n<Late>v</Late></D>', spec), {
    code: 'PARSE_XML_PARENT_TOO_LATE',
    message: /line 3: \.\.\/Late of a parent stands after a record that needs it \(the one on line 2\)/,
  })
  assert.deepEqual(rows(await parsed('<D><Late>v</Late><E x="1"/></D>', spec)), [[1, '1', 'v']])
})

test('a list of a parent that goes on after its record refuses the file', async () => {
  const spec = xml({ records: { e: { path: 'D/E', columns: ['../B[]'] } } })
  await assert.rejects(parsed('<D><B>1</B><E/><B>2</B></D>', spec), { code: 'PARSE_XML_PARENT_TOO_LATE' })
})

test('values of one parent are not seen by records of the next', async () => {
  const spec = xml({ records: { e: { path: 'D/P/E', columns: ['../N'] } } })
  assert.deepEqual(rows(await parsed('<D><P><N>1</N><E/></P><P><E/></P></D>', spec)), [
    [1, '1'],
    [1, null],
  ])
})

test('several kinds of records come from one file, inner ones before those around them', async () => {
  const spec = xml({
    records: {
      order: { path: 'D/O', columns: ['@id', 'Total'] },
      line: { path: 'D/O/L', columns: ['@n', '../@id'] },
    },
  })
  const file = await parsed('<D><O id="1"><L n="1"/><L n="2"/><Total>5</Total></O></D>', spec)
  assert.deepEqual(
    file.records.map(record => [record.kind, ...record.values]),
    [
      ['line', '1', '1'],
      ['line', '2', '1'],
      ['order', '1', '5'],
    ],
  )
})

test('an unprefixed step matches any namespace, a prefixed one only its own', async () => {
  const text = '<r xmlns:p="urn:a" xmlns:q="urn:b"><p:v q:k="3">1</p:v><q:v>2</q:v></r>'
  const any = xml({ records: { v: { path: 'r/v', columns: ['.', '@k'] } } })
  assert.deepEqual(rows(await parsed(text, any)), [
    [1, '1', '3'],
    [1, '2', null],
  ])
  const own = xml({
    records: { v: { path: 'r/z:v', columns: ['.', '@y:k'] } },
    namespaces: { z: 'urn:a', y: 'urn:b' },
  })
  assert.deepEqual(rows(await parsed(text, own)), [[1, '1', '3']])
})

const simple = xml({ records: { e: { path: 'D/E', columns: ['A'] } } })

test('malformed XML is refused with line and column', async () => {
  for (const [text, line] of [
    ['<D>\n<E></D>', 2],
    ['<D>\n<E/>\n', 3],
    ['<D><E/></D>\ngarbage', 2],
    ['<D>&unknown;</D>', 1],
    ['<D><E a=1/></D>', 1],
    ['no xml', 1],
  ] as const) {
    await assert.rejects(parsed(text, simple), (error: TallymanError) => {
      assert.equal(error.code, 'PARSE_XML_MALFORMED')
      assert.equal(error.details.line, line, text)
      assert.match(error.message, /line \d+, column \d+:/)
      return true
    })
  }
})

test('a DOCTYPE is refused before any entity of it could matter', async () => {
  const bomb = '<!DOCTYPE D [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><D><E>&b;</E></D>'
  await assert.rejects(parsed(bomb, simple), { code: 'PARSE_XML_DOCTYPE' })
})

test('B27: depth, texts and records are bounded', async () => {
  const deep = xml({ records: { e: { path: 'D/E', columns: ['A'] } }, maxDepth: 5 })
  await assert.rejects(parsed(`<D>${'<x>'.repeat(9)}${'</x>'.repeat(9)}</D>`, deep), {
    code: 'PARSE_XML_TOO_DEEP',
  })
  const tight = xml({ records: { e: { path: 'D/E', columns: ['A[]'] } }, maxRecordBytes: 50 })
  await assert.rejects(parsed(`<D><E><A>${'x'.repeat(400)}</A></E></D>`, tight), {
    code: 'PARSE_XML_TEXT_TOO_LONG',
  })
  await assert.rejects(parsed(`<D><!-- ${'<x> '.repeat(100)}--></D>`, tight), {
    code: 'PARSE_XML_TEXT_TOO_LONG',
  })
  const endless = Buffer.from(`<D>${'x'.repeat(3000)}`)
  await assert.rejects(parsed(endless, tight, { chunks: [1000] }), { code: 'PARSE_XML_TEXT_TOO_LONG' })
  const many = await parsed(`<D><E>${'<A>0123456789</A>'.repeat(9)}</E><E><A>1</A></E></D>`, tight)
  assert.equal(many.rejects[0]!.issues[0]!.code, 'PARSE_RECORD_TOO_LONG')
  assert.deepEqual(rows(many), [[1, ['1']]])
})

test('a record longer than a reject may keep is cut, not lost', async () => {
  const text = `<D><E><A>1</A>${'<pad>0123456789</pad>'.repeat(5000)}</E></D>`
  const file = await parsed(text, simple, { chunks: [1000] })
  assert.deepEqual(file.records[0]!.values, ['1'])
  assert.ok(file.records[0]!.raw().startsWith('<E><A>1</A><pad>'))
  assert.ok(file.records[0]!.raw().endsWith('…[cut]'))
})

test('the number of records that a file states must be the number read', async () => {
  const spec = xml({
    records: { e: { path: 'D/E', columns: ['A'] } },
    controls: { n: 'D/@n' },
    countControl: 'n',
  })
  assert.equal((await parsed('<D n="2"><E/><E/></D>', spec)).summary.read, 2)
  await assert.rejects(parsed('<D n="3"><E/><E/></D>', spec), { code: 'PARSE_COUNT_MISMATCH' })
  await assert.rejects(parsed('<D><E/></D>', spec), { code: 'PARSE_CONTROL_MISSING' })
  const twice = xml({ records: { e: { path: 'D/E', columns: ['A'] } }, controls: { n: 'D/N' } })
  await assert.rejects(parsed('<D><N>1</N><N>1</N><E/></D>', twice), { code: 'PARSE_CONTROL_REPEATED' })
})

test('an XML file without records is refused unless the job allows it, an empty one always', async () => {
  await assert.rejects(parsed('<D/>', simple), { code: 'PARSE_NO_RECORDS' })
  assert.equal((await parsed('<D/>', { ...simple, allowEmpty: true })).summary.read, 0)
  await assert.rejects(parsed('', { ...simple, allowEmpty: true }), { code: 'PARSE_EMPTY_FILE' })
})

test('columns that only the mapping names are read too', async () => {
  const spec = xml({ records: { e: { path: 'D/E' } } })
  const file = await parsed('<D><E><A>1</A></E></D>', spec, { needed: { e: ['A'] } })
  assert.deepEqual([file.columns, rows(file)], [['A'], [[1, '1']]])
})

test('an XML file states its charset, and must keep to it', async () => {
  const text = (encoding: string) =>
    `<?xml version="1.0" encoding="${encoding}"?><D><E><A>Zürich €</A></E></D>`
  const values = async (bytes: Buffer) => (await parsed(bytes, simple)).records[0]!.values
  const latin = Buffer.from(text('windows-1252').replace('€', '\x80'), 'latin1')
  assert.deepEqual(await values(latin), ['Zürich €'])
  assert.deepEqual(await values(Buffer.from(`\ufeff${text('UTF-16')}`, 'utf16le')), ['Zürich €'])
  assert.deepEqual(await values(Buffer.from(`\ufeff${text('UTF-16')}`, 'utf16le').swap16()), ['Zürich €'])
  assert.deepEqual(await values(Buffer.from(text('utf-16le'), 'utf16le')), ['Zürich €'])
  for (const bytes of [
    Buffer.from(`\ufeff${text('ISO-8859-1')}`),
    Buffer.from(text('UTF-16')),
    Buffer.from(`\ufeff${text('utf-8')}`, 'utf16le'),
    Buffer.from(text('EBCDIC')),
  ]) {
    await assert.rejects(parsed(bytes, simple), { code: 'PARSE_CHARSET_MISMATCH' })
  }
  await assert.rejects(parsed(Buffer.from(text('utf-8'), 'latin1'), simple), { code: 'PARSE_UNDECODABLE' })
  await assert.rejects(parsed(Buffer.from(text('ISO-8859-1')), simple), {
    code: /PARSE_(CHARSET_IS_UTF8|UNDECODABLE)/,
  })
  await assert.rejects(parsed(latin, { ...simple, charset: 'utf-8' }), { code: 'PARSE_CHARSET_MISMATCH' })
})

test('paths that can not be meant are all named', () => {
  assert.throws(
    () => xml({ records: { e: { path: 'D/E', columns: ['a b', '../../../x', 'p:x'] } }, countControl: 'n' }),
    (error: Error) => {
      for (const part of ['"a b"', 'leads above the root', 'prefix p', 'countControl "n"'])
        assert.ok(error.message.includes(part), error.message)
      return true
    },
  )
})
