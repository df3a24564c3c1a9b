/** The tables of fixtures/demo/README.md say what its files really hold, and every file has its row. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { test } from 'node:test'
import { TallymanError } from '../../lib/model/errors.ts'
import { namePattern } from '../../lib/model/time/date-tokens.ts'
import { feedsOfJobs, mapFiles } from '../support/golden-case.ts'

const DEMO = join(import.meta.dirname, '..', '..', 'fixtures', 'demo')

interface Told {
  readonly path: string
  readonly counts: readonly number[]
  readonly shows: string
}

function table(): readonly Told[] {
  let date = ''
  const rows: Told[] = []
  for (const line of readFileSync(join(DEMO, 'README.md'), 'utf8').split('\n')) {
    date = /^## (\d{4}-\d{2}-\d{2})/.exec(line)?.[1] ?? date
    const cells = line.split('|').map(cell => cell.trim())
    if (/^\d-/.test(cells[1] ?? ''))
      rows.push({ path: `${date}/${cells[1]}`, counts: cells.slice(2, 6).map(Number), shows: cells[6]! })
  }
  return rows
}

test('every delivery of the demo has its row in the README, and no row is without its file', () => {
  const files = readdirSync(DEMO, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile() && entry.name !== 'README.md')
    .map(entry =>
      join(entry.parentPath, entry.name)
        .slice(DEMO.length + 1)
        .replaceAll('\\', '/'),
    )
  assert.deepEqual(
    table()
      .map(({ path }) => path)
      .sort(),
    files.sort(),
  )
})

test('the deliveries of the demo hold what the README says', async () => {
  const feeds = [...(await feedsOfJobs()).values()]
  for (const { path, counts, shows } of table()) {
    const [date, , endpoint] = path.split('/')
    const rules = feeds.find(
      ({ fetch }) =>
        fetch.kind === 'sftp' &&
        fetch.endpoint === endpoint &&
        namePattern(fetch.files).dateOf(basename(path)) === date,
    )
    assert.ok(rules !== undefined, `no job takes ${path}`)
    try {
      const result = (await mapFiles(rules, [join(DEMO, path)], () => {})).tally.result()
      const { read, mapped, rejected, filtered } = result.counts
      assert.deepEqual([read, mapped, rejected, filtered], counts, path)
      const value = /value ([\d.]+)/.exec(shows) ?? /([\d.]+) hours/.exec(shows)
      if (value !== null) assert.equal(result.totals[0]?.amount, value[1], path)
    } catch (error) {
      if (!(error instanceof TallymanError)) throw error
      assert.ok(shows.includes(error.code), `${path}: ${error.message}`)
    }
  }
})
