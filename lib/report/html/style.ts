/**
 * Looks of the mail. Light colours stand inline on every element, because many mail programs drop
 * style sheets; the sheet only adds what inline can't say: dark mode and narrow screens. All pairs
 * of text and background have a contrast of at least 4.5 : 1 in both modes.
 */
import type { Tone } from '../document/blocks.ts'
import type { Status } from '../night-report.ts'

const SANS = "-apple-system,'Segoe UI',Roboto,'Helvetica Neue',Arial,sans-serif"
const MONO = "ui-monospace,SFMono-Regular,Menlo,Consolas,'Liberation Mono',monospace"

const INK = '#16202c'
const QUIET = '#566372'
const LINE = '#dfe4ea'

/** Colour of a tone, light. */
export const TONE_COLOUR: Readonly<Record<Tone, string>> = {
  good: '#1a6b42',
  bad: '#a8261c',
  warn: '#8a5300',
  plain: INK,
  quiet: QUIET,
}

/** A status in word, sign and tone: the sign differs in shape, so that the colour is never needed. */
export const STATUS_LOOK: Readonly<Record<Status, { readonly sign: string; readonly tone: Tone }>> = {
  FAILED: { sign: '\u2715', tone: 'bad' },
  INCONCLUSIVE: { sign: '?', tone: 'warn' },
  BREAKS: { sign: '\u2260', tone: 'bad' },
  REJECTS: { sign: '!', tone: 'warn' },
  CLEAN: { sign: '\u2713', tone: 'good' },
  LOADED: { sign: '\u2193', tone: 'good' },
  'NOTHING TO DO': { sign: '=', tone: 'good' },
}

/** Inline styles by purpose. Short, because cells repeat them: the mail has a size limit. */
export const INLINE = {
  body: `margin:0;padding:0;background:#f3f5f7;color:${INK};font:15px/1.5 ${SANS}`,
  outer: 'width:100%;background:#f3f5f7;border-collapse:collapse',
  outerCell: 'padding:24px 12px',
  sheet: `width:100%;max-width:720px;margin:0 auto;background:#ffffff;border:1px solid ${LINE};border-radius:6px;border-collapse:separate`,
  top: 'padding:24px 28px 20px',
  section: `padding:16px 28px 18px;border-top:1px solid ${LINE}`,
  footer: `padding:14px 28px 20px;border-top:1px solid ${LINE};color:${QUIET};font-size:12px;line-height:1.5`,
  kicker: `margin:0 0 10px;color:${QUIET};font-size:13px`,
  h1: `margin:12px 0 10px;font-size:20px;line-height:1.35;font-weight:600;color:${INK}`,
  h2: `margin:0 0 8px;font-size:14px;line-height:1.4;font-weight:600;color:${INK}`,
  paragraph: 'margin:0 0 8px',
  quiet: `margin:6px 0;color:${QUIET};font-size:13px`,
  notice: `margin:0 0 10px;padding:6px 10px;background:#f3f5f7;color:${INK};font-size:13px`,
  table: 'width:100%;border-collapse:collapse;font-size:13px;line-height:1.4;margin:0 0 6px',
  head: `padding:4px 0 4px 12px;border-bottom:1px solid #b8c2cc;color:${QUIET};font-weight:400;vertical-align:bottom;text-align:`,
  cell: `padding:5px 0 5px 12px;border-bottom:1px solid ${LINE};vertical-align:top;font-weight:400;text-align:`,
  figure: 'padding:0 26px 4px 0;vertical-align:top;text-align:left',
  figureValue: 'font-size:22px;line-height:1.25;font-weight:600;font-variant-numeric:tabular-nums',
  figureLabel: `color:${QUIET};font-size:13px`,
  breakHead: 'padding:12px 0 3px;text-align:left;font-weight:400;vertical-align:top',
  breakCell: `padding:3px 0 3px 12px;border-bottom:1px solid ${LINE};vertical-align:top;font-weight:400;text-align:`,
  code: `font-family:${MONO};font-size:12.5px`,
  command: `margin:2px 0 10px;padding:8px 10px;background:#f3f5f7;color:${INK};font:12.5px/1.45 ${MONO};white-space:pre-wrap;overflow-wrap:anywhere`,
} as const

/** A number's cell: digits of one width, so that decimal points stand under each other. */
export const NUMERIC = ';font-variant-numeric:tabular-nums;white-space:nowrap'

/** The first cell of a row stands at the edge. */
export const FLUSH = ';padding-left:0'

/** Breaks long words where they must, never inside numbers. */
export const WRAPPING = ';overflow-wrap:anywhere'

/** The badge of a status. */
export function badge(tone: Tone): string {
  const colour = TONE_COLOUR[tone]
  return `display:inline-block;padding:3px 12px 3px 10px;border:1px solid ${colour};border-radius:4px;color:${colour};font-size:14px;line-height:1.4;font-weight:700`
}

/** Bars: tonight's is darker, and the last one. Their contrast to the ground is at least 3 : 1, as for all that is drawn. */
export const BAR = {
  before: { name: 'v', colour: '#7b8896' },
  tonight: { name: 'w', colour: '#8a5300' },
} as const

/** Dark mode and narrow screens. Classes: p page, s sheet, l lines, i ink, q quiet, b box, v and w bars, and one per tone. */
export const SHEET = `
:root{color-scheme:light dark;supported-color-schemes:light dark}
@media (prefers-color-scheme:dark){
.p{background:#10151b!important;color:#e7ebef!important}
.s{background:#182028!important;border-color:#2e3944!important}
.l{border-color:#2e3944!important}
.i{color:#e7ebef!important}
.q{color:#a3afbb!important}
.b{background:#222c36!important;color:#e7ebef!important}
.good{color:#6fcf97!important;border-color:#6fcf97!important}
.bad{color:#ff9b8f!important;border-color:#ff9b8f!important}
.warn{color:#f2c063!important;border-color:#f2c063!important}
.v{background:#8492a0!important}
.w{background:#f2c063!important}
td.good,td.bad,td.warn,th.good,th.bad,th.warn{border-color:#2e3944!important}
}
@media (max-width:520px){
.o{padding:0!important}
.s{border-left:0!important;border-right:0!important;border-radius:0!important}
.c{padding-left:16px!important;padding-right:16px!important}
.f{display:inline-block!important;padding-right:18px!important}
.st thead{display:none!important}
.st tr{display:block!important;padding:6px 0!important;border-bottom:1px solid ${LINE}}
.st th{font-weight:600!important}
.st th,.st td{display:block!important;border:0!important;padding:1px 0!important;text-align:left!important}
.st td::before{content:attr(data-t) " ";color:${QUIET};font-weight:400}
}
@media (max-width:520px) and (prefers-color-scheme:dark){
.st tr{border-color:#2e3944!important}
.st td::before{color:#a3afbb}
}
`
