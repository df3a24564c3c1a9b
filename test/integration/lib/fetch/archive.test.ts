/**
 * What the archive promises about the disk: bytes are synced before they get their name, names are
 * synced before anybody hears of them, and no other user of the machine can read them.
 */
import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { createFile } from '../../../../lib/fetch/disk.ts'
import { feedUnderTest } from '../../../support/fetch-feed.ts'
import { watchSyncs } from '../../../support/watch-syncs.ts'

const NAME = 'SHIP_20261120_01.csv'

test('bytes are synced under a temporary name, the folders after the final one', async t => {
  const feed = await feedUnderTest(t, { decode: ['gunzip'] })
  feed.put(NAME, gzipSync('ref;kg\nA1;1\n'))
  const syncs: { readonly inode: number; readonly named: number }[] = []
  await watchSyncs(t, inode => {
    syncs.push({ inode, named: feed.archived().filter(path => !path.endsWith('.part')).length })
  })
  const [file] = (await feed.fetch()).received
  const inode = (path: string) => statSync(path).ino
  const folder = dirname(file?.rawPath ?? '')
  assert.deepEqual(syncs, [
    { inode: inode(file?.rawPath ?? ''), named: 0 },
    { inode: inode(file?.contentPath ?? ''), named: 0 },
    { inode: inode(folder), named: 2 },
    { inode: inode(dirname(folder)), named: 2 },
    { inode: inode(feed.archive.path), named: 2 },
  ])
})

test('what is archived can be read by nobody else', async t => {
  const feed = await feedUnderTest(t)
  feed.put(NAME, 'ref;kg\nA1;1\n')
  const [file] = (await feed.fetch()).received
  const rights = (path: string) => (statSync(path).mode & 0o777).toString(8)
  assert.equal(rights(file?.rawPath ?? ''), '600')
  assert.equal(rights(dirname(file?.rawPath ?? '')), '700')
})

test('nothing that is there is ever written over', async t => {
  const folder = mkdtempSync(join(tmpdir(), 'tallyman-disk-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const path = join(folder, 'x.part')
  writeFileSync(path, 'already here')
  await assert.rejects(createFile(path), { code: 'FETCH_DISK_FAILED' })
  assert.equal(readFileSync(path, 'utf8'), 'already here')
  const other = await createFile(join(folder, 'y.part'))
  await other.discard()
  assert.equal(existsSync(other.path), false)
})
