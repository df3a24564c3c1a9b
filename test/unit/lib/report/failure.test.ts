/** What a failure mail says: whether anybody has to act, what to do and what happens by itself, without contradicting itself. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { awaitsFile, curesItself } from '../../../../lib/model/cures-itself.ts'
import { LoadError, type Retry, TallymanError } from '../../../../lib/model/errors.ts'
import { STEPS } from '../../../../lib/model/steps.ts'
import { nightReport } from '../../../../lib/report/assemble.ts'
import { fittingHtml } from '../../../../lib/report/html/page.ts'
import type { NightReportInput } from '../../../../lib/report/night-report.ts'
import { documentText } from '../../../../lib/report/text/page.ts'
import { fxInput } from '../../../support/night-sample-parts.ts'
import { nightSample } from '../../../support/night-samples.ts'

const plain = { redact: (text: string) => text }
const report = (input: NightReportInput) => nightReport(input, plain)
const textOf = (input: NightReportInput) => documentText(fittingHtml(report(input)).document)
const folded = (text: string) => text.replace(/\s+/g, ' ')

function failing(error: TallymanError, change: Partial<NightReportInput> = {}): NightReportInput {
  return fxInput({
    state: 'failed',
    load: null,
    published: false,
    failure: { error, nextAttemptAt: null },
    ...change,
  })
}

test('what a failure mail asks for and what it says of the next try agree, for every step and kind of retry', () => {
  const retries: Retry[] = ['never', 'backoff', 'verify-first', { afterMs: 5_000 }]
  const codes = ['FETCH_FILE_MISSING', 'FETCH_FILE_QUARANTINED', 'FETCH_HOST_KEY_CHANGED', 'MAP_REJECT_LIMIT']
  for (const step of [...STEPS, 'config', 'run', 'bug'] as const) {
    for (const retry of retries) {
      for (const code of [...codes, `${step.toUpperCase()}_ANYTHING`]) {
        const error = new TallymanError(step, code, 'It went wrong.', { retry })
        const { failure, action } = report(failing(error))
        const byItself = curesItself({ code, step, retry })
        assert.equal(/somebody has to act/.test(failure!.next), !byItself, `${step} ${code}`)
        if (!byItself) assert.doesNotMatch(action, /by itself|Nothing at first/, `${step} ${code}`)
        if (awaitsFile({ code, step })) assert.match(failure!.next, /every 15 minutes/)
      }
    }
  }
})

test('a failure after the load says that the load stands and is compared again by itself', () => {
  const error = new TallymanError('reconcile', 'RECONCILE_ENGINE_FAILED', 'It went wrong.')
  const { failure, action } = report(failing(error, { published: true }))
  assert.match(failure!.next, /The load stands\. The scheduler compares and reports again every 15 minutes/)
  assert.match(action, /tried again by itself/)
})

test('the first command of a failure mail is the one that its text speaks of', () => {
  const first = (name: string) => report(nightSample(name)).commands[0]!.line
  assert.match(first('file-missing'), / run fx-rates --date 2026-11-20$/)
  assert.match(first('failed'), / run payroll-hours --date 2026-11-20$/)
  assert.match(first('target-differs'), / rerun fx-rates --date 2026-11-20$/)
})

test('a file that can not be read is named with its place in the archive, ready to be previewed', () => {
  const lines = report(nightSample('failed')).commands.map(({ line }) => line)
  assert.ok(
    lines.some(line => / preview \/var\/lib\/tallyman\/archive\/\S+ --job payroll-hours$/.test(line)),
    lines.join('\n'),
  )
})

test('a failure of parse is the step that failed, though the load pulled its records', () => {
  assert.match(
    folded(textOf(nightSample('failed'))),
    /fetch 2\.0 s, parse failed after 22 ms, map not reached, load not reached, reconcile not reached/,
  )
})

test('statements in an error can be copied out of both parts of a mail', () => {
  const input = nightSample('target-differs')
  const ddl = (input.failure!.error.details.ddl as readonly string[]).join('\n')
  const text = textOf(input)
  assert.ok(text.replaceAll(/^ {4}/gm, '').includes(ddl), text)
  const { html } = fittingHtml(report(input))
  const shown = html.replaceAll('&quot;', '"').replaceAll('&#39;', "'")
  assert.ok(shown.includes(`>${ddl}</pre>`), 'the statements are not in one block')
  assert.doesNotMatch(text, /\\n/)
})

test('a line break from outside in an error stays escaped', () => {
  const input = failing(
    new LoadError('LOAD_API_REFUSED', 'The API said: no\nCLEAN - all is well', { details: { said: ['no'] } }),
  )
  assert.match(folded(textOf(input)), /no\\nCLEAN - all is well/)
})

test('statements that do not fit into a mail are cut at a whole line, and the mail says so', () => {
  const ddl = Array.from({ length: 900 }, (_, index) => `ALTER TABLE "t" ADD COLUMN "c${index}" text;`)
  const message = `It does not fit. These statements would mend it:\n${ddl.join('\n')}\n`
  const text = textOf(failing(new LoadError('LOAD_TARGET_MISMATCH', message, { details: { ddl } })))
  const kept = text.match(/ADD COLUMN "c\d+" text;$/gm)!.length
  assert.ok(kept > 100 && kept < 900, `${kept}`)
  assert.match(text, new RegExp(`${900 - kept} more lines, all in the attached summary`))
})
