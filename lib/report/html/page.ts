/**
 * A MailDocument as one HTML page: one column, inline styles, nothing remote, at most HTML_LIMIT
 * bytes. What a block looks like is in blocks.ts, all colours and measures in style.ts.
 */
import { ALL_ATTACHED, type Attached, LEVELS, type MailDocument, type Section } from '../document/blocks.ts'
import { mailDocument } from '../document/sections.ts'
import type { NightReport } from '../night-report.ts'
import { blockHtml } from './blocks.ts'
import { badge, INLINE, SHEET, STATUS_LOOK } from './style.ts'
import { type Markup, markup, trusted } from './template.ts'

/** Largest HTML part in bytes: Gmail cuts at 102 kB, and quoted-printable adds about a fifth. */
export const HTML_LIMIT = 80_000

/** The most generous document whose HTML keeps to HTML_LIMIT, with that HTML. */
export function fittingHtml(
  report: NightReport,
  attached: Attached = ALL_ATTACHED,
): { readonly document: MailDocument; readonly html: string } {
  let document = mailDocument(report, LEVELS[0], attached)
  let html = documentHtml(document)
  for (const level of LEVELS.slice(1)) {
    if (Buffer.byteLength(html) <= HTML_LIMIT) break
    document = mailDocument(report, level, attached)
    html = documentHtml(document)
  }
  return { document, html }
}

/** The document as HTML. */
export function documentHtml(document: MailDocument): string {
  const { status, subject, sections, footer } = document
  const page = markup`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="supported-color-schemes" content="light dark">
<title>${subject}</title>
<style>${trusted(SHEET)}</style>
</head>
<body class="p" style="${INLINE.body}">
<table role="presentation" class="p" style="${INLINE.outer}"><tr><td class="o" align="center" style="${INLINE.outerCell}">
<table role="presentation" class="s" style="${INLINE.sheet}" align="center" width="720">
<tr><td class="c" align="left" style="${INLINE.top}">${topHtml(document, status)}</td></tr>
${sections.map(sectionHtml)}<tr><td class="c l q" align="left" style="${INLINE.footer}">${footer.map(line => markup`<div style="overflow-wrap:anywhere">${line}</div>`)}</td></tr>
</table>
</td></tr></table>
</body>
</html>
`
  return String(page)
}

function topHtml(
  { kicker, headline, action, urgency, notices }: MailDocument,
  status: MailDocument['status'],
): Markup {
  const { sign, tone } = STATUS_LOOK[status]
  return markup`<p class="q" style="${INLINE.kicker}">${kicker}</p>
<span class="${tone}" style="${badge(tone)}">${sign}&nbsp; ${status}</span>
<h1 class="i" style="${INLINE.h1}">${headline}</h1>
${notices.map(notice => markup`<p class="b" style="${INLINE.notice}">${notice}</p>`)}<p class="i" style="margin:0">${action}</p>
${urgency === '' ? markup`` : markup`<p class="q" style="${INLINE.quiet}">${urgency}</p>`}`
}

function sectionHtml({ title, blocks }: Section): Markup {
  const heading =
    title === ''
      ? markup``
      : markup`<h2 class="i" style="${INLINE.h2}">${title}</h2>
`
  return markup`<tr><td class="c l" align="left" style="${INLINE.section}">${heading}${blocks.map(blockHtml)}</td></tr>
`
}
