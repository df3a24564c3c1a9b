/**
 * What an API's answer says, row by row. An HTTP status alone says nothing about rows: the body is
 * always read, and what does not account for every row is no answer.
 */
import type { HttpAnswer } from '../http/http-request.ts'

/** What became of a row. `unprocessed`: the API says that it did not try it. */
export const ROW_STATUSES = ['created', 'updated', 'unchanged', 'rejected', 'unprocessed'] as const
export type RowStatus = (typeof ROW_STATUSES)[number]

/** What became of each row of a call, by position; `errors` by position of rejected rows. Kept in the `call` row. */
export interface CallResult {
  readonly statuses: readonly RowStatus[]
  readonly errors: Readonly<Record<number, { readonly code: string; readonly message: string }>>
}

/** An answer, understood. */
export type Answer =
  | { readonly kind: 'rows'; readonly result: CallResult }
  /** Whether it took effect is not known. */
  | { readonly kind: 'unknown'; readonly why: string }
  /** Nothing took effect; later. */
  | { readonly kind: 'throttled'; readonly retryAfterMs: number | null }
  /** Nothing took effect; the request is too large. */
  | { readonly kind: 'too-large' }
  /** Nothing took effect; the token is not accepted. */
  | { readonly kind: 'unauthorized' }
  /** Nothing took effect, and the same request never will. `byContent`: for what stands in it, so that some of its rows may pass. */
  | { readonly kind: 'refused'; readonly byContent: boolean; readonly words: string }

/** Longest text of an API that is kept, in characters. */
const TEXT_LIMIT = 200

/** "Bad request" and "unprocessable content": what atomic APIs say of a request with one wrong row. Other 4xx are about path, method, rights. */
const ABOUT_CONTENT: readonly number[] = [400, 422]

/** Whether a refusal with this status is about what stands in the request. */
export function isAboutContent(status: number): boolean {
  return ABOUT_CONTENT.includes(status)
}

/** Where an API says in its answer to a whole request why it refuses it: its own message, or RFC 9457's detail and title. */
const REASONS = ['message', 'detail', 'error', 'title'] as const

/** What an answer to `items` rows says. */
export function readAnswer(answer: HttpAnswer, items: number): Answer {
  const { status } = answer
  if (status === 200 || status === 201 || status === 207) return readRows(answer.body, items)
  if (status === 413) return { kind: 'too-large' }
  if (status === 401) return { kind: 'unauthorized' }
  if (status === 429 || (status === 503 && answer.retryAfterMs !== null)) {
    return { kind: 'throttled', retryAfterMs: answer.retryAfterMs }
  }
  // 408 and 425 ask for the same request again; a gateway's 5xx may come after the API behind it did the work.
  if (status >= 500 || status === 408 || status === 425) return { kind: 'unknown', why: `status ${status}` }
  if (status >= 400) {
    return { kind: 'refused', byContent: isAboutContent(status), words: reasonIn(answer.body) }
  }
  return { kind: 'unknown', why: `status ${status} without results` }
}

function readRows(body: string, items: number): Answer {
  let results: unknown
  try {
    results = (JSON.parse(body) as { results?: unknown } | null)?.results
  } catch {
    return { kind: 'unknown', why: 'an answer that is no JSON' }
  }
  if (!Array.isArray(results)) return { kind: 'unknown', why: 'an answer without results' }
  const statuses: RowStatus[] = new Array<RowStatus>(items)
  const errors: Record<number, { code: string; message: string }> = {}
  let seen = 0
  for (const entry of results as unknown[]) {
    const { index, status, error } = (entry ?? {}) as { index?: unknown; status?: unknown; error?: unknown }
    const known = ROW_STATUSES.find(name => name === status)
    if (
      typeof index !== 'number' ||
      !Number.isInteger(index) ||
      index < 0 ||
      index >= items ||
      known === undefined
    ) {
      return { kind: 'unknown', why: 'a result that names no row or no known status' }
    }
    if (statuses[index] !== undefined) return { kind: 'unknown', why: `two results for row ${index}` }
    statuses[index] = known
    seen += 1
    if (known === 'rejected') errors[index] = readError(error)
  }
  return seen === items
    ? { kind: 'rows', result: { statuses, errors } }
    : { kind: 'unknown', why: `results for ${seen} of ${items} rows` }
}

function readError(error: unknown): { code: string; message: string } {
  const { code, message } = (error ?? {}) as { code?: unknown; message?: unknown }
  return { code: cleaned(code, 'no code'), message: cleaned(message, 'no reason given') }
}

/** Why a whole request was refused, in the API's words. */
function reasonIn(body: string): string {
  let said: unknown
  try {
    said = JSON.parse(body)
  } catch {
    return cleaned(body, 'no reason given')
  }
  const fields = (said ?? {}) as Readonly<Record<string, unknown>>
  const nested = fields.error as { readonly message?: unknown } | null | undefined
  const texts = [...REASONS.map(name => fields[name]), nested?.message, said]
  return cleaned(
    texts.find(text => typeof text === 'string'),
    'no reason given',
  )
}

/** Foreign text for a message: one line, bounded, nothing that moves a cursor. */
function cleaned(text: unknown, otherwise: string): string {
  if (typeof text !== 'string' || text.trim() === '') return otherwise
  const plain = text
    .toWellFormed()
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ')
    .trim()
  return plain.length > TEXT_LIMIT ? `${plain.slice(0, TEXT_LIMIT)}…` : plain
}
