/**
 * What preview and compare guess of a file that nobody described.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { guessCharset } from '../../../../lib/parse/guess-charset.ts'
import { guessDialect } from '../../../../lib/parse/guess-dialect.ts'
import { inChunks } from '../../../support/parsed.ts'

async function charset(bytes: Buffer): Promise<string> {
  return (await guessCharset(inChunks(bytes, [5000]))).charset
}

test('a charset is guessed from the whole file, not from its start', async () => {
  const ascii = 'a;b\n'.repeat(20_000)
  assert.equal(await charset(Buffer.from(`${ascii}ü`)), 'utf-8')
  assert.equal(await charset(Buffer.from(`${ascii}\xfc`, 'latin1')), 'windows-1252')
  assert.equal(await charset(Buffer.from(ascii, 'utf16le')), 'utf-16le')
  assert.equal(await charset(Buffer.from('\ufeffü', 'utf16le').swap16()), 'utf-16be')
  assert.equal(await charset(Buffer.alloc(0)), 'utf-8')
})

const samples: readonly [
  string,
  string,
  { delimiter: string; quote: string | null; recordEnds: string[] | null; width: number },
][] = [
  [
    'commas beside decimal commas in quotes',
    'a,b\n1,"2,5"\n2,"3,5"\n',
    { delimiter: ',', quote: '"', recordEnds: null, width: 2 },
  ],
  [
    'semicolons beside decimal commas',
    'a;b\n1,5;2,5\n2,5;3,5\n',
    { delimiter: ';', quote: '"', recordEnds: null, width: 2 },
  ],
  [
    'tabs beside commas in texts',
    'id\ttext\n1\ta, b\n2\tc\n3\td, e, f\n',
    { delimiter: '\t', quote: '"', recordEnds: null, width: 2 },
  ],
  [
    'bcp columns and rows',
    '1+|<a b="c">\n</a>+|x&|\n2+|+|y&|\n',
    { delimiter: '+|', quote: null, recordEnds: ['&|\n'], width: 3 },
  ],
  [
    'a preamble longer than the data',
    'Name:;x\nFrom:;y\nTo:;z\na;b;c;d\n1;2;3;4\n',
    { delimiter: ';', quote: '"', recordEnds: null, width: 4 },
  ],
  ['one column', 'name\nx\ny\n', { delimiter: ',', quote: '"', recordEnds: null, width: 1 }],
]

for (const [what, text, expected] of samples) {
  test(`a dialect is guessed from ${what}`, () => {
    const { dialect, width } = guessDialect(text, true, {})
    assert.deepEqual(
      { delimiter: dialect.delimiter, quote: dialect.quote, recordEnds: dialect.recordEnds, width },
      expected,
    )
  })
}

test('what is given is never guessed', () => {
  const { dialect } = guessDialect('a,b;c\n1,2;3\n', true, { delimiter: ';', quote: null })
  assert.deepEqual([dialect.delimiter, dialect.quote], [';', null])
})
