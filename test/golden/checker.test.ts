/**
 * The independent checker works out alone what a partner's file comes to, and comes to what stands
 * beside the golden cases. That it finds what is wrong in a night: end-to-end/checker.test.ts.
 */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { textOf } from '../support/checker/arrivals.ts'
import { PARTNER_JOBS } from '../support/checker/partner-jobs.ts'

/** A row of the golden cases. */
type GoldenRow = Readonly<Record<string, string | number | boolean | null>>

/** The name that a field of the golden cases has in the target. */
const column = (field: string): string => field.replace(/[A-Z]/g, letter => `_${letter.toLowerCase()}`)

test('the checker works out of every golden file the rows and rejects that stand beside it', () => {
  let seen = 0
  for (const job of PARTNER_JOBS) {
    const partner = job.endpoint
    const cases = path.join(import.meta.dirname, '..', '..', 'fixtures', partner, job.feed)
    for (const name of readdirSync(cases)) {
      const files = readdirSync(path.join(cases, name))
      const read = (file: string): Buffer => readFileSync(path.join(cases, name, file))
      const given = files.filter(file => job.files.test(file))
      const date = job.files.exec(given[0]!)![1]!.replace(/(....)(..)(..)/, '$1-$2-$3')
      const expected = given.map(file => job.expected(read(file), date, []))
      const what = `${job.name}/${name}`
      seen += 1
      if (files.includes('expected-error.json')) {
        assert.ok(
          expected.some(one => one.unusable !== null),
          what,
        )
        continue
      }
      const told = JSON.parse(read('expected-rows.json').toString()) as Record<string, GoldenRow[]>
      for (const [index, rows] of Object.values(told).entries()) {
        const target = job.targets[index]!
        const wanted = rows.map(row =>
          Object.fromEntries(
            Object.entries(row).map(([field, value]) => [
              job.api ? field : column(field),
              value === null ? null : String(value).replace(/(T\d\d:\d\d:\d\d)Z$/, '$1'),
            ]),
          ),
        )
        assert.deepEqual(
          expected
            .flatMap(one => one.rows[target.name] ?? [])
            .map(row => textOf(target, row))
            .sort(),
          wanted.map(row => textOf(target, row)).sort(),
          what,
        )
      }
      const rejects = JSON.parse(read('expected-rejects.json').toString()) as { line: number }[]
      assert.deepEqual(
        expected.flatMap(one => one.rejected),
        rejects.map(({ line }) => line),
        what,
      )
    }
  }
  assert.ok(seen > 20)
})

test('the checker imports nothing of the engine', () => {
  const folder = path.join(import.meta.dirname, '..', 'support', 'checker')
  for (const name of readdirSync(folder)) {
    const imports = [
      ...readFileSync(path.join(folder, name), 'utf8').matchAll(/(?:from|import\()\s*'([^']+)'/g),
    ]
    assert.ok(
      imports.every(([, what]) => /^(?:node:|pg$|\.\/[^/]+$)/.test(what!)),
      name,
    )
  }
})
