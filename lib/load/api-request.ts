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
  /** Nothing took effect. `byContent`: for what stands in the request; `words` are the API's. */
  | {
      readonly kind: 'refused'
      readonly byContent: boolean
      readonly words: string
      readonly error: LoadError
    }
  /** Nothing took effect. */
  | { readonly kind: 'unauthorized' }
  /** Nothing took effect. */
  | { readonly kind: 'throttled'; readonly retryAfterMs: number | null }
  /** May have taken effect when the error says `verify-first`. `refused`: it was answered, and refused for its content. */
  | { readonly kind: 'again'; readonly error: LoadError; readonly refused: boolean }
)

/** What is known of the earlier requests of a call. */
export interface Earlier {
  /** One of them got no answer. */
  readonly mayHaveHappened: boolean
  /** How many of the last ones in a row were refused for their content. */
  readonly refusals: number
}

/**
 * Refusals in a row, under the same key and bytes, that prove that a request without an answer took no
 * effect: an API that had taken it gives that answer again. One alone may be a proxy's that did not ask the API.
 */
const PROVING_REFUSALS = 3

/**
 * Sends the request once. After one of this key that got no answer a refusal proves nothing about that
 * one, and rows may not go out under another key: before it is refused for its content several times.
 * @throws what sendRequest throws and no retry can mend
 */
export async function requestOnce(
  site: CallSite,
  call: CallBody,
  token: Secret | null,
  { mayHaveHappened, refusals }: Earlier,
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
    if (error instanceof LoadError && error.retry !== 'never')
      return { kind: 'again', status: null, error, refused: false }
    throw error
  }
  const { status } = answer
  const read = readAnswer(withoutToken(answer, token), call.items)
  switch (read.kind) {
    case 'unknown':
      return { kind: 'again', status, error: unknown(site, call, read.why), refused: false }
    case 'too-large':
    case 'refused': {
      const byContent = read.kind === 'refused' && read.byContent
      if (mayHaveHappened && !(byContent && refusals + 1 >= PROVING_REFUSALS)) {
        const why = `no answer to an earlier request and now refuses it with status ${status}`
        return { kind: 'again', status, error: unknown(site, call, why), refused: byContent }
      }
      return read.kind === 'too-large'
        ? { kind: 'too-large', status }
        : { ...read, status, error: refused(site, status) }
    }
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
    `${site.target} refused a request as a whole with status ${status}, which is about the request and not about one of its rows. Its rows were not loaded; what was accepted before stays. Compare the job's path and its rights with what the API expects.`,
    { details: { target: site.target, status } },
  )
}
