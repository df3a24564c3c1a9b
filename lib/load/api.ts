/**
 * `api({ ... })`: says how the mapped rows of a job take effect at a bulk API. Plain data with
 * defaults; what can't be honoured is refused here. Who does it, and the protocol: load-into-api.ts.
 */
import { ConfigError } from '../model/errors.ts'
import type { ApiLoad, LoadTables, RejectLimit } from '../model/job.ts'
import { refuseDefinition } from '../model/refusal.ts'
import type { TableDefinition } from '../model/table.ts'
import { DEFAULT_REJECT_LIMIT } from './postgres.ts'

/** Rows of one request: what common bulk APIs take at least (Salesforce collections 200, most others 500 to 10,000). */
const DEFAULT_MAX_ITEMS = 200

/** Bytes of one request: 1 MiB passes the default limit of common proxies. */
const DEFAULT_MAX_BYTES = 1024 * 1024

/** What a load into an API can be told besides its table. */
export interface ApiOptions {
  /** Name of an API of the environment. */
  readonly endpoint: string
  /** Below the endpoint's address: `v1/hours`. */
  readonly path: string
  readonly maxItems?: number
  readonly maxBytes?: number
  readonly rejects?: Partial<RejectLimit>
}

/**
 * A load of one table's rows into a bulk API. Rows go out as JSON objects by field name.
 * @throws CONFIG_LOAD_INVALID for limits that no row can pass, or several tables
 */
export function api<const T extends TableDefinition>(
  options: ApiOptions & { readonly table: T },
): ApiLoad<{ readonly rows: T }>
export function api<const T extends LoadTables>(options: ApiOptions & { readonly tables: T }): ApiLoad<T>
export function api(
  options: ApiOptions & { readonly table?: TableDefinition; readonly tables?: LoadTables },
): ApiLoad {
  const tables: LoadTables = options.tables ?? (options.table === undefined ? {} : { rows: options.table })
  const maxItems = options.maxItems ?? DEFAULT_MAX_ITEMS
  const maxBytes = options.maxBytes ?? DEFAULT_MAX_BYTES
  const complaints: string[] = []
  const count = Object.keys(tables).length
  if (count !== 1) complaints.push(`it has ${count} tables; a request carries the rows of one`)
  if (!(Number.isSafeInteger(maxItems) && maxItems >= 1)) complaints.push(`maxItems is ${maxItems}`)
  if (!(Number.isSafeInteger(maxBytes) && maxBytes >= 1_024))
    complaints.push(`maxBytes is ${maxBytes}, below 1024`)
  const rejects: RejectLimit = { ...DEFAULT_REJECT_LIMIT, ...options.rejects }
  for (const [name, value] of Object.entries(rejects)) {
    if (!(value >= 0)) complaints.push(`rejects.${name} is ${value}`)
  }
  const { endpoint, path } = options
  const spec: ApiLoad = { kind: 'api', endpoint, path, tables, maxItems, maxBytes, rejects }
  if (complaints.length > 0) {
    const text = `The load into API ${endpoint}/${path} can't be honoured: ${complaints.join('; ')}. Nothing was started.`
    refuseDefinition(new ConfigError('CONFIG_LOAD_INVALID', text), spec)
  }
  return spec
}
