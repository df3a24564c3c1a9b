/**
 * When a call is asked again: growing waits after failures, the API's own time when it throttles, a
 * fresh token once when it refuses the old one. Ends the patience with an error that says who goes on.
 */
import { afterRetryAfterMs, backoffMs, THROTTLED, TRANSIENT } from '../http/backoff.ts'
import { LoadError } from '../model/errors.ts'
import type { Secret } from '../model/secret.ts'
import type { RequestEnd } from './api-request.ts'
import type { CallBody, CallSite } from './call-body.ts'

/** Tries of one call in one attempt: with full jitter about 3 s in all; longer trouble is the run's business. */
const MOST_TRIES = 5

/** Waiting for a throttling API is given up after this in all for one call; the run is then taken up again later. */
const THROTTLE_BUDGET_MS = 600_000

/** The patience of one call. */
export class CallPace {
  readonly #site: CallSite
  readonly #call: CallBody
  #token: Secret | null = null
  #tokenReads = 0
  #tries = 0
  #throttles = 0
  #throttledMs = 0

  constructor(site: CallSite, call: CallBody) {
    this.#site = site
    this.#call = call
  }

  /** The token for the next request; null for an API without one. */
  async token(): Promise<Secret | null> {
    if (this.#token === null && this.#site.token !== null) {
      this.#token = await this.#site.token()
      this.#tokenReads += 1
    }
    return this.#token
  }

  /**
   * Waits as long as this end of a request asks for.
   * @throws the request's own error after the last try; LOAD_API_THROTTLED, LOAD_API_UNAUTHORIZED
   */
  async beforeNext(
    end: RequestEnd & { readonly kind: 'again' | 'throttled' | 'unauthorized' },
  ): Promise<void> {
    const { context, target } = this.#site
    if (end.kind === 'unauthorized') {
      // A token may have been rotated since it was read; one that was read just now is simply wrong.
      if (this.#site.token === null || this.#tokenReads > 1) throw unauthorized(target)
      this.#token = null
      return
    }
    const waitMs =
      end.kind === 'again' ? this.#afterFailure(end.error) : this.#afterThrottle(end.retryAfterMs)
    const reason = end.kind === 'again' ? end.error.code : 'throttled'
    context.log.warn('load.api-asked-again', {
      target,
      key: this.#call.key,
      reason,
      waitMs: Math.round(waitMs),
    })
    await context.clock.sleep(waitMs, context.signal)
  }

  #afterFailure(error: LoadError): number {
    this.#tries += 1
    if (this.#tries >= MOST_TRIES) throw error
    return backoffMs(this.#tries, TRANSIENT, this.#site.random())
  }

  /** Throttling is no failure: it is bounded by time, not by tries. */
  #afterThrottle(retryAfterMs: number | null): number {
    this.#throttles += 1
    const draw = this.#site.random()
    const waitMs =
      retryAfterMs === null
        ? backoffMs(this.#throttles, THROTTLED, draw)
        : afterRetryAfterMs(retryAfterMs, draw)
    this.#throttledMs += waitMs
    if (this.#throttledMs > THROTTLE_BUDGET_MS) throw throttled(this.#site.target, waitMs)
    return waitMs
  }
}

function throttled(target: string, waitMs: number): LoadError {
  return new LoadError(
    'LOAD_API_THROTTLED',
    `${target} takes no more requests for now and asks to wait ${Math.ceil(waitMs / 1000)} s, longer than this attempt waits. What was sent stays as it is; the run goes on from there when the time is over.`,
    { retry: { afterMs: waitMs }, details: { target, waitMs } },
  )
}

function unauthorized(target: string): LoadError {
  return new LoadError(
    'LOAD_API_UNAUTHORIZED',
    `${target} does not accept the token, not even freshly read. Nothing of this request was loaded; set a valid token where the environment file says and run again.`,
    { details: { target } },
  )
}
