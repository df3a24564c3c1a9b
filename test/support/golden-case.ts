/**
 * A golden case: a folder fixtures/<partner>/<feed>/<case>/ with the files of one delivery, run through
 * parse and map as the job of that feed does. `node test/support/golden-case.ts <folder>` writes what
 * came out as the expectation, to be read by a person before it is committed.
 */
import { createReadStream } from 'node:fs'
import { readdir, writeFile } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { mapRecords, rejectFailedUnits } from '../../lib/map/map-records.ts'
import { MapTally } from '../../lib/map/map-tally.ts'
import { TallymanError } from '../../lib/model/errors.ts'
import type { Reject } from '../../lib/model/issue.ts'
import type { FetchSpec, JobDefinition, ParseSpec } from '../../lib/model/job.ts'
import type { MapContext, MappedBlock, Mapping } from '../../lib/model/mapping.ts'
import type { ParsedStream } from '../../lib/model/record.ts'
import { parseChunks } from '../../lib/parse/parse-file.ts'

const ROOT = join(import.meta.dirname, '..', '..')

/** Files of a case that are not deliveries. */
const EXPECTATIONS = /^expected-\w+\.json$|^README\.md$/

/** How files of a feed are read. */
export interface FeedRules {
  readonly job: string
  readonly fetch: FetchSpec
  readonly parse: ParseSpec
  readonly map: Mapping
}

/** What came out of a case, as its expectation says it. */
export interface CaseResult {
  /** Rows by table, by field name; those of failed units left out. */
  readonly rows: Readonly<Record<string, readonly Readonly<Record<string, unknown>>[]>>
  readonly rejects: readonly Readonly<Record<string, unknown>>[]
  /** Code of the error that refused a file or the whole delivery, null when there is none. */
  readonly error: string | null
}

/** All feeds of jobs/, second sides of reconciliations included, by name. */
export async function feedsOfJobs(): Promise<ReadonlyMap<string, FeedRules>> {
  const feeds = new Map<string, FeedRules>()
  for (const file of (await readdir(join(ROOT, 'jobs'))).filter(name => name.endsWith('.ts'))) {
    const { default: job } = (await import(join(ROOT, 'jobs', file))) as { default: JobDefinition }
    feeds.set(job.fetch.feed, { job: job.name, fetch: job.fetch, parse: job.parse, map: job.map })
    for (const { source, target } of job.reconcile.comparisons) {
      for (const side of [source, target]) {
        // The files that a job loads are read as its load does, whatever else its sides make of them.
        if (side.kind === 'files' && !feeds.has(side.fetch.feed))
          feeds.set(side.fetch.feed, { job: job.name, fetch: side.fetch, parse: side.parse, map: side.map })
      }
    }
  }
  return feeds
}

/** Folders of all cases, `<partner>/<feed>/<case>`, the demo's nights left out. */
export async function caseFolders(): Promise<readonly string[]> {
  const root = join(ROOT, 'fixtures')
  const folders: string[] = []
  for (const entry of await readdir(root, { recursive: true, withFileTypes: true })) {
    if (!entry.isDirectory() || entry.parentPath.split(/[\\/]/).length !== root.split(/[\\/]/).length + 2)
      continue
    const folder = join(entry.parentPath, entry.name)
    if (!folder.startsWith(join(root, 'demo'))) folders.push(folder)
  }
  return folders.sort()
}

/** Opens a file as the job would; the second pass over failed units opens it again. */
export function openFile(rules: FeedRules, path: string, file: number): ParsedStream {
  const options = { file, neededColumns: rules.map.sources, name: basename(path) }
  return parseChunks(createReadStream(path), rules.parse, options)
}

/** Parses and maps files as one load; rows go to `take` as they come. */
export async function mapFiles(
  rules: FeedRules,
  paths: readonly string[],
  take: (block: MappedBlock) => void,
  tally = new MapTally(rules.map, null),
): Promise<{ readonly tally: MapTally; readonly fallen: readonly Reject[] }> {
  const contexts = paths.map((path, file): MapContext => {
    const day = /(\d{4})-?(\d{2})-?(\d{2})/.exec(basename(path))
    const businessDate = day === null ? '2026-11-19' : `${day[1]}-${day[2]}-${day[3]}`
    return { job: rules.job, businessDate, zone: 'Europe/Berlin', file }
  })
  for (const [file, path] of paths.entries()) {
    for await (const block of mapRecords(openFile(rules, path, file), rules.map, contexts[file]!, tally))
      take(block)
  }
  const { failedUnits } = tally.result()
  const fallen: Reject[] = []
  for (const [file, path] of paths.entries()) {
    const stream = openFile(rules, path, file)
    for await (const rejects of rejectFailedUnits(stream, rules.map, contexts[file]!, failedUnits))
      fallen.push(...rejects)
  }
  return { tally, fallen }
}

/** Runs a case. */
export async function runCase(folder: string, feeds: ReadonlyMap<string, FeedRules>): Promise<CaseResult> {
  const feed = basename(dirname(folder))
  const rules = feeds.get(feed)
  if (rules === undefined)
    throw new Error(`no job has a feed ${feed}; feeds are ${[...feeds.keys()].join(', ')}`)
  const names = (await readdir(folder)).filter(name => !EXPECTATIONS.test(name)).sort()
  const blocks: MappedBlock[] = []
  try {
    const paths = names.map(name => join(folder, name))
    const { tally, fallen } = await mapFiles(rules, paths, block => blocks.push(block))
    const { failedUnits, breach } = tally.result()
    const failed = new Set(failedUnits.map(({ file, unit }) => `${file}/${unit}`))
    const rejects = [...blocks.flatMap(block => block.rejects), ...fallen]
    return {
      rows: rowsOf(rules.map, blocks, failed),
      rejects: rejects.sort((a, b) => a.file - b.file || a.line - b.line).map(told),
      error: breach?.code ?? null,
    }
  } catch (error) {
    if (!(error instanceof TallymanError)) throw error
    return { rows: {}, rejects: [], error: error.code }
  }
}

function rowsOf(
  mapping: Mapping,
  blocks: readonly MappedBlock[],
  failed: ReadonlySet<string>,
): Record<string, Record<string, unknown>[]> {
  const byTable: Record<string, Record<string, unknown>[]> = {}
  for (const [name, table] of Object.entries(mapping.tables)) {
    const fields = Object.keys(table.columns).filter(field => field !== table.asOf)
    byTable[name] = blocks.flatMap(({ file, tables }) =>
      tables[name]!.rows.filter((_, index) => !failed.has(`${file}/${tables[name]!.units[index]}`)).map(row =>
        Object.fromEntries(fields.map((field, index) => [field, row[index]])),
      ),
    )
  }
  return byTable
}

/** Texts of parse are held by its own tests; those of map and of units belong to the mapping. */
function told({ file, line, step, unit, raw, issues }: Reject): Record<string, unknown> {
  return {
    file,
    line,
    step,
    unit,
    raw: raw.split('\n')[0]!.trim(),
    issues: issues.map(({ code, message, value }) =>
      step === 'map' ? { code, message, value } : { code, value },
    ),
  }
}

/** JSON with one row or reject per line, so that a diff shows what changed. */
export function readable(value: unknown): string {
  const list = (items: readonly unknown[], indent: string): string =>
    items.length === 0
      ? '[]'
      : `[\n${items.map(item => `${indent}  ${JSON.stringify(item)}`).join(',\n')}\n${indent}]`
  if (Array.isArray(value)) return `${list(value, '')}\n`
  const tables = Object.entries(value as Record<string, readonly unknown[]>)
  return `{\n${tables.map(([name, rows]) => `  ${JSON.stringify(name)}: ${list(rows, '  ')}`).join(',\n')}\n}\n`
}

if (process.argv[1] === import.meta.filename) {
  const feeds = await feedsOfJobs()
  for (const folder of process.argv.slice(2).map(path => resolve(path))) {
    const { rows, rejects, error } = await runCase(folder, feeds)
    if (error === null) {
      await writeFile(join(folder, 'expected-rows.json'), readable(rows))
      await writeFile(join(folder, 'expected-rejects.json'), readable(rejects))
    } else {
      await writeFile(join(folder, 'expected-error.json'), `${JSON.stringify({ error })}\n`)
    }
  }
}
