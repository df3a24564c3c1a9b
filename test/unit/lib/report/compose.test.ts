/** The mail around the report: ids, threads, attachments, commands. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { nightReport } from '../../../../lib/report/assemble.ts'
import { sheetLines } from '../../../../lib/report/attach/spreadsheet.ts'
import { shellWord } from '../../../../lib/report/commands.ts'
import { composeMail, isWorthAMail } from '../../../../lib/report/compose/compose-mail.ts'
import { domainOf, messageIds } from '../../../../lib/report/compose/message-ids.ts'
import type { NightReportInput } from '../../../../lib/report/night-report.ts'
import { comparison, fxInput, hoursMapping, mismatch } from '../../../support/night-sample-parts.ts'
import { nightSample } from '../../../support/night-samples.ts'

const plain = { redact: (text: string) => text }
const options = { redaction: plain, runId: null, from: 'T <t@example.com>', to: ['a@example.com'] }
const idsOf = (change: Partial<NightReportInput>) =>
  messageIds(nightReport(fxInput(change), plain), 't@example.com')

test('a Message-ID depends on job, date, environment and comparison, and on nothing else', () => {
  const { messageId, thread } = idsOf({ comparison: 1 })
  assert.match(messageId, /^fx-rates\.2026-11-20\.[0-9a-f]{16}@example\.com$/)
  assert.equal(
    idsOf({ comparison: 1, attempt: 7, trigger: 'recovery', at: '2027-01-01T00:00:00Z' }).messageId,
    messageId,
  )
  const others: Partial<NightReportInput>[] = [
    { comparison: 2 },
    { run: { job: 'fx-rates', businessDate: '2026-11-21' } },
    { environment: { name: 'staging', production: false } },
    { state: 'failed' },
  ]
  const ids = others.map(change => idsOf({ comparison: 1, ...change }).messageId)
  assert.equal(new Set([messageId, ...ids]).size, 5)
  assert.equal(idsOf({ comparison: 2 }).thread, thread)
  assert.notEqual(thread, messageId)
})

test('the same duplicates seen at a later attempt make the same mail, so that it is kept once', () => {
  const input = nightSample('duplicate')
  const first = messageIds(nightReport(input, plain), 't@example.com')
  const again = messageIds(nightReport({ ...input, attempt: 9 }, plain), 't@example.com')
  assert.equal(again.messageId, first.messageId)
})

test('E7: silence is no outcome: clean nights and duplicates send, only a night without files does not', () => {
  const worth = (input: NightReportInput) => isWorthAMail(nightReport(input, plain))
  assert.equal(worth(nightSample('clean')), true)
  assert.equal(worth(nightSample('duplicate')), true)
  assert.equal(worth({ ...nightSample('duplicate'), files: [] }), false)
})

test('an odd sender address never gets into an id', () => {
  assert.equal(domainOf('Tallyman <tallyman@Mail.Example.com>'), 'mail.example.com')
  for (const odd of ['nobody', 'a@b c', 'a@x\r\nBcc: b@c', '<a@>'])
    assert.equal(/[\s<>]/.test(domainOf(odd)), false, odd)
})

test('spreadsheets get formulas as text and negative amounts as numbers', () => {
  const cells = [
    '=1+1',
    '+1',
    '-1',
    '@A1',
    '\tx',
    '\rx',
    'plain',
    { text: '-12.50', numeric: true },
    { text: '-1+cmd', numeric: true },
    -3,
  ]
  assert.equal(sheetLines([cells]), `'=1+1,'+1,'-1,'@A1,'\tx,"'\rx",plain,-12.50,'-1+cmd,-3\r\n`)
})

test('all 311 breaks and all 27 rejects are in the attachments, one line each', async () => {
  const lines = async (name: string, file: string) => {
    const { mail } = await composeMail(nightSample(name), options)
    const text = mail.attachments.find(attachment => attachment.name === file)!.content.toString()
    return text.trimEnd().split('\r\n').length - 1
  }
  assert.equal(await lines('many-breaks', 'breaks-1.csv'), 311)
  assert.equal(await lines('rejects', 'rejects.csv'), 27)
})

test('breaks beyond those in memory are attached from their file, and never unmasked', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'tallyman-breaks-'))
  try {
    const breaksFile = join(folder, 'breaks.csv')
    await writeFile(breaksFile, 'kind,key.currency\nvalue_mismatch,USD\n')
    const result = { ...comparison([mismatch('USD', '1', '2')]), breaksTotal: 12_000, breaksFile }
    const input = fxInput({ comparisons: [{ result, history: null }] })
    const whole = (await composeMail(input, options)).mail
    const [attached] = whole.attachments
    assert.equal(attached?.name, 'breaks-1.csv.gz')
    assert.match(gunzipSync(attached!.content).toString(), /value_mismatch,USD/)
    assert.match(whole.text, /1 of 12,000 shown, all in the attachment/)

    const personal = (await composeMail({ ...input, job: { ...input.job, map: hoursMapping } }, options)).mail
    assert.equal(personal.attachments[0]?.name, 'breaks-1.csv')
    assert.match(
      personal.text.replace(/\s+/g, ' '),
      /1 of 12,000 shown, the first 1 in the attachment, all kept with the run/,
    )
    await rm(breaksFile)
    const gone = (await composeMail(input, options)).mail
    assert.match(gone.text, /the first 1 in the attachment/)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
})

test('rejects that the report does not hold are read from where they are kept', async () => {
  const input = nightSample('rejects')
  const all = input.rejects
  async function* stored() {
    yield* all
  }
  const { mail } = await composeMail({ ...input, rejects: all.slice(0, 5) }, { ...options, rejects: stored })
  const csv = mail.attachments.find(({ name }) => name === 'rejects.csv')!.content.toString()
  assert.equal(csv.trimEnd().split('\r\n').length - 1, 27)
  const { mail: without } = await composeMail({ ...input, rejects: all.slice(0, 5) }, options)
  assert.match(without.text.replace(/\s+/g, ' '), /the first 5 in the attachment, all kept with the run/)
})

test('a word of a copied command stays one argument in a shell, whatever it holds', () => {
  for (const word of [
    'fx-rates',
    "it's",
    '$(rm -rf x)',
    '`id`',
    'a b',
    '*',
    ';reboot',
    '"',
    '',
    '\\',
    '!x',
    '~',
  ]) {
    const printed = execFileSync('sh', ['-c', `printf %s ${shellWord(word)}`], { encoding: 'utf8' })
    assert.equal(printed, word)
  }
})

test('the summary names its schema and holds no single break or reject', async () => {
  const { mail } = await composeMail(nightSample('many-breaks'), options)
  const summary = JSON.parse(mail.attachments.find(({ name }) => name === 'summary.json')!.content.toString())
  assert.equal(summary.schemaVersion, 1)
  assert.equal(summary.comparisons[0].breaksTotal, 311)
  assert.deepEqual(summary.comparisons[0].changes, {
    persisting: 49,
    changed: 0,
    reopened: 0,
    acknowledged: 1,
    new: 261,
    resolved: 2,
    pending: 0,
  })
  assert.equal('breaks' in summary.comparisons[0] || 'rejects' in summary, false)
})
