/**
 * One call: the rows of one request under one idempotency key, until the API has accounted for every
 * row or it is clear that it will not now. The `call` row is committed before each request, so a crash
 * in between leaves an unknown outcome that is known to be one; the same key and bytes then ask again.
 * Bytes and key are call-body.ts, one request api-request.ts, waiting api-pace.ts; chunks are api-deliver.ts.
 */
import { beginCall, finishCall } from '../ledger/call.ts'
import { failpoint } from '../model/failpoint.ts'
import { type CallResult, isAboutContent } from './api-answer.ts'
import { CallPace } from './api-pace.ts'
import { requestOnce } from './api-request.ts'
import type { CallBody, CallSite } from './call-body.ts'

/**
 * How a call ended; `made` in this attempt, or known from an earlier one. `too-large`, `refused`: nothing
 * took effect, send less at once; `words` are the API's.
 */
export type CallEnd = { readonly made: boolean } & CallFacts

type CallFacts =
  | { readonly kind: 'rows'; readonly result: CallResult }
  | { readonly kind: 'too-large' }
  | { readonly kind: 'refused'; readonly words: string }

/**
 * How a recorded call ended; null when it has to be (or may have to be) asked again. Several rows that were
 * refused for their content are never sent together again: some may have gone out alone since. A single row is.
 */
export function recordedEnd(call: {
  readonly state: string
  readonly status: number | null
  readonly items: number
  readonly result: unknown
}): CallEnd | null {
  if (call.state === 'answered') return { made: false, kind: 'rows', result: call.result as CallResult }
  if (call.state !== 'refused' || call.status === null) return null
  if (call.status === 413) return { made: false, kind: 'too-large' }
  return call.items > 1 && isAboutContent(call.status) ? { made: false, kind: 'refused', words: '' } : null
}

/**
 * Makes the call, or gives what an earlier attempt learned from it.
 * @throws LOAD_OUTCOME_UNKNOWN, LOAD_API_UNREACHABLE, LOAD_API_THROTTLED, LOAD_API_UNAUTHORIZED, LOAD_API_REFUSED and what sendRequest throws
 */
export async function makeCall(site: CallSite, call: CallBody): Promise<CallEnd> {
  const { database, lease, revision, endpoint } = site
  const { key, bodySha256, items } = call
  const pace = new CallPace(site, call)
  let mayHaveHappened: boolean | null = null
  let refusals = 0
  for (;;) {
    const row = await database.use(connection =>
      beginCall(connection, lease, { revisionId: revision.id, endpoint, key, bodySha256, items }),
    )
    const known = recordedEnd(row)
    if (known !== null) return known
    const settle = (
      state: 'answered' | 'refused' | 'unknown',
      status: number | null,
      result: CallResult | null = null,
    ) => database.use(connection => finishCall(connection, row.id, { state, status, result }))
    mayHaveHappened ??= row.state === 'unknown' || row.tries > 1
    // Refused before and sent again now: should this process die, the row must not say refused.
    if (row.state === 'refused') await settle('unknown', row.status)
    const token = await pace.token()
    failpoint('load.api-call-recorded')
    const end = await requestOnce(site, call, token, { mayHaveHappened, refusals })
    failpoint('load.api-call-answered')
    if (end.kind === 'rows' || end.kind === 'too-large' || end.kind === 'refused') {
      if (end.kind === 'rows') await settle('answered', end.status, end.result)
      else await settle('refused', end.status)
      failpoint('load.api-call-settled')
      if (end.kind === 'refused' && !end.byContent) throw end.error
      return { made: true, ...end }
    }
    refusals = end.kind === 'again' && end.refused ? refusals + 1 : 0
    if (end.kind === 'again' && end.error.retry === 'verify-first') {
      mayHaveHappened = true
      await settle('unknown', end.status)
    }
    await pace.beforeNext(end)
  }
}
