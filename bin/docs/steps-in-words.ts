/**
 * The steps of a job in sentences, for its page. Pure: a job definition in, Markdown out. The page as
 * a whole is made in job-page.ts, the mapping's tables in lib/map/describe.ts.
 */
import { describeTable } from '../../lib/map/describe.ts'
import type {
  ApiLoad,
  ComparingJob,
  CsvSpec,
  FetchSpec,
  LoadSpec,
  ParseSpec,
  PostgresLoad,
  Reconciliation,
  RejectLimit,
  Scope,
  Side,
  XmlSpec,
} from '../../lib/model/job.ts'
import type { LoadMode } from '../../lib/model/run.ts'
import { ruleInWords, wholeInWords } from './whole-in-words.ts'

const code = (text: string): string => `\`${text}\``

/** A text with control characters made visible. */
const shown = (text: string): string => code(text.replace(/\t/g, 'TAB').replace(/\p{Cc}/gu, '·'))

const bullets = (lines: readonly string[]): string => lines.map(line => `- ${line}`).join('\n')

/** Where files come from, and when they are whole. */
export function fetchInWords(spec: FetchSpec): string {
  const place = spec.kind === 'sftp' ? `SFTP endpoint ${code(spec.endpoint)}` : 'Folder'
  const rule = spec.completeWhen
  const whole = {
    settled: () => `when its size and time stay the same for ${'forMs' in rule ? rule.forMs / 1000 : 0} s`,
    marker: () => `when ${code('file' in rule ? rule.file : '')} lies beside it`,
    checksum: () => `when it has the checksum that ${code('file' in rule ? rule.file : '')} states`,
  }[rule.kind]()
  const date =
    spec.dateFrom === 'name'
      ? "from the file's name"
      : spec.dateFrom === 'calendar'
        ? 'that of the run'
        : `from its content, ${code(spec.dateFrom.content)}`
  const after =
    typeof spec.after === 'object'
      ? `moved to ${code(spec.after.move)}`
      : `${spec.after === 'leave' ? 'left' : 'deleted'}`
  return bullets([
    `${place}, folder ${code(spec.folder)}, files ${code(spec.files)} (feed ${code(spec.feed)}).`,
    `${spec.perDate === 'one' ? 'One file' : 'Any number of files'} per business date; the date is ${date}.`,
    `A file is whole ${whole}.${spec.decode.length === 0 ? '' : ` Decoded by ${spec.decode.join(', then ')}.`}`,
    `After the load it is ${after} on the server.`,
  ])
}

function csvInWords(spec: CsvSpec): string {
  const { trailer } = spec
  const lines = [
    `CSV, delimiter ${shown(spec.delimiter)}, ${spec.quote === null ? 'no quoting' : `quote ${shown(spec.quote)}`}, charset ${spec.charset}.`,
    spec.header === 'first'
      ? 'Columns by the header; their order is free.'
      : `No header; columns are ${spec.header.map(code).join(', ')}.`,
  ]
  if (spec.footer.length > 0)
    lines.push(`Data ends at a line that starts with ${spec.footer.map(shown).join(' or ')}.`)
  if (trailer !== null) {
    const count = trailer.count === undefined ? [] : [`the number of records in cell ${trailer.count}`]
    const sums = Object.entries(trailer.sums ?? {}).map(
      ([at, column]) => `the sum of ${code(column)} in cell ${at}`,
    )
    lines.push(
      `The last line starts with ${shown(trailer.starts)} and states ${[...count, ...sums].join(' and ')}; without it the file is refused.`,
    )
  }
  return bullets(lines)
}

function xmlInWords(spec: XmlSpec): string {
  const kinds = Object.entries(spec.records).map(
    ([kind, { path }]) => `Records of kind ${code(kind)}: each ${code(path)}.`,
  )
  const controls = Object.entries(spec.controls).map(
    ([name, path]) =>
      `Control ${code(name)}: ${code(path)}${name === spec.countControl ? `, which must be the number of records${countedInWords(spec)}` : ''}.`,
  )
  return bullets([
    'XML; namespaces are not told apart unless a prefix says so; a DOCTYPE is refused.',
    ...kinds,
    ...controls,
  ])
}

function countedInWords({ countedKinds }: XmlSpec): string {
  return countedKinds === undefined ? '' : ` of kind ${countedKinds.map(code).join(' and ')}`
}

/** What the files look like. */
export function parseInWords(spec: ParseSpec): string {
  const empty = spec.allowEmpty ? 'A file without records is valid.' : 'A file without records is refused.'
  return `${spec.format === 'csv' ? csvInWords(spec) : xmlInWords(spec)}\n- ${empty}`
}

const MODES: Readonly<Record<LoadMode, string>> = {
  append: 'rows are added; nothing is ever changed',
  upsert: 'rows win by key, never older over newer; keys that a later file lacks stay',
  mirror: 'the table equals the set; what is gone there is deleted here',
  replace: 'the rows of the business date equal its set; other dates are never touched',
}

function rejectsInWords({ maxCount, maxPercent, minRecords }: RejectLimit): string {
  return `More than ${maxCount} rejects, or more than ${maxPercent} % of at least ${minRecords} records, and nothing is published.`
}

function postgresInWords(spec: PostgresLoad): string[] {
  const lines = [
    `Postgres, mode **${spec.mode}**${spec.scope === null ? '' : ` within ${code(spec.scope)}`}: ${MODES[spec.mode]}.`,
  ]
  lines.push(rejectsInWords(spec.rejects))
  if (spec.mode === 'mirror' || spec.mode === 'replace')
    lines.push(
      `A load that would delete more than ${spec.maxDeletePercent} % of the rows in scope publishes nothing.`,
    )
  return lines
}

function apiInWords(spec: ApiLoad): string[] {
  return [
    `Bulk API ${code(spec.endpoint)}, path ${code(spec.path)}: a JSON array of at most ${spec.maxItems} rows and ${spec.maxBytes} bytes per request, with an idempotency key; an answer per row.`,
    rejectsInWords(spec.rejects),
  ]
}

/** Where rows go, and the tables they go to. */
export function loadInWords(spec: LoadSpec): string {
  const lines = spec.kind === 'postgres' ? postgresInWords(spec) : apiInWords(spec)
  return [bullets(lines), ...Object.values(spec.tables).map(describeTable)].join('\n\n')
}

function scopeInWords(scope: Scope): string {
  if (scope === 'all') return 'all rows'
  return scope === 'keysOfOther'
    ? 'the keys of the other side'
    : `rows of the business date (${code(scope.businessDate)})`
}

function sideInWords(side: Side): string {
  switch (side.kind) {
    case 'mapped':
      return 'the mapped records of the run'
    case 'target':
      return `the target table after the load, ${scopeInWords(side.scope)}`
    case 'query': {
      const of = side.database === undefined ? '' : ` of the database ${code(side.database)}`
      return `a query${of}, ${scopeInWords(side.scope)}`
    }
    case 'snapshot': {
      const whose = `${side.job === null ? '' : `${code(side.job)}, `}${code(side.comparison)}`
      const days = side.daysBefore === 1 ? 'the business day' : `${side.daysBefore} business days`
      const when = side.daysBefore === 0 ? 'the same date' : `${days} before`
      return `the ${side.side} of ${whose} as it was stored for ${when}, ${scopeInWords(side.scope)}`
    }
    case 'http':
      return `the API ${code(side.endpoint)}, ${code(side.path)}, through ${code(side.map.name)}, ${scopeInWords(side.scope)}`
    case 'parquet':
      return `Parquet files ${code(side.fetch.files)} of feed ${code(side.fetch.feed)}, ${scopeInWords(side.scope)}`
    case 'files':
      return `files ${code(side.fetch.files)} of feed ${code(side.fetch.feed)} through ${code(side.map.name)}, ${scopeInWords(side.scope)}`
  }
}

function comparisonInWords(comparison: Reconciliation): string {
  const { name, source, target, rules, ignore } = comparison
  const special = Object.entries(rules).map(([column, rule]) => ruleInWords(column, rule))
  const how =
    special.length === 0 ? 'every column exactly' : `${special.join('; ')}; every other column exactly`
  const ignored = ignore.length === 0 ? '' : ` Not compared: ${ignore.map(code).join(', ')}.`
  return `**${name}**: ${sideInWords(source)}, against ${sideInWords(target)}. Compared: ${how}.${ignored}${wholeInWords(comparison)}${resolveInWords(comparison)}`
}

/** What plans may change; empty where nothing is ever proposed. */
function resolveInWords({ resolve }: Reconciliation): string {
  if (resolve === undefined) return ''
  const decides = (['source', 'target'] as const).flatMap(side => {
    const columns = Object.entries(resolve.authority).filter(([, right]) => right === side)
    const about = [
      ...columns.map(([column]) => code(column)),
      ...(resolve.rows === side ? ['which rows there are'] : []),
    ]
    return about.length === 0 ? [] : [`the ${side} decides about ${about.join(', ')}`]
  })
  return ` Resolving: ${decides.join('; ')}; a plan changes at most ${resolve.maxRows} rows worth ${resolve.maxAmount}, and deletes none.`
}

/** What is compared with what. */
export function reconcileInWords(
  comparisons: readonly Reconciliation[],
  load: Pick<LoadSpec, 'kind'> | null,
): string {
  if (comparisons.length > 0) return bullets(comparisons.map(comparisonInWords))
  return load?.kind === 'api'
    ? 'Nothing can be read back from this API. Its answer to each row is kept, and sent = applied + unchanged + rejected + unprocessed + unknown must balance.'
    : 'Nothing is compared.'
}

/** What a job that only compares does instead of moving records. */
export function comparingInWords({ shadow }: ComparingJob): string {
  if (shadow === null) return 'This job only compares: it moves nothing, and no target is changed by it.'
  return `This job runs in shadow of ${shadow.of}: it loads nothing, and compares until ${shadow.nights} nights in a row are CLEAN.`
}
