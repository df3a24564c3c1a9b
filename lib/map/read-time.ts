/**
 * Readers that give dates and instants. Formats stand in lib/model/time/date-format.ts, local times in
 * lib/model/time/local-time.ts; dates and instants are different types and never turn into each other silently.
 */
import { ConfigError } from '../model/errors.ts'
import type { DateText, TimestampText } from '../model/table.ts'
import { type DateFormat, dateFormat, dateText } from '../model/time/date-format.ts'
import { isIsoDay } from '../model/time/digit-format.ts'
import { instantReader, type WhenAmbiguous, type WhenMissing } from '../model/time/local-time.ts'
import { isZone } from '../model/time/zone.ts'
import type { Field, Refusal } from './field.ts'
import { type From, fitted, type Given, type ReadOptions, scalar } from './scalar.ts'

/** Options of `read.date`. */
export interface DateOptions<N extends boolean> extends ReadOptions<DateText, N> {
  /** luxon's tokens, or `ISO` (the default). */
  readonly format?: string
  /** The text may carry a time of day, which is left out; the date stays as written. Default: an issue. */
  readonly time?: 'dropped'
}

/** A calendar date in exactly the format; a day that does not exist is an issue. */
export function date<const C extends string, const N extends boolean = false>(
  from: From<C>,
  options: DateOptions<N>,
): Field<Given<DateText, N>, C> {
  const format = dateFormat(options.format ?? 'ISO')
  const dropped = options.time === 'dropped'
  if (format.format !== 'ISO' && format.time && !dropped) {
    throw new ConfigError(
      'CONFIG_DATE_FORMAT_INVALID',
      `A date is read by ${JSON.stringify(format.format)}, which names a time of day. Add time: 'dropped', or read a timestamp. Nothing was started.`,
    )
  }
  const refusal: Refusal = {
    code: 'MAP_NOT_A_DATE',
    message: `must be a date that exists, written ${format.format === 'ISO' ? 'yyyy-MM-dd' : format.format}`,
  }
  return scalar(from, options, {
    rule: `date, ${format.format}${dropped ? ', time of day left out' : ''}`,
    compile: setting => fitted(dateConversion(format, dropped, refusal), setting, 'date'),
  })
}

/** Different texts kept by a date field: a file holds few dates, and 4,000 of them are ten years. */
const TEXTS_KEPT = 4_000

function dateConversion(
  format: DateFormat,
  dropped: boolean,
  refusal: Refusal,
): (text: string) => DateText | Refusal {
  if (!dropped && (format.format === 'ISO' || format.format === 'yyyy-MM-dd'))
    return text => (isIsoDay(text) ? (text as DateText) : refusal)
  const known = new Map<string, DateText>()
  return text => {
    const before = known.get(text)
    if (before !== undefined) return before
    const parts = format.parse(text)
    if (parts === null) return refusal
    const date = dateText(parts) as DateText
    if (known.size >= TEXTS_KEPT) known.clear()
    known.set(text, date)
    return date
  }
}

/** Options of `read.timestamp`. */
export interface TimestampOptions<N extends boolean> extends ReadOptions<TimestampText, N> {
  /** luxon's tokens, or `ISO` (the default). */
  readonly format?: string
  /** IANA zone of texts without an offset; the job's own where not given. */
  readonly zone?: string
  /** A local time that exists twice (clocks set back): which one. Default: an issue. */
  readonly ambiguous?: WhenAmbiguous
  /** A local time that does not exist (clocks set forward): which instant. Default: an issue. */
  readonly missing?: WhenMissing
}

const REFUSALS = {
  ambiguous: {
    code: 'MAP_TIME_AMBIGUOUS',
    message: 'must say which one it is: that local time exists twice, because clocks were set back',
  },
  missing: {
    code: 'MAP_TIME_MISSING',
    message: 'must be a local time that exists: clocks were set forward over it',
  },
  'too-precise': {
    code: 'MAP_TIME_TOO_PRECISE',
    message: 'must have at most 6 digits after the second; it is not cut silently',
  },
  'out-of-range': { code: 'MAP_OUT_OF_RANGE', message: 'must lie in the years 0001 to 9999' },
} as const satisfies Record<string, Refusal>

/**
 * An instant in UTC, from a text with its own offset or from the local time of a zone.
 * Guarantee: a local time that does not exist or exists twice is an issue unless the mapping says which.
 */
export function timestamp<const C extends string, const N extends boolean = false>(
  from: From<C>,
  options: TimestampOptions<N>,
): Field<Given<TimestampText, N>, C> {
  const format = dateFormat(options.format ?? 'ISO')
  if (!format.time || (options.zone !== undefined && !isZone(options.zone))) {
    throw new ConfigError(
      'CONFIG_DATE_FORMAT_INVALID',
      `A timestamp is read by ${JSON.stringify(format.format)} in zone ${options.zone ?? 'of the job'}: it needs a time of day and a known IANA zone. Nothing was started.`,
    )
  }
  const { ambiguous = 'issue', missing = 'issue' } = options
  const refusal: Refusal = {
    code: 'MAP_NOT_A_TIMESTAMP',
    message: `must be a date and time that exist, written ${format.format}`,
  }
  const zoneWords = format.offset === 'always' ? '' : `, ${options.zone ?? "the job's zone"}`
  return scalar(from, options, {
    rule: `instant, ${format.format}${zoneWords}`,
    compile: setting => {
      const read = instantReader(options.zone ?? setting.context.zone, ambiguous, missing)
      return fitted(
        value => {
          const parts = format.parse(value)
          if (parts === null || value.length <= 10) return refusal
          const instant = read(parts)
          return typeof instant === 'string' ? (instant as TimestampText) : REFUSALS[instant.why]
        },
        setting,
        'timestamp',
      )
    },
  })
}
