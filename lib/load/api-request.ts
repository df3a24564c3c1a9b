/**
 * One request of a call, and what it came to: rows accounted for, a refusal, or a reason to ask again.
 * When to ask again is api-pace.ts; what is written down is api-call.ts.
 */
import { type HttpAnswer, type HttpRequest, sendRequest } from '../http/http-request.ts'
import { LoadError } from '../model/errors.ts'
import type { Secret } from '../model/secret.ts'
import { type CallResult, readAnswer } from './api-answer.ts'
import type { CallBody, CallSite } from './call-body.ts'

/** A bulk request of 1 MiB is answered in seconds by a healthy API; common gateways give up at 60 s. */
const ANSWER_WITHIN_MS = 90_000

/** Results of 10,000 rows with a message each are about 3 MB. */
const MAX_ANSWER_BYTES = 16 * 1024 * 1024

/** What a request came to, with the status of its answer; null when there was none. */
export type RequestEnd = { readonly status: number | null } & (
  | { readonly kind: 'rows'; readonly result: CallResult }
  | { readonly kind: 'too-large' }
  | { readonly kind: 'refused'; readonly error: LoadError }
  /** Nothing took effect. */
  | { readonly kind: 'unauthorized' }
  /** Nothing took effect. */
  | { readonly kind: 'throttled'; readonly retryAfterMs: number | null }
  /** May have taken effect when the error says `verify-first`. */
  | { readonly kind: 'again'; readonly error: LoadError }
)

/**
 * Sends the request once. `mayHaveHappened`: an earlier one of this key got no answer; then a refusal
 * proves nothing about that one, and rows may not go out under another key.
 * @throws what sendRequest throws and no retry can mend
 */
export async function requestOnce(
  site: CallSite,
  call: CallBody,
  token: Secret | null,
  mayHaveHappened: boolean,
): Promise<RequestEnd> {
  const request: HttpRequest = {
    method: 'POST',
    url: site.url,
    headers: { 'content-type': 'application/json', accept: 'application/json', 'idempotency-key': call.key },
    body: call.body,
    token,
    timeoutMs: ANSWER_WITHIN_MS,
    maxAnswerBytes: MAX_ANSWER_BYTES,
  }
  let answer: HttpAnswer
  try {
    answer = await sendRequest(request, site.context.clock, site.context.signal)
  } catch (error) {
    if (error instanceof LoadError && error.retry !== 'never') return { kind: 'again', status: null, error }
    throw error
  }
  const { status } = answer
  const read = readAnswer(withoutToken(answer, token), call.items)
  switch (read.kind) {
    case 'unknown':
      return { kind: 'again', status, error: unknown(site, call, read.why) }
    case 'too-large':
    case 'refused':
      if (mayHaveHappened) {
        const why = `no answer to an earlier request and now refuses it with status ${status}`
        return { kind: 'again', status, error: unknown(site, call, why) }
      }
      return read.kind === 'too-large'
        ? { kind: 'too-large', status }
        : { kind: 'refused', status, error: refused(site, status) }
    default:
      return { ...read, status }
  }
}

/** The answer's words are kept with each refused row and mailed; one that repeats our token must not spread it. */
function withoutToken(answer: HttpAnswer, token: Secret | null): HttpAnswer {
  return token === null ? answer : { ...answer, body: answer.body.replaceAll(token.reveal(), String(token)) }
}

function unknown(site: CallSite, call: CallBody, why: string): LoadError {
  return new LoadError(
    'LOAD_OUTCOME_UNKNOWN',
    `${site.target} gave ${why} to ${call.items} rows (key ${call.key}), so it is not known which of them took effect. They are sent again under the same key, which can't take effect twice.`,
    { retry: 'verify-first', details: { target: site.target, key: call.key, items: call.items } },
  )
}

function refused(site: CallSite, status: number): LoadError {
  return new LoadError(
    'LOAD_API_REFUSED',
    `${site.target} refused a request as a whole with status ${status}, without saying which row is wrong. Its rows were not loaded; what was accepted before stays. Compare the job's table and path with what the API expects.`,
    { details: { target: site.target, status } },
  )
}
