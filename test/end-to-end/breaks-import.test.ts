/**
 * Decisions that come back as the CSV of the mail, also as a spreadsheet leaves it: taken together or not at
 * all, and never about values that are no longer so.
 */
import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { test } from 'node:test'
import { importDecisions } from '../../lib/run/import-decisions.ts'
import { openNight } from '../support/night.ts'
import { command } from '../support/night-child.ts'
import { ratesNight, touchRates } from '../support/resolve-night.ts'

const night = await openNight()

/** Cells of the last mail's CSV; the header first. */
function sheet(): string[][] {
  const attached = night.smtp.received.at(-1)!.mail.attachments
  const text = attached.find(({ filename }) => filename === 'breaks-1.csv')!.content.toString()
  const cells = (line: string): string[] =>
    [...`${line},`.matchAll(/(?:"((?:[^"]|"")*)"|([^,]*)),/g)].map(
      ([, quoted, plain]) => quoted?.replaceAll('""', '"') ?? plain!,
    )
  return text.replace('\ufeff', '').trimEnd().split('\r\n').map(cells)
}

/** The sheet with decisions by currency. */
function decided(
  rows: readonly string[][],
  by: Readonly<Record<string, Readonly<Record<string, string>>>>,
): string[][] {
  const [head, ...lines] = rows as [string[], ...string[][]]
  const at = (name: string): number => head.indexOf(name)
  return [
    head,
    ...lines.map(line => {
      const filled = [...line]
      for (const [name, value] of Object.entries(by[line[at('key.currency')]!] ?? {}))
        filled[at(name)] = value
      return filled
    }),
  ]
}

async function written(name: string, text: string | Buffer): Promise<string> {
  const file = path.join(night.folder, name)
  await writeFile(file, text)
  return file
}

const imported = (file: string, name: string, dryRun = false) =>
  importDecisions({
    ...{ engine: night.engine, file, dryRun, by: { name, account: 'test' } },
    dateOf: (_found, typed) => typed,
  })

const asCsv = (rows: readonly string[][]): string =>
  rows.map(row => row.map(cell => `"${cell}"`).join(',')).join('\n')
const states = async (): Promise<Record<string, string | null>> => {
  const rows = await night.rows<{ currency: string; reason: string | null }>(
    `SELECT l.key ->> 'currency' AS currency, a.reason FROM tallyman.lasting_break l
       LEFT JOIN tallyman.break_ack a ON a.id = l.acknowledgement ORDER BY 1`,
  )
  return Object.fromEntries(rows.map(({ currency, reason }) => [currency, reason]))
}

const ACK = { decision: 'ack', until: '2026-12-31', reason: 'the bank corrects it' }
const date = '2026-11-03'

test('a sheet as a spreadsheet saves it is imported: semicolons, another charset and order, lines gone', async () => {
  await ratesNight(night, date)
  await touchRates(night, date, { USD: '1.2', JPY: '999', GBP: null, CHF: '2' })
  await night.rerun('fx-rates', date, { from: 'reconcile' })
  const rows = decided(sheet(), {
    USD: { ...ACK, reason: 'Müller weiß es' },
    GBP: { ...ACK, until: '31.12.2026' },
  })
  const [head, ...lines] = rows as [string[], ...string[][]]
  const left = lines.filter(line => line[head.indexOf('key.currency')] !== 'JPY').toReversed()
  const damaged = [head, ...left].map(row =>
    // The amounts in the local notation, every cell quoted, columns the other way round.
    row
      .map(cell => `"${/^\d+\.\d+$/.test(cell) ? cell.replace('.', ',') : cell}"`)
      .toReversed()
      .join(';'),
  )
  const file = await written('excel.csv', Buffer.from(`${damaged.join('\r\n')}\r\n`, 'latin1'))
  const looked = await imported(file, 'kim', true)
  assert.deepEqual([looked.decisions.length, looked.undecided, looked.done.length], [2, 1, 0])
  assert.deepEqual(Object.values(await states()), [null, null, null, null], 'a dry run takes nothing')
  const { code, stdout } = await command(night, ['breaks', 'import', file, '--by', 'kim'])
  assert.equal(code, 0)
  assert.match(stdout, /^2 decisions taken; 1 lines without one\n/)
  assert.deepEqual(await states(), { CHF: null, GBP: ACK.reason, JPY: null, USD: 'Müller weiß es' })
})

test('one line that can not be meant keeps the whole sheet from being taken, and all problems are told', async () => {
  const rows = decided(sheet(), {
    CHF: ACK,
    JPY: { ...ACK, until: '2026-11-01' },
    USD: { decision: 'confirm' },
  })
  const found = await imported(await written('wrong.csv', asCsv(rows)), 'kim').catch(
    (error: unknown) => error as Error,
  )
  assert.match((found as Error).message, /2 of its lines can't be meant/)
  assert.match((found as Error).message, /line \d+ ends on 2026-11-01, before 2026-11-03/)
  assert.match((found as Error).message, /line \d+ confirms what nobody acknowledged/)
  assert.equal((await states()).CHF, null)
})

test('a decision about values that have changed since the mail is refused, and so is one about what is resolved', async () => {
  const rows = decided(sheet(), { CHF: ACK })
  await touchRates(night, date, { CHF: '3' })
  await night.rerun('fx-rates', date, { from: 'reconcile' })
  const file = await written('late.csv', asCsv(rows))
  await assert.rejects(
    imported(file, 'kim'),
    /no longer so: the break has changed since comparison 2 of 2026-11-03/,
  )
  await touchRates(night, date, { CHF: '2' })
  await night.rerun('fx-rates', date, { from: 'reconcile' })
  assert.equal(
    (await imported(file, 'kim', true)).decisions.length,
    1,
    'the values are those of the mail again',
  )
  await touchRates(night, date, { CHF: '0.95' })
  await night.rerun('fx-rates', date, { from: 'reconcile' })
  await assert.rejects(imported(file, 'kim'), /was resolved on 2026-11-03/)
})

test('a file without the columns of the mail is told what it lacks', async () => {
  const file = await written('other.csv', 'identity,decision\n1,ack\n')
  await assert.rejects(imported(file, 'kim'), {
    code: 'CONFIG_IMPORT_UNREADABLE',
    message: /lacks until, reason, comparison/,
  })
})
