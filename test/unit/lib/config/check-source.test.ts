/**
 * Mistakes in a feed's patterns and dates are all found at once, by `check` and not by loading the job.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkFetch } from '../../../../lib/config/check-source.ts'
import { type SftpSourceOptions, sftp } from '../../../../lib/fetch/sources.ts'
import type { EnvironmentFile } from '../../../../lib/model/environment.ts'

const environment = { name: 'test', sftp: { carrier: 'embedded' } } as unknown as EnvironmentFile

/** What is complained of a feed, as `part: problem`. */
function complaints(options: Partial<SftpSourceOptions>): string[] {
  const found: string[] = []
  const spec = sftp({ endpoint: 'carrier', feed: 'shipments', files: 'SHIP_{yyyyMMdd}.csv', ...options })
  checkFetch(spec, environment, (part, problem) => void found.push(`${part}: ${problem}`))
  return found
}

test('a feed with a usable pattern has nothing to complain of', () => {
  assert.deepEqual(complaints({}), [])
  assert.deepEqual(complaints({ files: '*.csv', dateFrom: { content: '^D;(.*)', format: 'dd.MM.yyyy' } }), [])
})

test('a pattern that can not be used is listed beside the other mistakes of its feed', () => {
  assert.deepEqual(complaints({ files: 'SHIP_{yyyyMMdd.csv', feed: 'No Name', dateFrom: 'name' }), [
    'fetch.feed: "No Name" is no name',
    'fetch.files: "SHIP_{yyyyMMdd.csv" can\'t be used: a brace is not closed',
  ])
  assert.match(complaints({ files: 'SHIP_{yyyyQQ}.csv' })[0] ?? '', /a token that is none of yyyy/)
})

test('names that tell no whole date can not be where the date comes from', () => {
  for (const files of ['*.csv', 'SHIP_{yyyyMM}.csv', 'SHIP_{ddMM}.csv']) {
    assert.deepEqual(
      complaints({ files, dateFrom: 'name' }),
      ["fetch.dateFrom: is 'name', but `files` tells no whole date"],
      files,
    )
  }
})

test('a date in the content needs one group, a valid expression and a whole date', () => {
  const of = (content: string, format: string) => complaints({ files: '*', dateFrom: { content, format } })
  assert.deepEqual(of('(a)(b)', 'yyyy-MM-dd'), ['fetch.dateFrom.content: has 2 groups'])
  assert.deepEqual(of('(a', 'yyyy-MM-dd'), ['fetch.dateFrom.content: is no regular expression'])
  assert.deepEqual(of('(a)', 'MM.yyyy'), ['fetch.dateFrom.format: "MM.yyyy" is no whole date'])
  assert.match(of('(a)', 'DD.MM.YYYY')[0] ?? '', /^fetch.dateFrom.format: .* can't be used/)
})
