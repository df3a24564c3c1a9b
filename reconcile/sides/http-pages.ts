/**
 * Pages of an API, asked for one after the other: each is asked again while that helps, none is followed to
 * where an answer points. What a page holds is read by page-records.ts; HTTP's own rules are lib/http.
 */
import { afterRetryAfterMs, backoffMs, THROTTLED, TRANSIENT } from '../../lib/http/backoff.ts'
import { endpointUrl } from '../../lib/http/endpoint-url.ts'
import { type HttpAnswer, sendRequest } from '../../lib/http/http-request.ts'
import type { ApiEndpoint } from '../../lib/model/environment.ts'
import { LoadError, ParseError, ReconcileError } from '../../lib/model/errors.ts'
import type { HttpSide } from '../../lib/model/job.ts'
import type { ResolveSecret, Secret } from '../../lib/model/secret.ts'
import type { Clock } from '../../lib/model/time/clock.ts'

/** Times that one page is asked for before the side counts as out of reach: 12 s of waiting on average. */
const TRIES = 6

/** A peer that asks to be left alone for longer is left to the next attempt of the run. */
const LONGEST_WAIT_MS = 60_000

/** Where pages are asked for. */
export interface PageSource {
  readonly side: HttpSide
  readonly businessDate: string
  readonly endpoint: ApiEndpoint
  readonly secrets: ResolveSecret
  readonly clock: Clock
  readonly signal: AbortSignal
}

/** One page, read: how many records it has, and the mark of the next one where the answer names it. */
export interface PageRead {
  readonly records: number
  readonly next: string | null
}

/** The side for people: its endpoint and path, without the query, which may be long. */
export function pagesName({ side, businessDate }: Pick<PageSource, 'side' | 'businessDate'>): string {
  return `${side.endpoint}/${side.path.replaceAll('{date}', businessDate).replace(/\?.*/, '')}`
}

/**
 * Asks for all pages; `read` is given each and says what it held.
 * @throws PARSE_PAGES_ENDLESS when they do not end, PARSE_PAGE_UNREADABLE when one is too large, RECONCILE_SIDE_UNREACHABLE, RECONCILE_SIDE_REFUSED
 */
export async function* pagesOf<T>(
  source: PageSource,
  read: (body: string, page: number) => AsyncGenerator<T, PageRead>,
): AsyncGenerator<T> {
  const { side } = source
  const { pages, limits } = side
  const name = pagesName(source)
  const ask = await asker(source)
  const marks = new Set<string>()
  let mark = pages.kind === 'number' ? String(pages.first) : pages.kind === 'offset' ? '0' : null
  let records = 0
  for (let page = 1; ; page += 1) {
    if (page > limits.maxPages) throw endless(name, `it gave ${limits.maxPages} pages and has more`)
    const body = await ask(mark)
    const found = yield* read(body, page)
    records += found.records
    if (pages.kind === 'one') return
    if (pages.kind === 'cursor') {
      if (found.next === null) return
      mark = found.next
    } else {
      if (found.records === 0) return
      mark = pages.kind === 'offset' ? String(records) : String(Number(mark) + 1)
    }
    if (marks.has(mark)) throw endless(name, `it names the page ${JSON.stringify(mark)} twice`)
    marks.add(mark)
  }
}

function endless(name: string, why: string): ParseError {
  return new ParseError(
    'PARSE_PAGES_ENDLESS',
    `The pages of ${name} do not end: ${why}. Nothing is compared with a part of them; raise the limit, or correct how the job pages.`,
  )
}

/** Asks for the page of a mark. The token is read once, and again when it is refused: it may have been changed meanwhile. */
async function asker(source: PageSource): Promise<(mark: string | null) => Promise<string>> {
  const { side, businessDate, endpoint, secrets } = source
  const { pages } = side
  const tokenNow = async (): Promise<Secret | null> =>
    endpoint.token === undefined ? null : secrets(endpoint.token)
  let token = await tokenNow()
  const url = (mark: string | null): URL => {
    const [path, query] = side.path.replaceAll('{date}', businessDate).split('?', 2) as [string, string?]
    const found = endpointUrl(side.endpoint, endpoint.baseUrl, path)
    for (const [key, value] of new URLSearchParams(query)) found.searchParams.append(key, value)
    if (mark !== null && pages.kind !== 'one') found.searchParams.set(pages.parameter, mark)
    return found
  }
  return async mark => {
    let renewed = false
    for (let tries = 1; ; tries += 1) {
      const outcome = await once(source, url(mark), token)
      if (typeof outcome === 'string') return outcome
      if (outcome.status === 401 && !renewed && endpoint.token !== undefined) {
        renewed = true
        token = await tokenNow()
        continue
      }
      if (outcome.waitMs === null || outcome.waitMs > LONGEST_WAIT_MS || tries >= TRIES) throw outcome.error
      const drawn = backoffMs(tries, outcome.status === 429 ? THROTTLED : TRANSIENT, Math.random())
      await source.clock.sleep(Math.max(drawn, outcome.waitMs), source.signal)
    }
  }
}

interface Missed {
  readonly error: ReconcileError | ParseError
  readonly status: number | null
  /** Least wait before it is worth asking again; null: it is not. */
  readonly waitMs: number | null
}

async function once(source: PageSource, url: URL, token: Secret | null): Promise<string | Missed> {
  const { side, clock, signal } = source
  const name = pagesName(source)
  let answer: HttpAnswer
  try {
    answer = await sendRequest(
      {
        method: 'GET',
        url,
        headers: { accept: side.read.format === 'json' ? 'application/json' : 'text/csv' },
        body: null,
        token,
        timeoutMs: side.limits.timeoutMs,
        maxAnswerBytes: side.limits.maxPageBytes,
      },
      clock,
      signal,
    )
  } catch (error) {
    if (!(error instanceof LoadError)) throw error
    return missed(name, error, side.limits.maxPageBytes)
  }
  if (answer.status === 200) return answer.body
  const passing = answer.status === 429 || answer.status >= 500
  const waitMs = passing ? afterRetryAfterMs(answer.retryAfterMs ?? 0, Math.random()) : null
  return { status: answer.status, waitMs, error: answeredOtherwise(name, answer.status, passing) }
}

/** A GET changes nothing, so it may be asked again whatever became of it. */
function missed(name: string, error: LoadError, maxPageBytes: number): Missed {
  if (error.code === 'LOAD_ANSWER_TOO_LARGE') {
    const text = `A page of ${name} has more than ${maxPageBytes} bytes. Nothing is compared with a part of it; ask for smaller pages, or raise the limit.`
    return { status: null, waitMs: null, error: new ParseError('PARSE_PAGE_UNREADABLE', text) }
  }
  const lasting = error.code === 'LOAD_API_UNTRUSTED' || error.code === 'LOAD_API_REDIRECTED'
  const { reason, status } = error.details
  const why =
    error.code === 'LOAD_API_REDIRECTED'
      ? `it answers with redirect ${String(status)}, and redirects are never followed`
      : error.code === 'LOAD_API_UNTRUSTED'
        ? `it does not prove who it is (${String(reason)})`
        : `no whole answer came (${String(reason)})`
  return {
    status: null,
    waitMs: lasting ? null : 0,
    error: lasting ? refused(name, why, error) : unreachable(name, why, error),
  }
}

function answeredOtherwise(name: string, status: number, passing: boolean): ReconcileError {
  return passing
    ? unreachable(name, `it answered with status ${status}`)
    : refused(name, `it answered with status ${status}`)
}

function unreachable(name: string, why: string, cause?: unknown): ReconcileError {
  return new ReconcileError(
    'RECONCILE_SIDE_UNREACHABLE',
    `The side ${name} can't be read now: ${why}. Nothing was compared; it is tried again by itself.`,
    { retry: 'backoff', cause },
  )
}

function refused(name: string, why: string, cause?: unknown): ReconcileError {
  return new ReconcileError(
    'RECONCILE_SIDE_REFUSED',
    `The side ${name} can't be read: ${why}. Nothing was compared; correct the job or the environment, or have the right to read it given, and run the date again.`,
    { cause },
  )
}
