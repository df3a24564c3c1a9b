/**
 * Records that the target refuses, through all six steps: they are rejects, not breaks, and the rest
 * of the night is as it would be without them. How they are found: test/integration/lib/load/violations.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openNight } from '../support/night.ts'
import { orders, someLines, statements } from '../support/night-deliveries.ts'

const night = await openNight()

async function rejectsOf(date: string): Promise<unknown[][]> {
  const rows = await night.rows<{ line: number; code: string }>(
    `SELECT j.line::int AS line, j.issues -> 0 ->> 'code' AS code FROM tallyman.reject j
     JOIN tallyman.revision v ON v.id = j.revision JOIN tallyman.run r ON r.id = v.run
     WHERE r.business_date = $1 ORDER BY j.line, j.id`,
    [date],
  )
  return rows.map(({ line, code }) => [line, code])
}

test('a record that the target refuses is a reject of a clean night, not a break', async () => {
  await night.deliver('portal', 'orders_20261102.csv', orders('2026-11-02', someLines(3)))
  await night.run('portal-orders', '2026-11-02')
  await night.rows(`ALTER TABLE sales.order_line ADD CONSTRAINT no_traps CHECK (stock_code <> 'TRAP')`)
  const lines = [...someLines(3), ['TRAP', 1] as const, ...someLines(2, 'B')]
  await night.deliver('portal', 'orders_20261103.csv', orders('2026-11-03', lines))
  const summary = await night.run('portal-orders', '2026-11-03')
  assert.deepEqual(summary.counts, { read: 6, mapped: 5, rejected: 1, filtered: 0 })
  assert.equal(summary.reconcile?.outcome, 'CLEAN')
  assert.deepEqual(await rejectsOf('2026-11-03'), [[5, 'LOAD_CONSTRAINT_VIOLATED']])
  const [reject] = await night.rows<{ raw: string; message: string }>(
    `SELECT raw, issues -> 0 ->> 'message' AS message FROM tallyman.reject ORDER BY id DESC LIMIT 1`,
  )
  assert.match(reject!.raw, /^58\d+,TRAP,/)
  assert.match(reject!.message, /refused by sales\.order_line: it violates no_traps/)
  const { mail } = night.smtp.received.at(-1)!
  assert.match(String(mail.text), /no_traps/)
})

test('a statement with an entry that the target refuses falls whole, and the others tie on both sides', async () => {
  const statement = (id: string, ...entries: number[]) => ({
    ...{ id, opening: 10, entries },
    closing: entries.reduce((sum, amount) => sum + amount, 10),
  })
  const deliver = (date: string, ...all: ReturnType<typeof statement>[]) =>
    night.deliver('bank', `camt053_${date.replaceAll('-', '')}_a.xml`, statements(date, all))
  await deliver('2026-11-02', statement('FIRST', 1))
  await night.run('bank-statements', '2026-11-02')
  await night.rows('ALTER TABLE finance.bank_entry ADD CONSTRAINT no_fees CHECK (abs(amount) <> 666)')
  await deliver('2026-11-03', statement('GOOD', 5, 7), statement('FEE', 5, 666, 7), statement('ALSO', 3))
  const summary = await night.run('bank-statements', '2026-11-03')
  assert.equal(summary.reconcile?.outcome, 'CLEAN')
  const left = await night.rows<{ id: string }>(
    `SELECT DISTINCT statement_id AS id FROM finance.bank_entry UNION SELECT statement_id FROM finance.bank_balance ORDER BY 1`,
  )
  assert.deepEqual(left.map(({ id }) => id.replace(/.*(FIRST|GOOD|FEE|ALSO).*/, '$1')).sort(), [
    'ALSO',
    'FIRST',
    'GOOD',
  ])
  const codes = (await rejectsOf('2026-11-03')).map(([, code]) => code)
  assert.equal(codes.filter(code => code === 'LOAD_CONSTRAINT_VIOLATED').length, 2)
  assert.ok(codes.filter(code => code === 'LOAD_UNIT_INCOMPLETE').length >= 2)
})
