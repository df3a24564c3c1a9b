/**
 * Bars of a mail as table cells: no picture, nothing remote, drawn also where style sheets are dropped. What they
 * show stands beside them as text, so that they are hidden from screen readers.
 */
import type { BarBlock, NightsBlock } from '../document/blocks.ts'
import { BAR, FLUSH, INLINE, NUMERIC } from './style.ts'
import { type Markup, markup } from './template.ts'

/** Height of the tallest bar, px. */
const TALLEST = 48

/** Widest bar, px: what a narrow screen has beside the label. */
const WIDEST = 160

/** The least that can be seen, px: a night without differences is a line. */
const LEAST = 2

/** One bar a night, tonight the last. */
export function nightsHtml({ sentence, nights, first, last }: NightsBlock): Markup {
  const bars = nights.map(({ share }, index) => {
    const tonight = index === nights.length - 1
    const height = share === 0 ? 1 : Math.max(LEAST, Math.round(share * TALLEST))
    return markup`<td valign="bottom" style="padding:0 2px 0 0;vertical-align:bottom">${block(8, height, tonight)}</td>`
  })
  return markup`<p class="i" style="${INLINE.paragraph}">${sentence}</p>
<table role="presentation" cellspacing="0" cellpadding="0" style="border-collapse:collapse;margin:0 0 12px"><tr aria-hidden="true" height="${TALLEST}">${bars}</tr>
<tr><td colspan="${nights.length}" class="q" style="${INLINE.figureLabel};padding-top:4px">${first} to ${last}</td></tr></table>`
}

/** One row for each label, with its number and a bar. */
export function barsHtml({ labelTitle, valueTitle, items }: BarBlock): Markup {
  const rows = items.map(
    ({ label, value, share }) =>
      markup`<tr><th scope="row" class="i l" style="${INLINE.cell}left${FLUSH}">${label}</th><td class="i l" style="${INLINE.cell}right${NUMERIC}">${value.text}</td><td class="l" aria-hidden="true" style="${INLINE.cell}left;vertical-align:middle">${share === 0 ? markup`` : block(Math.max(LEAST, Math.round(share * WIDEST)), 10, false)}</td></tr>
`,
  )
  return markup`<table style="${INLINE.table}"><thead><tr><th scope="col" class="q l" style="${INLINE.head}left${FLUSH}">${labelTitle}</th><th scope="col" class="q l" style="${INLINE.head}right">${valueTitle}</th><td class="l" style="${INLINE.head}left;width:${WIDEST + 12}px"></td></tr></thead><tbody>
${rows}</tbody></table>`
}

/** A filled cell; Outlook takes size and colour from the attributes. */
function block(width: number, height: number, strong: boolean): Markup {
  const { colour, name } = strong ? BAR.tonight : BAR.before
  return markup`<table role="presentation" cellspacing="0" cellpadding="0"><tr><td class="${name}" width="${width}" height="${height}" bgcolor="${colour}" style="width:${width}px;height:${height}px;background:${colour};font-size:0;line-height:0;padding:0"></td></tr></table>`
}
