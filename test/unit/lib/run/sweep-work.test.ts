/** What a killed process leaves in the work folder, and what a running one has there. */
import assert from 'node:assert/strict'
import { mkdir, mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { sweepWork } from '../../../../lib/run/sweep-work.ts'

test('spools that nobody wrote to for two days are removed, younger ones stay', async t => {
  const folder = await mkdtemp(path.join(tmpdir(), 'tallyman-sweep-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  const now = Date.parse('2026-11-20T03:00:00Z')
  const make = async (name: string, hoursOld: number): Promise<void> => {
    const entry = path.join(folder, name)
    if (name.endsWith('.d')) {
      await mkdir(entry)
      await writeFile(path.join(entry, 'spill'), 'rows')
    } else await writeFile(entry, 'rows')
    const seconds = (now - hoursOld * 3_600_000) / 1000
    await utimes(entry, seconds, seconds)
  }
  await make('old.parquet', 49)
  await make('old.d', 49)
  await make('young.parquet', 47)
  assert.equal(await sweepWork(folder, now), 2)
  assert.deepEqual(await readdir(folder), ['young.parquet'])
  assert.equal(await sweepWork(path.join(folder, 'nowhere'), now), 0)
})
