/** What must hold of every mail, whatever its data: sizes, escaping, equal figures in both parts. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { nightReport } from '../../../../lib/report/assemble.ts'
import { documentHtml, fittingHtml, HTML_LIMIT } from '../../../../lib/report/html/page.ts'
import type { NightReportInput } from '../../../../lib/report/night-report.ts'
import { subjectOf } from '../../../../lib/report/subject.ts'
import { documentText } from '../../../../lib/report/text/page.ts'
import { WIDTH } from '../../../../lib/report/text/table.ts'
import { comparison, fxInput, mismatch } from '../../../support/night-sample-parts.ts'
import { nightSample, SAMPLE_NAMES } from '../../../support/night-samples.ts'

const plain = { redact: (text: string) => text }
const both = (input: NightReportInput) => {
  const { document, html } = fittingHtml(nightReport(input, plain))
  return { html, text: documentText(document), document }
}

/** What a reader sees: tags gone, entities back, blanks folded. */
function seen(html: string): string {
  const body = html.slice(html.indexOf('<body'))
  const entities: Record<string, string> = {
    '&amp;': '&',
    '&lt;': '<',
    '&gt;': '>',
    '&quot;': '"',
    '&#39;': "'",
    '&nbsp;': ' ',
  }
  return body.replace(/<[^>]*>/g, ' ').replace(/&[a-z0-9#]+;/g, entity => entities[entity] ?? entity)
}

/** All figures of a text, sorted; numbers of list items and rulers are not among them. */
function figures(text: string): string[] {
  return [...new Set(text.match(/[+-]?\d[\d,]*(?:\.\d+)?/g) ?? [])].sort()
}

test('a mail with 100,000 breaks keeps below 80 KB and says what it does not show', () => {
  const breaks = Array.from({ length: 10_000 }, (_, index) =>
    mismatch(`C${index}`, `${index}.5`, `${index}.75`),
  )
  const result = { ...comparison(breaks), breaksTotal: 100_000 }
  const { html, text } = both(fxInput({ comparisons: [{ result, history: null }] }))
  assert.ok(Buffer.byteLength(html) < HTML_LIMIT, `${Buffer.byteLength(html)} bytes`)
  assert.match(html, /20 of 100,000 shown, all in the attachment/)
  assert.match(text, /20 of 100,000 shown, all in the attachment/)
})

test('a mail keeps below 80 KB when every text in it is as long and as hostile as can be', () => {
  const nasty = `<&"'${'\u202e<"&'.repeat(4000)}`
  const breaks = Array.from({ length: 400 }, (_, index) => ({
    ...mismatch(`${index}${nasty}`, '1', '2', nasty),
    key: Object.fromEntries(Array.from({ length: 12 }, (_unused, part) => [`${part}${nasty}`, nasty])),
    columns: Array.from({ length: 60 }, (_unused, column) => ({
      name: `${column}${nasty}`,
      left: nasty,
      right: nasty,
      nature: 'text',
      delta: null,
    })),
    origin: { file: nasty, line: 3 },
  }))
  const base = { ...comparison([]), outcome: 'BREAKS' as const, breaks, breaksTotal: breaks.length }
  const result = {
    ...base,
    left: { ...base.left, name: nasty, scope: nasty, files: Array.from({ length: 50 }, () => nasty) },
    right: { ...base.right, name: nasty },
    gates: Array.from({ length: 90 }, () => ({ name: nasty, state: 'warned' as const, message: nasty })),
    proof: Array.from({ length: 90 }, () => ({ ...base.proof[0]!, total: nasty, group: nasty })),
    rulesUsed: Array.from({ length: 90 }, () => ({ rule: nasty, column: nasty, count: 1 })),
  }
  const { html } = both({
    ...nightSample('rejects'),
    files: Array.from({ length: 90 }, () => ({
      ...nightSample('clean').files[0]!,
      name: nasty,
      note: nasty,
    })),
    warnings: Array.from({ length: 90 }, () => nasty),
    comparisons: Array.from({ length: 30 }, () => ({ result, history: null })),
  })
  assert.ok(Buffer.byteLength(html) < HTML_LIMIT, `${Buffer.byteLength(html)} bytes`)
})

for (const name of SAMPLE_NAMES) {
  test(`both parts of the sample ${name} state the same figures`, () => {
    const { html, text } = both(nightSample(name))
    const shown = seen(html)
    const numbered = text.replace(/^\d+\. {1,3}/gm, '')
    // A figure may be broken by a wrap in the middle of a long word only: compare without blanks.
    const missing = figures(numbered).filter(figure => !shown.replace(/\s/g, '').includes(figure))
    const unsaid = figures(shown).filter(figure => !numbered.replace(/\s/g, '').includes(figure))
    assert.deepEqual({ missing, unsaid }, { missing: [], unsaid: [] })
  })

  test(`the text part of the sample ${name} is 78 columns wide and has no control character`, () => {
    const { text } = both(nightSample(name))
    const copied = /^ {4}(?:npm run|ALTER|COMMENT|CREATE| {2}")/
    const wide = text.split('\n').filter(line => line.length > WIDTH && !copied.test(line))
    assert.deepEqual(wide, [])
    assert.doesNotMatch(text, /[^\P{Cc}\n]/u)
  })
}

test('hostile data becomes text in the HTML, never markup', () => {
  const { html } = both(nightSample('hostile'))
  assert.doesNotMatch(html, /<(?:img|script|a|iframe|svg|form|link)\b/i)
  assert.doesNotMatch(html, /<[^>]*\son[a-z]+\s*=/i)
  assert.match(html, /&lt;img src=x onerror=alert\(1\)&gt;/)
  assert.doesNotMatch(html, /[^\P{Cc}\n]/u)
  assert.doesNotMatch(html, /\u202e/)
})

test('no mail refers to anything remote', () => {
  for (const name of SAMPLE_NAMES) {
    const { html } = both(nightSample(name))
    assert.doesNotMatch(html, /<[^>]*(?:\b(?:src|href|background|action)\s*=|url\()|@import/i, name)
  }
})

test('tables of a mail name their rows and columns for screen readers', () => {
  const { html } = both(nightSample('many-breaks'))
  const tables = html.match(/<table(?! role="presentation")[\s\S]*?<\/table>/g) ?? []
  assert.ok(tables.length >= 4)
  for (const table of tables) {
    assert.match(table, /<th scope="col"/)
    assert.match(table, /<th(?: colspan="4")? scope="row/)
  }
})

test('a subject has no control character and keeps to 180 characters', () => {
  const input = nightSample('failed')
  const report = nightReport(
    { ...input, job: { ...input.job, name: `x\r\nBcc: all@example.com${'y'.repeat(400)}` } },
    plain,
  )
  const subject = subjectOf(report)
  assert.doesNotMatch(subject, /\p{Cc}/u)
  assert.ok(subject.length <= 181)
})

test('a mail from outside production says so in subject and body', () => {
  const input = { ...nightSample('one-break'), environment: { name: 'staging', production: false } }
  const { html, text, document } = both(input)
  assert.match(document.subject, /\(staging\)$/)
  for (const part of [html, text]) assert.match(part, /Not production: environment staging/)
})

test('the same document gives the same bytes', () => {
  const { document, html } = both(nightSample('many-breaks'))
  assert.equal(documentHtml(document), html)
})
