/**
 * B28: what is packed is unpacked by the job's declaration, within limits, and proved; everything
 * else is quarantined with its raw bytes kept.
 */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { readFileSync, rmSync, truncateSync } from 'node:fs'
import { type TestContext, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import type { Decoding } from '../../../../lib/model/job.ts'
import { feedUnderTest } from '../../../support/fetch-feed.ts'
import { zip } from '../../../support/zip-maker.ts'

const ROWS = 'ref;kg\nA1;12.5\n'.repeat(5_000)
const sha256 = (data: string | Uint8Array) => createHash('sha256').update(data).digest('hex')

/** Fetches one delivery with these bytes. */
async function fetched(
  t: TestContext,
  decode: readonly Decoding[],
  bytes: Uint8Array,
  limits: { maxBytes?: number; maxRatio?: number } = {},
) {
  const feed = await feedUnderTest(t, { files: '*', decode, limits })
  feed.put('delivery', bytes)
  const found = await feed.fetch()
  return { ...found, archived: feed.archived(), feed }
}

/** Fetches one delivery that must be quarantined: its code, and that only its raw bytes are kept. */
async function refused(
  t: TestContext,
  decode: readonly Decoding[],
  bytes: Uint8Array,
  limits?: { maxBytes?: number; maxRatio?: number },
): Promise<string | undefined> {
  const { quarantined, received, archived } = await fetched(t, decode, bytes, limits)
  assert.deepEqual(received, [])
  assert.deepEqual(archived, [`shipments/2026-11-20/${sha256(bytes)}.raw`])
  return quarantined[0]?.quarantine?.code
}

test('a gzip, a zip, a stored zip and a gzipped zip give the same content and content hash', async t => {
  const named = { name: 'SHIP.csv', content: ROWS }
  const packed: [Decoding[], Buffer][] = [
    [['gunzip'], gzipSync(ROWS)],
    [['gunzip'], Buffer.concat([gzipSync(ROWS.slice(0, 100)), gzipSync(ROWS.slice(100))])],
    [['unzip'], zip(named)],
    [['unzip'], zip({ ...named, stored: true })],
    [['unzip'], zip({ ...named, zip64: true }, { name: 'folder/', content: '', stored: true })],
    [['gunzip', 'unzip'], gzipSync(zip(named))],
  ]
  for (const [decode, bytes] of packed) {
    const { received, archived } = await fetched(t, decode, bytes)
    assert.equal(received[0]?.contentSha256, sha256(ROWS))
    assert.equal(received[0]?.rawSha256, sha256(bytes))
    assert.equal(readFileSync(received[0]?.contentPath ?? '', 'utf8'), ROWS)
    assert.equal(archived.length, 2)
  }
})

test('a known packed file is fetched again when its decoded content or its bytes were lost', async t => {
  const first = await fetched(t, ['gunzip'], gzipSync(ROWS))
  const again = await first.feed.fetch({ known: first.received })
  assert.equal(again.received[0]?.known, true)
  for (const damage of [rmSync, (path: string) => truncateSync(path, 10)]) {
    for (const part of ['contentPath', 'rawPath'] as const) {
      damage(first.received[0]?.[part] ?? '')
      const mended = await first.feed.fetch({ known: first.received })
      assert.equal(mended.received[0]?.known, false)
      assert.equal(readFileSync(mended.received[0]?.contentPath ?? '', 'utf8'), ROWS)
      assert.equal(sha256(readFileSync(mended.received[0]?.rawPath ?? '')), mended.received[0]?.rawSha256)
    }
  }
})

test('B28: a bomb is stopped by ratio and by size, and nothing unpacked is kept', async t => {
  const bomb = gzipSync(Buffer.alloc(24_000_000))
  assert.equal(await refused(t, ['gunzip'], bomb), 'FETCH_DECODE_TOO_BIG')
  assert.equal(
    await refused(t, ['gunzip'], bomb, { maxRatio: 2000, maxBytes: 20_000_000 }),
    'FETCH_DECODE_TOO_BIG',
  )
  const zipped = zip({ name: 'zeros.csv', content: Buffer.alloc(24_000_000) })
  assert.equal(await refused(t, ['unzip'], zipped), 'FETCH_DECODE_TOO_BIG')
})

test('B28: an archive in an archive is refused by content and by name', async t => {
  assert.equal(await refused(t, ['gunzip'], gzipSync(gzipSync(ROWS))), 'FETCH_NESTED_ARCHIVE')
  assert.equal(
    await refused(t, ['unzip'], zip({ name: 'a.csv', content: gzipSync(ROWS) })),
    'FETCH_NESTED_ARCHIVE',
  )
  assert.equal(await refused(t, ['unzip'], zip({ name: 'a.ZIP', content: 'text' })), 'FETCH_NESTED_ARCHIVE')
})

test('an archive that the job does not expect is refused with what to declare', async t => {
  const { quarantined } = await fetched(t, [], gzipSync(ROWS))
  assert.equal(quarantined[0]?.quarantine?.code, 'FETCH_NESTED_ARCHIVE')
  assert.match(quarantined[0]?.quarantine?.message ?? '', /decode: \['gunzip'\]/)
})

test('B28: a link in a zip is no file', async t => {
  const link = zip({ name: 'a.csv', content: '/etc/passwd', stored: true, link: true })
  assert.equal(await refused(t, ['unzip'], link), 'FETCH_NESTED_ARCHIVE')
})

test('B28: a zip with a huge directory is refused before it is read', async t => {
  const huge = zip({ name: 'a.csv', content: ROWS })
  const directoryBytes = 17 * 1024 * 1024
  const end = huge.subarray(-22)
  const padded = Buffer.concat([huge.subarray(0, -22), Buffer.alloc(directoryBytes), end])
  padded.writeUInt32LE(directoryBytes, padded.length - 10)
  const { quarantined } = await fetched(t, ['unzip'], padded)
  assert.equal(quarantined[0]?.quarantine?.code, 'FETCH_DECODE_FAILED')
  assert.match(quarantined[0]?.quarantine?.message ?? '', /its directory is too large/)
})

test('B28: names in a zip that lead outside are refused, several files and none too', async t => {
  for (const name of ['../../etc/cron.d/x', '/abs.csv', 'C:\\x.csv', '..\\x.csv']) {
    assert.equal(await refused(t, ['unzip'], zip({ name, content: ROWS })), 'FETCH_ZIP_NAME', name)
  }
  const two = zip({ name: 'a.csv', content: 'a' }, { name: 'b.csv', content: 'b' })
  assert.equal(await refused(t, ['unzip'], two), 'FETCH_ZIP_ENTRIES')
  assert.equal(await refused(t, ['unzip'], zip()), 'FETCH_ZIP_ENTRIES')
})

test('B28: an encrypted zip is refused with its own code', async t => {
  const bytes = zip({ name: 'a.csv', content: ROWS, encrypted: true })
  assert.equal(await refused(t, ['unzip'], bytes), 'FETCH_ZIP_ENCRYPTED')
})

test('a damaged archive is never taken for data, wherever it is damaged', async t => {
  const good = zip({ name: 'a.csv', content: ROWS })
  const flipped = Buffer.from(good)
  flipped[60] = flipped[60]! ^ 0xff
  const damaged: [Decoding, Buffer][] = [
    ['gunzip', gzipSync(ROWS).subarray(0, -4)],
    ['gunzip', Buffer.concat([gzipSync(ROWS), Buffer.from('text after the end')])],
    ['gunzip', Buffer.from(ROWS)],
    ['unzip', good.subarray(0, -30)],
    ['unzip', good.subarray(50)],
    ['unzip', flipped],
    ['unzip', Buffer.from(ROWS)],
    ['unzip', zip({ name: 'a.csv', content: ROWS, method: 14, stored: true })],
    ['unzip', zip({ name: 'a.csv', content: ROWS, stored: true, packedSize: ROWS.length + 200 })],
    ['unzip', zip({ name: 'a.csv', content: ROWS, crc: 1 })],
    ['unzip', zip({ name: 'a.csv', content: ROWS, size: 10 })],
    ['unzip', zip({ name: 'a.csv', content: ROWS, size: ROWS.length + 1 })],
  ]
  for (const [index, [decoding, bytes]] of damaged.entries()) {
    assert.equal(await refused(t, [decoding], bytes), 'FETCH_DECODE_FAILED', String(index))
  }
})

test('a zip that lies about its sizes is stopped before the lie has an effect', async t => {
  const small = zip({ name: 'a.csv', content: ROWS, size: 10 })
  // The limit on unpacked bytes is not even reached.
  assert.equal(await refused(t, ['unzip'], small, { maxBytes: 1_000 }), 'FETCH_DECODE_FAILED')
  const long = zip({ name: 'a.csv', content: ROWS, stored: true, packedSize: ROWS.length + 200 })
  const { quarantined } = await fetched(t, ['unzip'], long)
  assert.match(quarantined[0]?.quarantine?.message ?? '', /an entry lies beyond its end/)
})

test('an archive with an empty file in it is quarantined as empty', async t => {
  const { quarantined } = await fetched(t, ['unzip'], zip({ name: 'a.csv', content: '' }))
  assert.equal(quarantined[0]?.quarantine?.code, 'FETCH_FILE_EMPTY')
})
