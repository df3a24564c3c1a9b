/**
 * `tallyman preview`: what the engine sees in a file. Reads it with a job's parser or with guessed
 * settings and shows records, rejects and counts; printing is done in preview-output.ts.
 */
import { basename, resolve } from 'node:path'
import { ConfigError, ParseError } from '../../lib/model/errors.ts'
import {
  type AnyJob,
  type CsvSpec,
  type JobDefinition,
  movesRecords,
  type ParseSpec,
} from '../../lib/model/job.ts'
import { type StepContext, silentLog } from '../../lib/model/progress.ts'
import type { SourceRecord } from '../../lib/model/record.ts'
import { systemClock } from '../../lib/model/time/clock.ts'
import { type GivenReading, guessSpec } from '../../lib/parse/guess-spec.ts'
import { type ParseOptions, parseFile } from '../../lib/parse/parse-file.ts'
import { fileChunks } from '../../lib/parse/source-text.ts'
import { XmlObjects } from '../../lib/parse/xml-objects.ts'
import { EXIT } from '../exit-codes.ts'
import type { Session } from '../session.ts'
import { jsonFailure } from '../terminal.ts'
import { jobNamed, wholeNumber } from './options.ts'
import { HumanPreview, JsonPreview, type PreviewOutput, type PreviewSummary } from './preview-output.ts'

interface PreviewOptions {
  readonly format?: 'csv' | 'xml'
  readonly delimiter?: string
  readonly quote?: string
  readonly escape?: string
  readonly recordEnd?: string
  readonly charset?: string
  readonly header: boolean
  readonly preamble?: string
  readonly footer?: readonly string[]
  readonly record?: string
  readonly limit?: string
  readonly job?: string
}

/** Records that a person is shown when no limit is given. */
const SHOWN = 20

/**
 * Shows a file. Exit 0 when it is readable, rejects or not; 1 when it is unusable as a whole.
 * `--limit` bounds what is printed, never what is read, so the summary's counts hold for the whole file.
 */
export async function preview(
  session: Session,
  options: Record<string, unknown>,
  file: string,
): Promise<number> {
  const given = options as unknown as PreviewOptions
  const { terminal } = session
  const path = resolve(session.workingDirectory, file)
  const limit = given.limit === undefined ? null : wholeNumber('--limit', given.limit, 0, 999_999_999)
  const output: PreviewOutput = terminal.json
    ? new JsonPreview(text => terminal.out(text), limit)
    : new HumanPreview(text => terminal.out(text), basename(file), limit ?? SHOWN, terminal.columns)
  const context: StepContext = {
    clock: systemClock,
    log: silentLog,
    signal: session.signal,
    progress: event => session.progress.show(event),
  }
  try {
    const summary = await read(session, given, path, context, output)
    session.progress.clear()
    output.end(summary)
    return EXIT.done
  } catch (error) {
    session.progress.clear()
    if (!terminal.json || !(error instanceof ParseError)) throw error
    output.discard()
    terminal.out(jsonFailure(error))
    return EXIT.failed
  }
}

async function read(
  session: Session,
  given: PreviewOptions,
  path: string,
  context: StepContext,
  output: PreviewOutput,
): Promise<PreviewSummary> {
  if (given.job !== undefined) {
    const { timetable } = await session.configuration()
    const { parse, map } = feedOf(jobNamed(timetable, given.job).job)
    return await readRecords(path, parse, [], context, output, map.sources)
  }
  const guess = await guessSpec(path, givenReading(given), { ...context, progress: () => {} })
  if (guess.format === 'csv') return await readRecords(path, guess.spec, guess.guessed, context, output)
  const subject = basename(path)
  const objects = new XmlObjects({ ...guess, subject, chunks: fileChunks(path, subject, context) })
  let count = 0
  for await (const block of objects.blocks()) {
    count += block.length
    for (const { line, value } of block) output.record(line, value)
  }
  return {
    read: count,
    accepted: count,
    rejected: 0,
    charset: objects.charset,
    dialect: { format: 'xml', record: guess.record },
    guessed: [],
    warnings: objects.warnings,
  }
}

/** How a job reads its files; of one that only compares, those of its only feed. @throws CONFIG_USAGE when that is not one */
function feedOf(job: AnyJob): Pick<JobDefinition, 'parse' | 'map'> {
  if (movesRecords(job)) return job
  const sides = job.reconcile.comparisons.flatMap(({ source, target }) => [source, target])
  const feeds = sides.flatMap(side => (side.kind === 'files' ? [side] : []))
  const [only] = feeds
  if (only !== undefined && new Set(feeds.map(({ fetch }) => fetch.feed)).size === 1) return only
  const what = only === undefined ? 'no file' : 'files of several feeds'
  throw new ConfigError(
    'CONFIG_USAGE',
    `${job.name} only compares, and reads ${what}: say how this one is to be read, with --format and the like. Nothing was started.`,
  )
}

async function readRecords(
  path: string,
  spec: ParseSpec,
  guessed: readonly string[],
  context: StepContext,
  output: PreviewOutput,
  neededColumns: ParseOptions['neededColumns'] = {},
): Promise<PreviewSummary> {
  const parsed = parseFile(path, spec, { file: 0, neededColumns }, context)
  const several = spec.format === 'xml' && Object.keys(spec.records).length > 1
  const unnamed =
    spec.format === 'csv' &&
    spec.header !== 'first' &&
    spec.header.every((name, index) => name === `${index + 1}`)
  for await (const block of parsed.blocks) {
    const shapes = parsed.shapes()
    for (const record of block.records) {
      const value = unnamed ? record.values : named(shapes.get(record.kind)!, record)
      output.record(record.line, value, several ? record.kind : undefined)
    }
    for (const reject of block.rejects) output.reject(reject)
  }
  const { read, rejected, charset, warnings } = parsed.summary()
  return {
    read,
    accepted: read - rejected,
    rejected,
    charset,
    dialect: dialectOf(spec, unnamed),
    guessed,
    warnings,
  }
}

/** A record by column; without a prototype, so that a column named `__proto__` is only a column. */
function named(columns: readonly string[], record: SourceRecord): object {
  const value = Object.create(null) as Record<string, unknown>
  for (const [index, column] of columns.entries()) value[column] = record.values[index] ?? null
  return value
}

function dialectOf(spec: ParseSpec, unnamed: boolean): PreviewSummary['dialect'] {
  if (spec.format === 'xml')
    return {
      format: 'xml',
      record: Object.values(spec.records)
        .map(({ path }) => path)
        .join(' '),
    }
  const { delimiter, quote, recordEnds, preamble, footer } = spec satisfies CsvSpec
  return {
    format: 'csv',
    delimiter,
    quote,
    escape: spec.escape,
    recordEnds,
    header: !unnamed,
    preamble,
    footer,
  }
}

function givenReading(given: PreviewOptions): GivenReading {
  return {
    header: given.header,
    ...(given.format === undefined ? {} : { format: given.format }),
    ...(given.delimiter === undefined ? {} : { delimiter: unescaped('--delimiter', given.delimiter) }),
    ...(given.quote === undefined ? {} : { quote: given.quote === 'none' ? null : given.quote }),
    ...(given.escape === undefined ? {} : { escape: given.escape }),
    ...(given.recordEnd === undefined ? {} : { recordEnds: [unescaped('--record-end', given.recordEnd)] }),
    ...(given.charset === undefined ? {} : { charset: given.charset }),
    ...(given.preamble === undefined
      ? {}
      : { preamble: wholeNumber('--preamble', given.preamble, 0, 100_000) }),
    ...(given.footer === undefined ? {} : { footer: given.footer }),
    ...(given.record === undefined ? {} : { record: given.record.replace(/^\//, '') }),
  }
}

/** An option's text with `\t`, `\r`, `\n`, `\\` and `\x1f` read, and `TAB` for what shells make hard to type. */
export function unescaped(option: string, text: string): string {
  if (text.toUpperCase() === 'TAB') return '\t'
  const known: Record<string, string> = { t: '\t', r: '\r', n: '\n', '\\': '\\' }
  const plain = text.replaceAll(
    /\\(?:x([0-9a-fA-F]{2})|([trn\\]))/g,
    (_, hex: string | undefined, letter: string) =>
      hex === undefined ? known[letter]! : String.fromCharCode(Number.parseInt(hex, 16)),
  )
  if (plain === '') throw new ConfigError('CONFIG_USAGE', `${option} is empty. Nothing was started.`)
  return plain
}
