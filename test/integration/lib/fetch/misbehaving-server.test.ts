/**
 * Servers that follow the protocol badly or mean harm: hostile names, lying sizes, missing requests,
 * folders that are too full.
 */
import assert from 'node:assert/strict'
import { lutimesSync, mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { marker } from '../../../../lib/fetch/sources.ts'
import { DATE, feedUnderTest, WRITTEN_MS } from '../../../support/fetch-feed.ts'

const NAME = 'SHIP_20261120_01.csv'
const ROWS = 'ref;kg\nA1;12.5\n'.repeat(5_000)

test('B31: names that lead out of the folder are never touched, and said', async t => {
  const feed = await feedUnderTest(t, { files: '*' })
  const path = feed.put(NAME, ROWS)
  writeFileSync(join(dirname(path), '..', 'secret'), 'not ours')
  feed.peer.faults.extraNames = [
    '../secret',
    '/etc/passwd',
    'a\0b',
    'x/../../y',
    '\uFFFD',
    'n'.repeat(5000),
    '..',
  ]
  const found = await feed.fetch({ date: DATE })
  assert.deepEqual(
    found.received.map(file => file.remoteName),
    [NAME],
  )
  assert.equal(found.skipped.length, 6)
  assert.ok(found.skipped.every(entry => entry.code === 'FETCH_NAME_UNUSABLE'))
  assert.equal(
    feed.peer.seen.some(what => what.includes('secret') || what.includes('passwd')),
    false,
  )
})

test('B31: names with line breaks, leading dashes and differing only by case are files like others', async t => {
  const feed = await feedUnderTest(t, { files: '*' })
  const names = ['-rf', 'a\nb.csv', 'A.csv', 'a.csv', '\u202Egnp.exe', '$(reboot)', '__proto__']
  for (const name of names) feed.put(name, `content of ${JSON.stringify(name)}`)
  const found = await feed.fetch()
  assert.deepEqual(found.received.map(file => file.remoteName).sort(), [...names].sort())
  assert.equal(feed.archived().length, names.length)
  assert.ok(feed.archived().every(path => /^shipments\/2026-11-20\/[0-9a-f]{64}\.raw$/.test(path)))
})

test('folders, links and files with impossible dates are skipped and said', async t => {
  const feed = await feedUnderTest(t, { files: 'SHIP_{yyyyMMdd}*' })
  const path = feed.put('SHIP_20261120.csv', ROWS)
  mkdirSync(join(dirname(path), 'SHIP_20261120'))
  symlinkSync('/etc/passwd', join(dirname(path), 'SHIP_20261120_link'))
  feed.put('SHIP_20269999.csv', ROWS)
  const found = await feed.fetch()
  assert.deepEqual(
    found.received.map(file => file.remoteName),
    ['SHIP_20261120.csv'],
  )
  assert.deepEqual(found.skipped.map(entry => entry.code).sort(), [
    'FETCH_NAME_WITHOUT_DATE',
    'FETCH_NOT_A_FILE',
    'FETCH_NOT_A_FILE',
  ])
})

test('a folder with 10,000 other entries is listed and only what is wanted is fetched', async t => {
  const feed = await feedUnderTest(t)
  feed.put(NAME, ROWS)
  feed.peer.faults.extraNames = Array.from({ length: 10_000 }, (_, index) => `other_${index}.csv`)
  const found = await feed.fetch()
  assert.deepEqual(
    found.received.map(file => file.remoteName),
    [NAME],
  )
})

test('a size attribute that is too large never makes a file whole', async t => {
  const feed = await feedUnderTest(t)
  feed.put(NAME, ROWS)
  feed.peer.faults.sizeOff = 10
  await assert.rejects(feed.fetch(), { code: 'FETCH_FILE_TRUNCATED' })
  assert.deepEqual(feed.archived(), [])
})

test('a size attribute that is too small holds the file', async t => {
  const feed = await feedUnderTest(t)
  feed.put(NAME, ROWS)
  feed.peer.faults.sizeOff = -10
  const found = await feed.fetch()
  assert.deepEqual(
    found.held.map(file => file.code),
    ['FETCH_FILE_GROWING'],
  )
  assert.deepEqual(feed.archived(), [])
})

test('a file that never ends is given up one byte after its listed size', async t => {
  const feed = await feedUnderTest(t)
  feed.put(NAME, ROWS)
  feed.peer.faults.endless = true
  const found = await feed.fetch()
  assert.deepEqual(
    found.held.map(file => file.code),
    ['FETCH_FILE_GROWING'],
  )
  assert.deepEqual(feed.archived(), [])
})

test('short answers to reads and a server without stat still give the whole file', async t => {
  const feed = await feedUnderTest(t)
  feed.put(NAME, ROWS)
  feed.peer.faults.readAtMost = 1_000
  feed.peer.faults.noStat = true
  const found = await feed.fetch()
  assert.equal(found.received[0]?.size, ROWS.length)
})

test('a missing folder is told as such and not tried again', async t => {
  const feed = await feedUnderTest(t, { folder: '/nowhere' })
  await assert.rejects(feed.fetch(), {
    code: 'FETCH_FOLDER_MISSING',
    retry: 'never',
    message: /"\/nowhere" does not exist on carrier/,
  })
  assert.deepEqual(feed.pauses.taken, [])
  assert.deepEqual(readdirSync(feed.archive.path), ['shipments'])
})

test('a link put in the place of a listed file is not followed, though size and mtime are the same', async t => {
  const feed = await feedUnderTest(t)
  const path = feed.put(NAME, 'x'.repeat('/etc/passwd'.length))
  feed.pauses.onSleep = () => {
    rmSync(path)
    symlinkSync('/etc/passwd', path)
    lutimesSync(path, WRITTEN_MS / 1000, WRITTEN_MS / 1000)
  }
  const found = await feed.fetch()
  assert.deepEqual(
    found.held.map(file => file.code),
    ['FETCH_FILE_CHANGED'],
  )
  assert.equal(
    feed.peer.seen.some(what => what.startsWith('OPEN ')),
    false,
  )
})

test('a server that lists no sizes is told apart from a file that changes', async t => {
  for (const completeWhen of [undefined, marker('READY')]) {
    const feed = await feedUnderTest(t, completeWhen === undefined ? {} : { completeWhen })
    feed.put(NAME, ROWS)
    feed.put('READY', '')
    feed.peer.faults.bareListing = true
    await assert.rejects(feed.fetch(), { code: 'FETCH_SIZE_UNKNOWN', retry: 'never' })
    assert.deepEqual(feed.archived(), [])
  }
})

test('a name that is listed twice is fetched once and said', async t => {
  const feed = await feedUnderTest(t)
  feed.put(NAME, ROWS)
  feed.peer.faults.extraNames = [NAME]
  const found = await feed.fetch()
  assert.deepEqual(
    found.skipped.map(entry => entry.code),
    ['FETCH_LISTED_TWICE'],
  )
  assert.equal(found.received.length + found.held.length, 1)
})

test('a file that a crash left under a name of ours is no new file, however wide the pattern', async t => {
  const feed = await feedUnderTest(t, { files: '*' })
  feed.put(`${NAME}.0123456789abcdef.tallyman`, ROWS)
  const found = await feed.fetch()
  assert.deepEqual(
    found.skipped.map(entry => entry.code),
    ['FETCH_SET_ASIDE'],
  )
  assert.deepEqual(found.received, [])
})
