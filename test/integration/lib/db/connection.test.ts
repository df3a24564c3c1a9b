/**
 * Sessions over a real server.
 */
import assert from 'node:assert/strict'
import test from 'node:test'
import { testDatabase } from '../../../support/postgres.ts'

const { database } = await testDatabase()

test('dates, timestamps, numeric and bigint come back as the text that Postgres holds', async () => {
  const { rows } = await database.use(c =>
    c.query(`SELECT '2026-11-20'::date AS d, '2026-11-20 01:02:03.456789+01'::timestamptz AS t,
      1240.50::numeric AS n, 9007199254740993::int8 AS b, array['2026-01-01'::date] AS da, 7::int AS i`),
  )
  assert.deepEqual(rows[0], {
    d: '2026-11-20',
    t: '2026-11-20 00:02:03.456789+00',
    n: '1240.50',
    b: '9007199254740993',
    da: ['2026-01-01'],
    i: 7,
  })
})
