/** What single kinds of mails promise: proof on clean nights, no zeros where nothing is proved, masks, trends, contrast. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { nightReport } from '../../../../lib/report/assemble.ts'
import { sheetFile } from '../../../../lib/report/attach/sheet-file.ts'
import { composeMail } from '../../../../lib/report/compose/compose-mail.ts'
import { BAR, INLINE, SHEET, TONE_COLOUR } from '../../../../lib/report/html/style.ts'
import type { NightReportInput } from '../../../../lib/report/night-report.ts'
import { PEOPLE } from '../../../support/night-sample-many.ts'
import { nightSample } from '../../../support/night-samples.ts'

const plain = { redact: (text: string) => text }
const options = { redaction: plain, runId: null, from: 'T <t@example.com>', to: ['a@example.com'] }
const mailOf = async (input: NightReportInput) => (await composeMail(input, options)).mail

test('a clean mail is one sentence and still has its proof and scope', async () => {
  const { text, html } = await mailOf(nightSample('clean'))
  for (const part of [text, html]) {
    assert.match(part, /Unexplained/)
    assert.match(part, /rows whose key the other/)
    assert.doesNotMatch(part, /Commands|persisting/)
  }
})

test('a mail that proves nothing states no number of differences and says that earlier ones stay', async () => {
  const { text, html } = await mailOf(nightSample('inconclusive'))
  assert.doesNotMatch(text, /0 new|0 resolved/)
  assert.ok(text.indexOf('Checks before comparing') < text.indexOf('Not proved:'))
  for (const part of [text, html])
    assert.match(part.replace(/\s+/g, ' '), /earlier differences stay as they were/)
})

test('a name of a personal column is in no part of a mail, compressed attachments included', async () => {
  const mail = await mailOf(nightSample('personal'))
  const files = mail.attachments.map(({ name, content }) =>
    (name.endsWith('.gz') ? gunzipSync(content) : content).toString(),
  )
  for (const part of [mail.subject, mail.text, mail.html, ...files]) {
    for (const person of PEOPLE)
      assert.equal(part.toLowerCase().includes(person.toLowerCase()), false, person)
  }
  assert.match(mail.text, /\[masked\]/)
  assert.match(
    mail.text,
    /break b1ebbbd653c5/,
    'masked keys are told apart by the identity that commands take',
  )
})

test('a report that replaces another says what both found', async () => {
  const input = nightSample('revised')
  const said = async (change: Partial<NightReportInput>) =>
    (await mailOf({ ...input, ...change })).text.replace(/\s+/g, ' ')
  assert.match(
    await said({}),
    /replaces the one of 2026-11-20 23:10 UTC \(attempt 1\): 5 differences then, 2 differences now\. It tells of revision 2/,
  )
  const [found] = input.replacesReport!.found
  const unproved = { ...input.replacesReport!, found: [{ ...found!, outcome: 'INCONCLUSIVE' as const }] }
  assert.match(await said({ replacesReport: unproved }), /nothing proved then, 2 differences now/)
  const failed = { ...input.replacesReport!, found: [] }
  assert.match(await said({ replacesReport: failed }), /\(attempt 1\)\. It tells/)
})

test('the trend of a mail has a bar for each night, and words for what the bars show', async () => {
  const { text, html } = await mailOf(nightSample('thirty-nights'))
  assert.match(
    text.replace(/\s+/g, ' '),
    /last 30 nights .* at least 1, at most 11 \(2026-10-26\), tonight 6\./,
  )
  const bars = /^ {2}([▁▂▃▄▅▆▇█.]+)$/m.exec(text)![1]!
  assert.equal(bars.length, 30)
  assert.equal(bars[10], '█')
  assert.equal((html.match(/class="[vw]" width="8"/g) ?? []).length, 30)
  assert.equal((html.match(/class="w" width="8"/g) ?? []).length, 1)
})

test('ages are told only when every open difference is known', () => {
  const input = nightSample('thirty-nights')
  const [first] = input.comparisons
  const agesOf = (breaksTotal: number) =>
    nightReport({ ...input, comparisons: [{ ...first!, result: { ...first!.result, breaksTotal } }] }, plain)
      .comparisons[0]!.ages
  assert.deepEqual(
    agesOf(7).map(({ from, to, count }) => [from, to, count]),
    [
      [0, 0, 2],
      [1, 5, 1],
      [6, 20, 1],
      [21, 60, 1],
      [61, null, 1],
    ],
  )
  assert.deepEqual(agesOf(8), [])
})

test('a CSV of many lines is compressed while it is made, whole and the same to the byte each time', async () => {
  const items = Array.from({ length: 60_000 }, (_, index) => index)
  const textOf = (block: readonly number[]) => block.map(item => `${item},${'x'.repeat(60)}\r\n`).join('')
  const made = await sheetFile('rejects', 'a,b\r\n', items, textOf)
  const again = await sheetFile('rejects', 'a,b\r\n', items, textOf)
  assert.equal(made.attachment.name, 'rejects.csv.gz')
  assert.equal(made.written, 60_000)
  assert.deepEqual(made.attachment.content, again.attachment.content)
  assert.equal(gunzipSync(made.attachment.content).toString(), `\ufeffa,b\r\n${textOf(items)}`)
})

test('a CSV is cut at 64 MB of text, and says how much of it is there', async () => {
  const line = `${'y'.repeat(1_000)}\r\n`
  let given = 0
  async function* endless(): AsyncGenerator<string> {
    for (;;) {
      given += 1
      yield line
    }
  }
  const { attachment, written } = await sheetFile('rejects', 'a\r\n', endless(), block => block.join(''))
  assert.equal(written, given)
  assert.ok(written * line.length > 64_000_000 && written * line.length < 67_000_000, String(written))
  assert.ok(attachment.content.length < 8_000_000)
})

/** Contrast of two colours as WCAG 2 counts it. */
function contrast(a: string, b: string): number {
  const light = (colour: string) => {
    const [red, green, blue] = [1, 3, 5].map(at => {
      const part = Number.parseInt(colour.slice(at, at + 2), 16) / 255
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4
    })
    return 0.2126 * red! + 0.7152 * green! + 0.0722 * blue!
  }
  const [low, high] = [light(a), light(b)].sort((x, y) => x - y)
  return (high! + 0.05) / (low! + 0.05)
}

test('every text of a mail has a contrast of 4.5 to its ground, and every bar 3, in light and in dark', () => {
  const grounds = { light: ['#ffffff', '#f3f5f7'], dark: ['#182028', '#222c36'] }
  for (const ground of grounds.light) {
    for (const colour of Object.values(TONE_COLOUR)) assert.ok(contrast(colour, ground) >= 4.5, colour)
  }
  for (const ground of [INLINE.sheet, INLINE.command]) {
    assert.ok(grounds.light.some(one => ground.includes(`background:${one}`)))
  }
  const dark = [...SHEET.matchAll(/^\.(i|q|good|bad|warn)\{color:(#[0-9a-f]{6})/gm)].map(([, , hex]) => hex!)
  assert.equal(dark.length, 5)
  for (const ground of grounds.dark) {
    assert.ok(SHEET.includes(`background:${ground}!important`), ground)
    for (const colour of dark) assert.ok(contrast(colour, ground) >= 4.5, `${colour} on ${ground}`)
  }
  for (const { name, colour } of Object.values(BAR)) {
    assert.ok(contrast(colour, '#ffffff') >= 3, name)
    const shown = new RegExp(`^\\.${name}\\{background:(#[0-9a-f]{6})`, 'm').exec(SHEET)![1]!
    assert.ok(contrast(shown, '#182028') >= 3, `${name}, dark`)
  }
})
