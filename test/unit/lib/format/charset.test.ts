/**
 * Strict decoding: every charset, any chunks, never U+FFFD.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { canonicalCharset, openDecoder } from '../../../../lib/format/charset.ts'

function decode(
  charset: string,
  chunks: readonly Buffer[],
): { text: string; offset: number | null; verdict: string | null } {
  const decoder = openDecoder(charset)
  let text = ''
  for (const chunk of chunks) text += decoder.decode(chunk)
  decoder.end()
  return { text, offset: decoder.fault()?.offset ?? null, verdict: decoder.evidence?.verdict() ?? null }
}

function cut(bytes: Buffer, sizes: readonly number[]): Buffer[] {
  const chunks: Buffer[] = []
  for (let at = 0, turn = 0; at < bytes.length; turn++) {
    const size = sizes.length === 0 ? bytes.length : sizes[turn % sizes.length]!
    chunks.push(bytes.subarray(at, at + size))
    at += size
  }
  return chunks
}

const encoders: Record<string, (text: string) => Buffer> = {
  'utf-8': text => Buffer.from(text),
  'utf-16le': text => Buffer.from(text, 'utf16le'),
  'utf-16be': text => Buffer.from(text, 'utf16le').swap16(),
}

for (const [charset, encode] of Object.entries(encoders)) {
  test(`${charset} text comes back whole however its bytes are cut`, () => {
    const text = fc.string({ unit: 'binary', maxLength: 60 })
    const sizes = fc.array(fc.integer({ min: 1, max: 5 }), { maxLength: 4 })
    fc.assert(
      fc.property(text, sizes, (given, chunks) => {
        assert.deepEqual(decode(charset, cut(encode(given), chunks)), {
          text: given,
          offset: null,
          verdict: null,
        })
      }),
    )
  })
}

test('the offset of a bad byte is the same however the bytes are cut, and nothing after it is given', () => {
  const bytes = Buffer.concat([Buffer.from('a\ufffdü€😀'), Buffer.from([0xe2, 0x82]), Buffer.from('b')])
  for (let size = 1; size <= bytes.length; size++) {
    assert.deepEqual(decode('utf-8', cut(bytes, [size])), { text: 'a\ufffdü€😀', offset: 13, verdict: null })
  }
})

test('a character cut off by the end of the file is a fault', () => {
  assert.equal(decode('utf-8', [Buffer.from([0x61, 0xc3])]).offset, 1)
  assert.equal(decode('utf-16le', [Buffer.from([0x61, 0, 0x62])]).offset, 2)
  assert.equal(decode('utf-16be', [Buffer.from([0xd8, 0x3d])]).offset, 0)
})

test('B17: a lone surrogate in UTF-16 is a fault at its offset', () => {
  assert.deepEqual(decode('utf-16le', [Buffer.from([0x61, 0, 0x00, 0xdc, 0x62, 0])]), {
    text: 'a',
    offset: 2,
    verdict: null,
  })
})

test('windows-1252 gives the euro sign, and refuses the five bytes it does not define', () => {
  assert.equal(decode('windows-1252', [Buffer.from([0x80, 0xe4, 0x93, 0xff])]).text, '€ä“ÿ')
  for (const byte of [0x81, 0x8d, 0x8f, 0x90, 0x9d]) {
    assert.deepEqual(decode('windows-1252', [Buffer.from([0x41, byte])]), {
      text: 'A',
      offset: 1,
      verdict: 'no',
    })
  }
})

test('ISO-8859-1 is not windows-1252: its control bytes 0x80 to 0x9F are refused', () => {
  assert.equal(decode('iso-8859-1', [Buffer.from([0xe4, 0xa4, 0xff])]).text, 'ä¤ÿ')
  assert.equal(decode('iso-8859-1', [Buffer.from([0x80])]).offset, 0)
  assert.equal(decode('iso-8859-9', [Buffer.from([0xdd, 0xfe])]).text, 'İş')
  assert.equal(decode('iso-8859-15', [Buffer.from([0xa4])]).text, '€')
})

test('ASCII is seven bits', () => {
  assert.equal(decode('us-ascii', [Buffer.from('plain')]).text, 'plain')
  assert.equal(decode('us-ascii', [Buffer.from([0x61, 0xe4])]).offset, 1)
})

test('UTF-8 read as windows-1252 is recognised however its bytes are cut', () => {
  for (let size = 1; size < 8; size++) {
    assert.equal(decode('windows-1252', cut(Buffer.from('Müller und Söhne, 5 €'), [size])).verdict, 'utf-8')
  }
})

test('text that is windows-1252 in truth is not taken for UTF-8', () => {
  const latin = (text: string) => [Buffer.from(text, 'latin1')]
  assert.equal(decode('windows-1252', latin('M\xfcller')).verdict, 'no')
  assert.equal(decode('windows-1252', latin('so ein Spa\xdf\x93')).verdict, 'no')
  assert.equal(decode('windows-1252', latin('M\xfcller and M\xc3\xbcller')).verdict, 'mixed')
})

test('charsets are known by their usual names, and others refused', () => {
  assert.deepEqual(['UTF8', 'cp1252', 'latin1', 'ISO8859-15', 'utf_16le'].map(canonicalCharset), [
    'utf-8',
    'windows-1252',
    'iso-8859-1',
    'iso-8859-15',
    'utf-16le',
  ])
  for (const name of ['iso-8859-12', 'shift_jis', 'cp850', '']) {
    assert.throws(() => canonicalCharset(name), { code: 'CONFIG_CHARSET_UNKNOWN' })
  }
})
