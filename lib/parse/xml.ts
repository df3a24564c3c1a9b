/**
 * The builder `xml({...})`: how a job says which elements of an XML file are its records. The paths'
 * grammar is in xml-paths.ts, the file is read in xml-stream.ts.
 */
import { ConfigError } from '../model/errors.ts'
import type { XmlSpec } from '../model/job.ts'
import { refuseDefinition } from '../model/refusal.ts'
import { compilePaths } from './xml-paths.ts'

/** What may be said of an XML file; see {@link XmlSpec} for each. */
export interface XmlOptions {
  /** Kinds of records. `columns` may be left out: then they are those the mapping needs. */
  readonly records: Readonly<Record<string, { readonly path: string; readonly columns?: readonly string[] }>>
  /** Default none: a step matches its local name in any namespace. */
  readonly namespaces?: Readonly<Record<string, string>>
  /** Default none. */
  readonly controls?: Readonly<Record<string, string>>
  /** Default null. */
  readonly countControl?: string | null
  /** Default: all kinds. */
  readonly countedKinds?: readonly string[]
  /** Default: what the byte order mark or the XML declaration says, else `utf-8`. A charset given here must agree with them. */
  readonly charset?: string
  /** Default false. */
  readonly allowEmpty?: boolean
  /** Default 8 MiB; counted in characters of the texts that are kept of a record, and between two tags. */
  readonly maxRecordBytes?: number
  /** Default 64. */
  readonly maxDepth?: number
}

/** Far above any statement's longest text, far below what memory could not take. */
const MAX_RECORD_BYTES = 8_388_608

/** ISO 20022 messages reach 13 levels. */
const MAX_DEPTH = 64

/**
 * An XML file. `xml({ records: { rate: { path: 'Envelope/Cube/Cube/Cube', columns: ['@currency', '@rate', '../@time'] } } })`.
 * @throws CONFIG_PARSE_INVALID naming everything in the declaration that can't be meant.
 */
export function xml(options: XmlOptions): XmlSpec {
  const spec: XmlSpec = {
    format: 'xml',
    records: Object.fromEntries(
      Object.entries(options.records).map(([kind, { path, columns }]) => [
        kind,
        { path, columns: columns ?? [] },
      ]),
    ),
    namespaces: options.namespaces ?? {},
    controls: options.controls ?? {},
    countControl: options.countControl ?? null,
    allowEmpty: options.allowEmpty ?? false,
    maxRecordBytes: options.maxRecordBytes ?? MAX_RECORD_BYTES,
    maxDepth: options.maxDepth ?? MAX_DEPTH,
    ...(options.charset === undefined ? {} : { charset: options.charset }),
    ...(options.countedKinds === undefined ? {} : { countedKinds: options.countedKinds }),
  }
  const { complaints } = compilePaths(spec, () => [])
  if (Object.keys(spec.records).length === 0) complaints.push('records names no kind')
  if (spec.countControl !== null && !Object.hasOwn(spec.controls, spec.countControl)) {
    complaints.push(`countControl ${JSON.stringify(spec.countControl)} is not among controls`)
  }
  for (const kind of spec.countedKinds ?? []) {
    if (!Object.hasOwn(spec.records, kind))
      complaints.push(`countedKinds names ${JSON.stringify(kind)}, which is not among records`)
  }
  if (complaints.length > 0) {
    const text = `xml(...) can't be used: ${complaints.join('; ')}. Nothing was started.`
    refuseDefinition(new ConfigError('CONFIG_PARSE_INVALID', text), spec)
  }
  return spec
}
