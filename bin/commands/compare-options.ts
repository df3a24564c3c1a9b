/**
 * The options of `tallyman compare` as the comparison needs them: comma lists, pairs, and how each
 * side is to be read. Whether the columns exist is judged in reconcile/sides/match-columns.ts.
 */
import { ConfigError } from '../../lib/model/errors.ts'
import type { SideReading } from '../../reconcile/sides/file-side.ts'
import type { MatchOptions } from '../../reconcile/sides/match-columns.ts'
import { wholeNumber } from './options.ts'
import { unescaped } from './preview.ts'

/** How one side is read. */
export interface SideOptions {
  readonly reading: SideReading
  readonly where: string | null
}

/** All of it. */
export interface CompareCommand {
  readonly match: MatchOptions
  readonly left: SideOptions
  readonly right: SideOptions
  readonly out: string | null
}

/** Reads the options as commander gives them. @throws CONFIG_USAGE */
export function readCompareOptions(options: Record<string, unknown>): CompareCommand {
  const header = options.header !== false
  const text = (name: string): readonly string[] => (options[name] as readonly string[] | undefined) ?? []
  return {
    match: {
      key: listed(text('key')),
      map: listed(text('map')).map(pair => pairOf('--map', pair)),
      tolerance: listed(text('tolerance')).map(pair => pairOf('--tolerance', pair)),
      ignore: listed(text('ignore')),
      trim: options.trim === true,
      // A token may have spaces at its ends; they are part of it.
      nullTokens: text('null')
        .flatMap(tokens => tokens.split(','))
        .filter(token => token !== ''),
    },
    left: sideOptions('--left', text('left'), header),
    right: sideOptions('--right', text('right'), header),
    out: (options.out as string | undefined) ?? null,
  }
}

function listed(texts: readonly string[]): string[] {
  return texts.flatMap(text => text.split(',')).filter(text => text !== '')
}

/** Cut at the last `=` that leaves something on both sides: names of columns may hold one, amounts don't. */
function pairOf(option: string, text: string): readonly [string, string] {
  const at = option === '--map' ? text.indexOf('=') : text.lastIndexOf('=')
  if (at > 0 && at < text.length - 1) return [text.slice(0, at), text.slice(at + 1)]
  throw usage(
    `${option} takes ${option === '--map' ? 'LEFTCOLUMN=RIGHTCOLUMN' : 'COLUMN=AMOUNT'}, not ${JSON.stringify(text)}`,
  )
}

/** Options of preview that a side may have; those without a value are switches. */
const SIDE_OPTIONS = [
  'format',
  'delimiter',
  'quote',
  'escape',
  'record-end',
  'charset',
  'no-header',
  'preamble',
  'footer',
  'record',
  'where',
]

function sideOptions(option: string, given: readonly string[], header: boolean): SideOptions {
  const reading: { -readonly [Name in keyof SideReading]: SideReading[Name] } = { header }
  let where: string | null = null
  for (const text of given) {
    const at = text.indexOf('=')
    const [name, value] = at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)]
    if (value === '' && name !== 'no-header')
      throw usage(
        `${option} takes OPTION=VALUE, not ${JSON.stringify(text)}; options are ${SIDE_OPTIONS.join(', ')}`,
      )
    if (name === 'where') where = value
    else readInto(reading, `${option} ${name}`, name, value)
  }
  return { reading, where }
}

function readInto(
  reading: { -readonly [Name in keyof SideReading]: SideReading[Name] },
  option: string,
  name: string,
  value: string,
): void {
  switch (name) {
    case 'format':
      if (value !== 'csv' && value !== 'xml' && value !== 'parquet')
        throw usage(`${option} is csv, xml or parquet, not ${JSON.stringify(value)}`)
      reading.format = value
      return
    case 'delimiter':
      reading.delimiter = unescaped(option, value)
      return
    case 'quote':
      reading.quote = value === 'none' ? null : value
      return
    case 'escape':
      reading.escape = value
      return
    case 'record-end':
      reading.recordEnds = [unescaped(option, value)]
      return
    case 'charset':
      reading.charset = value
      return
    case 'no-header':
      reading.header = value === 'false'
      return
    case 'preamble':
      reading.preamble = wholeNumber(option, value, 0, 100_000)
      return
    case 'footer':
      reading.footer = [...(reading.footer ?? []), value]
      return
    case 'record':
      reading.record = value.replace(/^\//, '')
      return
    default:
      throw usage(`${option} is no option of a side; there are ${SIDE_OPTIONS.join(', ')}`)
  }
}

function usage(what: string): ConfigError {
  return new ConfigError('CONFIG_USAGE', `${what}. Nothing was compared.`)
}
