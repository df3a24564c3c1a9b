/**
 * Snapshots: what a digest sees, what storing twice does, and what is excluded after it was pushed.
 */
import assert from 'node:assert/strict'
import { existsSync, readdirSync, rmSync, statSync } from 'node:fs'
import path from 'node:path'
import { afterEach, test } from 'node:test'
import { armFailpoint, disarmFailpoint } from '../../../../lib/model/failpoint.ts'
import type { Value } from '../../../../lib/model/table.ts'
import { compareSides } from '../../../../reconcile/compare/compare-sides.ts'
import { snapshotColumns } from '../../../../reconcile/snapshot/columns.ts'
import { readSnapshot } from '../../../../reconcile/snapshot/manifest.ts'
import { openSnapshotWriter } from '../../../../reconcile/snapshot/writer.ts'
import { planFor, quietContext, reconcileFolder, snapshotOf } from '../../../support/compared.ts'
import { watchSyncs } from '../../../support/watch-syncs.ts'

const folder = reconcileFolder()
const kinds = { id: 'text', amount: 'decimal' } as const

afterEach(disarmFailpoint)

const digestOf = async (rows: readonly Value[][]): Promise<string> =>
  (await snapshotOf(folder, 'source', { kinds }, rows)).manifest.digest

test('a digest sees doubled rows, moved separators and nulls, but not the order', async () => {
  const a: Value[] = ['a', '1']
  const b: Value[] = ['b', '2']
  assert.equal(await digestOf([a, b]), await digestOf([b, a]))
  const distinct = [
    [],
    [a],
    [a, a],
    [a, b],
    [a, a, b, b],
    [['a', null]],
    [['a', '']],
    [[null, 'a']],
    [['a1', '']],
    [['1:a', '1']],
  ] as const
  const digests = []
  for (const rows of distinct) digests.push(await digestOf(rows as readonly Value[][]))
  assert.equal(new Set(digests).size, distinct.length)
})

test('storing the same rows again changes nothing on disk', async () => {
  const place = reconcileFolder()
  const first = await snapshotOf(place, 'source', { kinds }, [['a', '1']])
  const before = statSync(first.path)
  const second = await snapshotOf(place, 'source', { kinds }, [['a', '1']])
  assert.deepEqual([second.path, second.manifestPath], [first.path, first.manifestPath])
  assert.deepEqual([statSync(first.path).mtimeMs, statSync(first.path).ino], [before.mtimeMs, before.ino])
  assert.equal(readdirSync(path.join(place, 'snapshots')).length, 2)
  assert.equal(readdirSync(path.join(place, 'work')).length, 0)
})

test('the same rows from other lines are another file with the same digest', async () => {
  const first = await snapshotOf(folder, 'source', { kinds }, [
    ['x', '1'],
    ['y', '2'],
  ])
  const second = await snapshotOf(folder, 'source', { kinds }, [
    ['y', '2'],
    ['x', '1'],
  ])
  assert.equal(second.manifest.digest, first.manifest.digest)
  assert.notEqual(second.path, first.path)
})

test('a manifest tells what is needed to compare again', async () => {
  const totals = { amount: { sum: ['amount'] } } as const
  const taken = await snapshotOf(folder, 'source', { kinds, totals }, [
    ['a', '1.5'],
    ['b', null],
    ['c', '-0.25'],
  ])
  const read = await readSnapshot(taken.manifestPath)
  assert.deepEqual(read, taken)
  assert.deepEqual(read.manifest.totals, [{ total: 'amount', group: '', amount: '1.25' }])
  assert.deepEqual([read.manifest.rows, read.manifest.files, read.manifest.scope], [3, ['source.csv'], 'all'])
})

test('units and records that were refused later are not in the snapshot', async () => {
  const place = { folder: path.join(folder, 'snapshots'), workFolder: path.join(folder, 'work') }
  const facts = {
    job: 'test',
    side: 'source',
    name: 'x',
    businessDate: null,
    mappingVersion: 1,
    files: ['a.csv', 'b.csv'],
  } as const
  const columns = snapshotColumns([{ name: 'id', kind: 'text' }])
  const writer = await openSnapshotWriter(place, facts, columns)
  const push = (file: number, units: (string | null)[]): Promise<void> =>
    writer.push(file, {
      rows: units.map((unit, i) => [`${file}/${i}/${unit}`]),
      lines: units.map(() => 7),
      ordinals: units.map((_, i) => i),
      units,
    })
  await push(0, ['u', 'v', null])
  await push(1, ['u', 'v'])
  await writer.pushUnreadable(1, [{ line: 9, issue: 'Ragged. [PARSE_RAGGED]', raw: 'x;"\ny' }])
  const taken = await writer.finish({
    asOf: '2026-11-21T00:00:00Z',
    excludeUnits: [{ file: 0, unit: 'u' }],
    excludeRecords: [{ file: 1, ordinal: 1 }],
  })
  assert.equal(taken.manifest.rows, 4)
  const plan = planFor({ kinds: { id: 'text' }, key: ['id'] })
  const other = await snapshotOf(folder, 'target', { kinds: { id: 'text' } }, [
    ['0/1/v'],
    ['0/2/null'],
    ['1/0/u'],
  ])
  const result = await compareSides(
    taken,
    other,
    plan,
    { run: null, workFolder: place.workFolder, breaksFile: null },
    quietContext,
  )
  assert.deepEqual([result.rows.left.identical, result.rows.left.unreadable], [3, 1])
  assert.deepEqual(result.breaks[0]!.origin, { file: 'b.csv', line: 9 })
  assert.equal(result.breaks[0]!.columns[0]!.left, 'x;"\ny')
})

test('names that Parquet readers would confuse stay apart', () => {
  const names = ['Id', 'ID', '_file', '', 'a"b', 'id_2'].map(name => ({ name, kind: 'text' as const }))
  assert.deepEqual(
    snapshotColumns(names).map(({ stored }) => stored),
    ['Id', 'ID_2', '_file_2', 'column_4', 'a"b', 'id_2_2'],
  )
})

test('a crash between rows and manifest leaves nothing that a second attempt trips over', async () => {
  const place = reconcileFolder()
  armFailpoint('reconcile.snapshot-rows-stored:1:throw')
  await assert.rejects(snapshotOf(place, 'source', { kinds }, [['a', '1']]), /failpoint/)
  assert.deepEqual(readdirSync(path.join(place, 'work')), [])
  const taken = await snapshotOf(place, 'source', { kinds }, [['a', '1']])
  assert.deepEqual(await readSnapshot(taken.manifestPath), taken)
})

test('rows and manifest of a snapshot are synced before they get their names, and the names after', async t => {
  const place = reconcileFolder()
  const stored = path.join(place, 'snapshots')
  const syncs: { readonly inode: number; readonly named: number }[] = []
  await watchSyncs(t, inode => {
    syncs.push({ inode, named: existsSync(stored) ? readdirSync(stored).length : 0 })
  })
  const taken = await snapshotOf(place, 'source', { kinds }, [['a', '1']])
  const inode = (file: string) => statSync(file).ino
  assert.deepEqual(syncs, [
    { inode: inode(taken.path), named: 0 },
    { inode: inode(stored), named: 1 },
    { inode: inode(taken.manifestPath), named: 1 },
    { inode: inode(stored), named: 2 },
  ])
})

test('a snapshot whose rows are gone is refused with what to do', async () => {
  const taken = await snapshotOf(folder, 'source', { kinds }, [['gone', '1']])
  const other = await snapshotOf(folder, 'target', { kinds }, [['gone', '1']])
  rmSync(taken.path)
  const plan = planFor({ kinds, key: ['id'] })
  const options = { run: null, workFolder: path.join(folder, 'work'), breaksFile: null }
  await assert.rejects(compareSides(taken, other, plan, options, quietContext), {
    code: 'RECONCILE_SNAPSHOT_MISSING',
    message: /Rerun the date/,
  })
  rmSync(taken.manifestPath)
  await assert.rejects(readSnapshot(taken.manifestPath), { code: 'RECONCILE_SNAPSHOT_MISSING' })
})
