/**
 * One HTTP request under one policy: https unless on the loopback, redirects never followed, answers
 * bounded, an answer in time or none. Tells "never got there" from "sent, and no answer".
 * What a status or body means is the caller's business; when to try again is backoff.ts.
 */
import { LoadError } from '../model/errors.ts'
import type { Secret } from '../model/secret.ts'
import type { Clock } from '../model/time/clock.ts'
import { parseRetryAfter } from './backoff.ts'
import { readBounded } from './read-bounded.ts'

/** What is asked. */
export interface HttpRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** From endpointUrl, which judged it. */
  readonly url: URL
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | null
  /** Sent as a bearer token. */
  readonly token: Secret | null
  /** From the first byte sent to the last one received. */
  readonly timeoutMs: number
  readonly maxAnswerBytes: number
}

/** A whole answer, whatever its status. */
export interface HttpAnswer {
  readonly status: number
  readonly headers: Headers
  readonly body: string
  /** What Retry-After asks for, null when it asks for nothing. */
  readonly retryAfterMs: number | null
}

/** Causes with which not one byte of the request can have reached the peer. */
const NEVER_SENT = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EHOSTDOWN',
  'EADDRNOTAVAIL',
  'UND_ERR_CONNECT_TIMEOUT',
])

/** TLS verifies the peer before the request is sent; these never get better by themselves. */
const UNTRUSTED = /^(?:CERT_|ERR_TLS_|ERR_SSL_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|HOSTNAME_MISMATCH)/

/**
 * Sends the request once and gives the whole answer.
 * On failure: LOAD_OUTCOME_UNKNOWN whenever the peer may have got it, so it is asked again only with the same bytes and key.
 * @throws LOAD_API_UNREACHABLE, LOAD_API_UNTRUSTED, LOAD_API_REDIRECTED, LOAD_ANSWER_TOO_LARGE, LOAD_OUTCOME_UNKNOWN; the signal's reason when aborted
 */
export async function sendRequest(
  request: HttpRequest,
  clock: Clock,
  signal: AbortSignal,
): Promise<HttpAnswer> {
  signal.throwIfAborted()
  const timer = new AbortController()
  const done = new AbortController()
  clock.sleep(request.timeoutMs, done.signal).then(
    () => timer.abort(),
    () => {},
  )
  try {
    const response = await fetch(request.url, {
      method: request.method,
      headers: headersOf(request),
      body: request.body,
      redirect: 'manual',
      signal: AbortSignal.any([signal, timer.signal]),
    })
    if (response.status >= 300 && response.status < 400) {
      await response.body?.cancel()
      throw redirected(request.url, response.status)
    }
    const body = await readBounded(response, request.maxAnswerBytes)
    if (body === null) throw tooLarge(request)
    const retryAfterMs = parseRetryAfter(response.headers.get('retry-after'), clock.now())
    return { status: response.status, headers: response.headers, body, retryAfterMs }
  } catch (error) {
    if (error instanceof LoadError) throw error
    if (signal.aborted) throw signal.reason
    throw translated(error, request, timer.signal.aborted)
  } finally {
    done.abort()
  }
}

function headersOf(request: HttpRequest): Record<string, string> {
  return {
    'user-agent': 'tallyman',
    ...request.headers,
    ...(request.token === null ? {} : { authorization: `Bearer ${request.token.reveal()}` }),
  }
}

function translated(error: unknown, { url, method, timeoutMs }: HttpRequest, timedOut: boolean): LoadError {
  const cause = (error as { cause?: unknown }).cause ?? error
  // Node tries all addresses of a name and packs their failures together; one code says why none answered.
  const first = cause instanceof AggregateError ? (cause.errors[0] as unknown) : cause
  const code = (first as { code?: string }).code ?? 'no code'
  const details = { host: url.host, reason: timedOut ? 'timeout' : code }
  if (!timedOut && NEVER_SENT.has(code)) {
    return new LoadError(
      'LOAD_API_UNREACHABLE',
      `The API at ${url.host} can't be reached (${code}). Nothing was sent; it is tried again while the run's time lasts.`,
      { retry: 'backoff', details, cause: error },
    )
  }
  if (!timedOut && UNTRUSTED.test(code)) {
    return new LoadError(
      'LOAD_API_UNTRUSTED',
      `The API at ${url.host} does not prove who it is (${code}). Nothing was sent; its certificate has to be mended there, or its authority be made known to this machine.`,
      { details, cause: error },
    )
  }
  const what = timedOut ? `gave no answer within ${timeoutMs} ms` : `broke off the answer (${code})`
  return new LoadError(
    'LOAD_OUTCOME_UNKNOWN',
    `The API at ${url.host} got a ${method} request and ${what}, so it is not known whether it took effect. The same request is sent again under the same key, which can't take effect twice.`,
    { retry: 'verify-first', details, cause: error },
  )
}

function redirected(url: URL, status: number): LoadError {
  return new LoadError(
    'LOAD_API_REDIRECTED',
    `The API at ${url.host} answered with redirect ${status}, and redirects are never followed: they could lead data and token elsewhere. Nothing was loaded by this request; correct the endpoint's address.`,
    { details: { host: url.host, status } },
  )
}

function tooLarge({ url, maxAnswerBytes }: HttpRequest): LoadError {
  return new LoadError(
    'LOAD_ANSWER_TOO_LARGE',
    `The API at ${url.host} gave an answer of more than ${maxAnswerBytes} bytes, which was not read to its end. Whether the request took effect is not known; it is kept and asked again under the same key by the next attempt.`,
    { retry: 'verify-first', details: { host: url.host, maxAnswerBytes } },
  )
}
