/**
 * One block of a mail as HTML. Tables are real tables with scoped headings; on narrow screens each
 * row becomes a small list (style.ts). Tones come with words or signs, never as a colour alone.
 */
import type { Block, BreakItem, BreaksBlock, Cell, TableBlock, Tone } from '../document/blocks.ts'
import { barsHtml, nightsHtml } from './bars.ts'
import { FLUSH, INLINE, NUMERIC, TONE_COLOUR, WRAPPING } from './style.ts'
import { type Markup, markup } from './template.ts'

/** The block as markup. */
export function blockHtml(block: Block): Markup {
  switch (block.kind) {
    case 'sentence':
      return markup`<p class="${toneClass(block.tone)}" style="${block.tone === 'quiet' ? INLINE.quiet : `${INLINE.paragraph}${colour(block.tone)}`}">${block.text}</p>`
    case 'list':
      return markup`<ul style="margin:0 0 6px;padding-left:18px;font-size:13px">${block.items.map(
        item =>
          markup`<li class="${toneClass(item.tone)}" style="margin:0 0 4px${colour(item.tone)}${WRAPPING}">${item.text}</li>`,
      )}</ul>`
    case 'lines':
      return markup`<pre class="b" style="${INLINE.command}">${block.lines.join('\n')}</pre>${note(block.note)}`
    case 'figures':
      return figuresHtml(block.items)
    case 'laws':
      return markup`<dl style="margin:0">${block.items.map(
        ({ subject, equation, holds }) => markup`<dt class="q" style="${INLINE.figureLabel}">${subject}</dt>
<dd class="${holds ? 'i' : 'bad'}" style="margin:0 0 6px;font-size:13px${holds ? '' : colour('bad')}${WRAPPING}">${equation} <span class="${holds ? 'good' : 'bad'}" style="white-space:nowrap${colour(holds ? 'good' : 'bad')}">${holds ? '\u2713 holds' : '\u2715 does not add up'}</span></dd>`,
      )}</dl>${note(block.note)}`
    case 'facts':
      return markup`<table role="presentation" style="${INLINE.table}">${block.items.map(
        ({ name, value }) =>
          markup`<tr><td class="q" style="padding:2px 14px 2px 0;color:#566372;vertical-align:top;width:34%">${name}</td><td class="i" style="padding:2px 0;vertical-align:top${WRAPPING}">${value}</td></tr>`,
      )}</table>`
    case 'commands':
      return markup`${block.items.map(
        ({ purpose, line }) => markup`<div class="q" style="${INLINE.figureLabel}">${purpose}</div>
<pre class="b" style="${INLINE.command}">${line}</pre>`,
      )}`
    case 'table':
      return tableHtml(block)
    case 'breaks':
      return breaksHtml(block)
    case 'nights':
      return nightsHtml(block)
    case 'bars':
      return barsHtml(block)
  }
}

function colour(tone: Tone): string {
  return tone === 'plain' ? '' : `;color:${TONE_COLOUR[tone]}`
}

function toneClass(tone: Tone): string {
  return tone === 'plain' ? 'i' : tone === 'quiet' ? 'q' : tone
}

function note(text: string): Markup {
  return text === '' ? markup`` : markup`<p class="q" style="${INLINE.quiet}">${text}.</p>`
}

function figuresHtml(items: readonly { value: string; label: string; tone: Tone }[]): Markup {
  return markup`<table role="presentation" style="border-collapse:collapse"><tr>${items.map(
    ({ value, label, tone }) =>
      markup`<td class="f" style="${INLINE.figure}"><span class="${toneClass(tone)}" style="${INLINE.figureValue}${colour(tone)}">${value}</span> <span class="q" style="${INLINE.figureLabel}">${label}</span></td>`,
  )}</tr></table>`
}

function tableHtml({ columns, rows, note: rest }: TableBlock): Markup {
  const head = columns.map(
    ({ title, align }, index) =>
      markup`<th scope="col" class="q l" style="${INLINE.head}${align}${index === 0 ? FLUSH : ''}">${title}</th>`,
  )
  const body = rows.map(
    cells => markup`<tr>${cells.map((item, index) => cellHtml(item, columns[index]!, index === 0))}</tr>
`,
  )
  return markup`<table class="st" style="${INLINE.table}"><thead><tr>${head}</tr></thead><tbody>
${body}</tbody></table>${note(rest)}`
}

function cellHtml(
  item: Cell,
  { align, title }: { align: 'left' | 'right'; title: string },
  first: boolean,
): Markup {
  const style = `${INLINE.cell}${align}${first ? FLUSH : ''}${align === 'right' ? NUMERIC : WRAPPING}${colour(item.tone)}`
  return first
    ? markup`<th scope="row" class="${toneClass(item.tone)} l" style="${style}">${item.text}</th>`
    : markup`<td data-t="${title}" class="${toneClass(item.tone)} l" style="${style}">${item.text}</td>`
}

function breaksHtml(block: BreaksBlock): Markup {
  const head = ['Column', block.leftTitle, block.rightTitle, 'Difference'].map(
    (title, index) =>
      markup`<th scope="col" class="q l" style="${INLINE.head}${index === 0 ? `left${FLUSH}` : 'right'}">${title}</th>`,
  )
  return markup`<table style="${INLINE.table}"><thead><tr>${head}</tr></thead>
${block.items.map(breakHtml)}</table>${note(block.note)}`
}

function breakHtml({ key, what, state, tone, values, remarks }: BreakItem): Markup {
  const remark = remarks.length === 0 ? '' : ` \u00b7 ${remarks.join(' \u00b7 ')}`
  const rows = values.map(
    ({
      name,
      left,
      right,
      delta,
    }) => markup`<tr><th scope="row" class="i l" style="${INLINE.breakCell}left${FLUSH}${WRAPPING}">${name}</th>${[
      left,
      right,
      delta,
    ].map(
      text =>
        markup`<td class="i l" style="${INLINE.breakCell}right;font-variant-numeric:tabular-nums${WRAPPING}">${text}</td>`,
    )}</tr>
`,
  )
  return markup`<tbody><tr><th colspan="4" scope="rowgroup" class="i" style="${INLINE.breakHead}"><strong style="font-weight:600;overflow-wrap:anywhere">${key}</strong><br><span class="${toneClass(tone)}" style="${colour(tone).slice(1)}">${what}, ${state}</span><span class="q" style="color:#566372;overflow-wrap:anywhere">${remark}</span></th></tr>
${rows}</tbody>`
}
