/**
 * A bulk API over HTTP in this process: a JSON array of rows in, one result per row out, idempotency
 * keys remembered, and the faults such APIs show at night. Where the rows end up is an ApiStore
 * (in memory here). Used by tests and by the demo as its payroll system. The protocol is the one that
 * lib/load/api.ts speaks: docs of it stand there.
 */
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A row as sent. */
export type ApiItem = Readonly<Record<string, string | number | boolean | null>>

/** What became of one row; `index` is its position in the request. */
export interface ApiResult {
  readonly index: number
  readonly status: 'created' | 'updated' | 'unchanged' | 'rejected' | 'unprocessed'
  readonly error?: { readonly code: string; readonly message: string }
}

/** Where rows end up. */
export interface ApiStore {
  /**
   * Applies the rows and remembers the results under the key, atomically. A known key gives the
   * remembered results and applies nothing; a known key with another body gives `conflict`.
   */
  apply(
    key: string,
    bodyHash: string,
    items: readonly ApiItem[],
    judge: (item: ApiItem) => ApiResult['error'] | null,
  ): Promise<readonly ApiResult[] | 'conflict'>
}

/** Rows in a map by their key fields; `rows` shows them, `effects` counts how often each was written. */
export class MemoryStore implements ApiStore {
  readonly rows = new Map<string, ApiItem>()
  readonly effects = new Map<string, number>()
  readonly #keyFields: readonly string[]
  readonly #answers = new Map<string, { bodyHash: string; results: readonly ApiResult[] }>()

  constructor(keyFields: readonly string[]) {
    this.#keyFields = keyFields
  }

  async apply(
    key: string,
    bodyHash: string,
    items: readonly ApiItem[],
    judge: (item: ApiItem) => ApiResult['error'] | null,
  ): Promise<readonly ApiResult[] | 'conflict'> {
    const known = this.#answers.get(key)
    if (known !== undefined) return known.bodyHash === bodyHash ? known.results : 'conflict'
    const results = items.map((item, index): ApiResult => {
      const error = judge(item)
      return error === null || error === undefined
        ? { index, status: this.#put(item) }
        : { index, status: 'rejected', error }
    })
    this.#answers.set(key, { bodyHash, results })
    return results
  }

  #put(item: ApiItem): 'created' | 'updated' | 'unchanged' {
    const id = JSON.stringify(this.#keyFields.map(field => item[field] ?? null))
    const before = this.rows.get(id)
    if (before !== undefined && JSON.stringify(before) === JSON.stringify(item)) return 'unchanged'
    this.rows.set(id, item)
    this.effects.set(id, (this.effects.get(id) ?? 0) + 1)
    return before === undefined ? 'created' : 'updated'
  }
}

/** What goes wrong with one request. Everything but `half`, `truncated`, `garbage`, `unprocessed` and `drop-after-commit` applies nothing. */
export type ApiFault =
  /** 429, or another status, with Retry-After as given (seconds or an HTTP date). */
  | { readonly kind: 'throttle'; readonly retryAfter?: string; readonly status?: number }
  | { readonly kind: 'error'; readonly status: number; readonly body?: string }
  /** Hangs up before anything was applied. */
  | { readonly kind: 'drop-before' }
  /** Applies all, then hangs up. */
  | { readonly kind: 'drop-after-commit' }
  /** Applies all, gives results for the first half only. */
  | { readonly kind: 'half' }
  /** Applies all, hangs up in the middle of the answer's body. */
  | { readonly kind: 'truncated' }
  /** Applies all, answers 200 with something that is no answer. */
  | { readonly kind: 'garbage'; readonly body: string }
  /** Applies all but the last row and says so. */
  | { readonly kind: 'unprocessed' }
  | { readonly kind: 'redirect'; readonly location: string }
  /** Applies all, never answers. */
  | { readonly kind: 'silent' }

/** A request as it came in. */
export interface ApiRequest {
  readonly path: string
  readonly key: string
  readonly bodyHash: string
  readonly items: readonly ApiItem[]
}

/** How the peer is started. */
export interface ApiPeerOptions {
  readonly store: ApiStore
  /** Bearer token that is asked for; none by default. */
  readonly token?: string
}

/** A running peer. */
export interface ApiPeer {
  /** `http://127.0.0.1:port`. */
  readonly baseUrl: string
  /** Requests read whole, in order, those with faults too. */
  readonly requests: ApiRequest[]
  /** Taken one by one by the next requests. */
  readonly faults: ApiFault[]
  /** Rules that hold until changed. */
  readonly rules: {
    /** Refuses a row: its error, or null. */
    reject: (item: ApiItem) => ApiResult['error'] | null
    /** Words with which a row makes the API refuse its whole request (422, nothing applied), or null: what atomic APIs do. */
    poison: (item: ApiItem) => string | null
    /** Bodies longer than this get 413. */
    maxBytes: number
    /** Awaited before each answer: a test holds it as long as it likes. */
    beforeAnswer: (request: ApiRequest) => Promise<void>
  }
  close(): Promise<void>
}

/** Starts an API on a free port of the loopback. */
export async function startApiPeer(options: ApiPeerOptions): Promise<ApiPeer> {
  const requests: ApiRequest[] = []
  const faults: ApiFault[] = []
  const rules: ApiPeer['rules'] = {
    reject: () => null,
    poison: () => null,
    maxBytes: Number.POSITIVE_INFINITY,
    beforeAnswer: async () => {},
  }

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const body = Buffer.concat(chunks)
    if (options.token !== undefined && request.headers.authorization !== `Bearer ${options.token}`) {
      return send(response, 401, { message: 'Not logged in' })
    }
    if (body.length > rules.maxBytes) return send(response, 413, { message: 'Too large' })
    const items = parseItems(body)
    const key = request.headers['idempotency-key']
    if (items === null || typeof key !== 'string')
      return send(response, 400, { message: 'Not a JSON array with an Idempotency-Key' })
    const bodyHash = createHash('sha256').update(body).digest('hex')
    const seen: ApiRequest = { path: request.url ?? '', key, bodyHash, items }
    requests.push(seen)
    const fault = faults.shift()
    if (fault !== undefined && refuse(fault, response)) return
    const refusal = items.map(item => rules.poison(item)).find(words => words !== null)
    if (refusal !== undefined) return send(response, 422, { message: refusal })
    const applied = fault?.kind === 'unprocessed' ? items.slice(0, -1) : items
    const results = await options.store.apply(key, bodyHash, applied, rules.reject)
    await rules.beforeAnswer(seen)
    if (results === 'conflict')
      return send(response, 422, { message: 'This Idempotency-Key was used with another body' })
    reply(fault, results, items.length, response)
  }

  const server = createServer((request, response) => {
    answer(request, response).catch((error: Error) => send(response, 500, { message: error.message }))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    faults,
    rules,
    close: async () => {
      server.closeAllConnections()
      await new Promise<void>(resolve => server.close(() => resolve()))
    },
  }
}

function parseItems(body: Buffer): ApiItem[] | null {
  try {
    const value: unknown = JSON.parse(body.toString('utf8'))
    return Array.isArray(value) ? (value as ApiItem[]) : null
  } catch {
    return null
  }
}

function send(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body))
}

/** Answers a fault that applies nothing; false for the others. */
function refuse(fault: ApiFault, response: ServerResponse): boolean {
  switch (fault.kind) {
    case 'throttle':
      send(
        response,
        fault.status ?? 429,
        { message: 'Too many requests' },
        fault.retryAfter === undefined ? {} : { 'retry-after': fault.retryAfter },
      )
      return true
    case 'error':
      response.writeHead(fault.status).end(fault.body ?? 'the server broke')
      return true
    case 'drop-before':
      response.destroy()
      return true
    case 'redirect':
      response.writeHead(307, { location: fault.location }).end()
      return true
    default:
      return false
  }
}

/** Answers after the rows were applied. */
function reply(
  fault: ApiFault | undefined,
  results: readonly ApiResult[],
  sent: number,
  response: ServerResponse,
): void {
  switch (fault?.kind) {
    case 'drop-after-commit':
      response.destroy()
      return
    case 'silent':
      return
    case 'half':
      send(response, 200, { results: results.slice(0, Math.ceil(results.length / 2)) })
      return
    case 'garbage':
      response.writeHead(200, { 'content-type': 'application/json' }).end(fault.body)
      return
    case 'truncated': {
      const text = JSON.stringify({ results })
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': String(text.length) })
      response.write(text.slice(0, text.length / 2), () => response.destroy())
      return
    }
    default: {
      const rest = Array.from(
        { length: sent - results.length },
        (_, i): ApiResult => ({ index: results.length + i, status: 'unprocessed' }),
      )
      send(response, 200, { results: [...results, ...rest] })
    }
  }
}
