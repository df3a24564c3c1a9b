/** That a mail speaks to who knows the business and not the machine. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { nightReport } from '../../../../lib/report/assemble.ts'
import { fittingHtml } from '../../../../lib/report/html/page.ts'
import type { NightReportInput } from '../../../../lib/report/night-report.ts'
import { documentText } from '../../../../lib/report/text/page.ts'
import { comparison, fxInput, mismatch } from '../../../support/night-sample-parts.ts'
import { nightSample } from '../../../support/night-samples.ts'

const textOf = (input: NightReportInput): string =>
  documentText(fittingHtml(nightReport(input, { redact: text => text })).document).replaceAll(/\s+/g, ' ')

test("the engine's names of sides, scopes and checks do not reach the reader of a mail", () => {
  const base = comparison([mismatch('USD', '1', '2')])
  const result = {
    ...base,
    left: { ...base.left, name: 'mapped records', scope: 'all' },
    right: { ...base.right, scope: 'keys of source' },
    gates: [
      { name: 'left present', state: 'passed' as const, message: '' },
      { name: 'right present', state: 'passed' as const, message: '' },
      { name: 'right rows', state: 'warned' as const, message: 'mapped records: few' },
    ],
  }
  const text = textOf(fxInput({ comparisons: [{ result, history: null }] }))
  assert.doesNotMatch(text, /mapped records|keys of source|(?:left|right) (?:present|rows)|value.mismatch/)
  assert.match(text, /Checked before comparing: delivered records there, treasury\.fx_rate there\./)
  assert.match(text, /delivered records and treasury\.fx_rate differ in 1 of 10,659 rows/)
  assert.match(text, /rows whose key the other side has/)
})

test('what is said of a file is said once', () => {
  const night = nightSample('duplicate')
  const [file] = night.files
  const own = { ...file!, note: 'already applied' }
  const again = { ...file!, name: 'again.xml', note: 'same content as first.xml' }
  const text = textOf({ ...night, files: [own, again] })
  assert.match(text, /both files are the same as what is already loaded/)
  assert.match(text, / already loaded, no effect again\.xml /)
  assert.match(text, /duplicate, no effect; same content as first\.xml/)
  assert.match(textOf({ ...night, files: [own, again, again] }), /all 3 files are the same/)
})

test('one of a thing is told as one', () => {
  const night = nightSample('clean')
  const counted = (read: number, rejected: number): NightReportInput => ({
    ...night,
    load: { ...night.load!, counts: { read, mapped: read - rejected, rejected, filtered: 0 } },
  })
  assert.match(textOf(counted(1, 0)), /The one record of 2026-11-20 is loaded/)
  assert.match(textOf(counted(2, 1)), /1 of 2 records of 2026-11-20 was refused; the other is loaded/)
  assert.match(textOf(counted(1, 1)), /1 of 1 record of 2026-11-20 was refused; nothing is loaded/)
})
