/**
 * Mistakes in where a job's files come from and how they are read: fetch and parse, for the job's
 * own feed and for the second feed of a reconciliation. The rest of a job: check-job.ts.
 */
import type { EnvironmentFile } from '../model/environment.ts'
import { ConfigError } from '../model/errors.ts'
import type { FetchSpec, ParseSpec } from '../model/job.ts'
import type { Mapping } from '../model/mapping.ts'
import { type NamePattern, namePattern } from '../model/time/date-tokens.ts'
import { type Complain, NAME } from './complaint.ts'

/** What a file pattern may hold. */
const PATTERN_FORM =
  'a glob with date tokens of yyyy, yy, MM, M, dd, d, ooo in braces, such as SHIP_{yyyyMMdd}_*.csv'

/** Mistakes of a source of files. */
export function checkFetch(spec: FetchSpec, environment: EnvironmentFile, complain: Complain): void {
  if (!NAME.test(spec.feed))
    complain('fetch.feed', `${JSON.stringify(spec.feed)} is no name`, 'lower-case letters, digits and dashes')
  if (spec.kind === 'sftp' && environment.sftp[spec.endpoint] === undefined) {
    const known = Object.keys(environment.sftp).join(', ') || 'none'
    complain(
      'fetch.endpoint',
      `the environment ${environment.name} has no SFTP endpoint ${JSON.stringify(spec.endpoint)}`,
      `one of: ${known}; or add it to environments/${environment.name}.ts`,
    )
  }
  if (spec.files.trim() === '')
    complain('fetch.files', 'names no files', "a glob such as 'SHIP_{yyyyMMdd}_*.csv'")
  if (spec.files.includes('/'))
    complain('fetch.files', 'names a folder as well', 'put the folder into `folder`')
  const pattern = checkPattern('fetch.files', spec.files, complain)
  if (spec.dateFrom === 'name' && pattern?.tellsDate === false) {
    complain(
      'fetch.dateFrom',
      "is 'name', but `files` tells no whole date",
      "add date tokens such as {yyyyMMdd}, or dateFrom: 'calendar'",
    )
  }
  if (typeof spec.dateFrom === 'object') checkContentDate(spec.dateFrom, complain)
  checkWholeness(spec, complain)
  for (const [limit, value] of Object.entries(spec.limits)) {
    if (!(value > 0)) complain(`fetch.limits.${limit}`, `${value} lets nothing pass`, 'a positive number')
  }
}

/** Mistakes in when a file is whole, and in what becomes of it afterwards. */
function checkWholeness({ completeWhen, after, folder }: FetchSpec, complain: Complain): void {
  if (completeWhen.kind === 'settled') {
    if (!(completeWhen.forMs >= 0))
      complain(
        'fetch.completeWhen',
        `${completeWhen.forMs} ms is no time`,
        'such as settled({ forMs: 10_000 })',
      )
  } else if (completeWhen.file.trim() === '' || completeWhen.file === '{name}') {
    complain(
      'fetch.completeWhen',
      `${JSON.stringify(completeWhen.file)} names no ${completeWhen.kind} file beside the delivery`,
      `such as ${completeWhen.kind}('{name}.${completeWhen.kind === 'marker' ? 'done' : 'sha256'}')`,
    )
  }
  if (typeof after === 'object' && after.move === folder)
    complain('fetch.after', 'moves files to where they lie', "another folder, or 'leave'")
}

/** The matcher of a pattern, null where it can't be used. */
function checkPattern(part: string, source: string, complain: Complain): NamePattern | null {
  try {
    return namePattern(source)
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    const { why } = error.details
    complain(part, `${JSON.stringify(source)} can't be used: ${String(why)}`, PATTERN_FORM)
    return null
  }
}

function checkContentDate(rule: Exclude<FetchSpec['dateFrom'], string>, complain: Complain): void {
  try {
    const groups = new RegExp(`${rule.content}|`, 'mu').exec('')?.length ?? 0
    if (groups !== 2)
      complain('fetch.dateFrom.content', `has ${groups - 1} groups`, 'exactly one group, around the date')
  } catch {
    complain(
      'fetch.dateFrom.content',
      'is no regular expression',
      'a pattern with one group, around the date',
    )
  }
  const format = checkPattern('fetch.dateFrom.format', `{${rule.format}}`, complain)
  if (format?.tellsDate === false)
    complain('fetch.dateFrom.format', `${JSON.stringify(rule.format)} is no whole date`, 'such as dd.MM.yyyy')
}

/**
 * Mistakes between a parser and the mapping that takes its records. `at` goes before the part's name;
 * `refused`: the parser's builder has told what is wrong in itself.
 */
export function checkParse(
  spec: ParseSpec,
  mapping: Mapping,
  refused: boolean,
  complain: Complain,
  at: string,
): void {
  const kinds = spec.format === 'xml' ? Object.keys(spec.records) : ['record']
  for (const kind of Object.keys(mapping.sources)) {
    if (!kinds.includes(kind))
      complain(
        `${at}map`,
        `maps records of kind ${kind}, which the parser never gives`,
        `kinds are: ${kinds.join(', ')}`,
      )
  }
  for (const kind of kinds) {
    const needed = mapping.sources[kind]
    if (needed === undefined)
      complain(
        `${at}map`,
        `has no rule for records of kind ${kind}, so they would be lost`,
        `map it, filter it with a reason, or drop it from the parser`,
      )
    else if (spec.format === 'xml') {
      const given = new Set(spec.records[kind]!.columns)
      for (const path of needed) {
        if (!given.has(path))
          complain(
            `${at}parse.records.${kind}`,
            `does not read ${JSON.stringify(path)}, which the mapping needs`,
            'add it to `columns`',
          )
      }
    } else {
      const [part, named] =
        typeof spec.header === 'object' ? ['header', spec.header] : ['columns', spec.columns]
      const given = new Set(named ?? needed)
      for (const name of needed) {
        if (!given.has(name))
          complain(
            `${at}parse.${part}`,
            `does not name the column ${JSON.stringify(name)}, which the mapping needs`,
            part === 'header' ? 'add it at its place' : 'add it, or drop `columns`',
          )
      }
    }
  }
  if (spec.format !== 'csv' || refused) return
  if (spec.delimiter === '') complain(`${at}parse.delimiter`, 'is empty', 'one or more characters')
  if (spec.delimiter === spec.quote)
    complain(`${at}parse.quote`, 'is the delimiter', 'another character, or null for a file without quoting')
  if (typeof spec.header === 'object' && new Set(spec.header).size !== spec.header.length) {
    complain(`${at}parse.header`, 'names a column twice', 'give each column its own name')
  }
}
