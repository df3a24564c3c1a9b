/**
 * How long to wait before the same request goes out again: full jitter, and what the peer asked for.
 * Pure; who waits is the caller, with its Clock.
 */

/** Growing bounds of a wait: `U(0, min(cap, base x 2^attempt))`. */
export interface BackoffBounds {
  readonly baseMs: number
  readonly capMs: number
}

/** After a connection or server failure: the first retries come within a blink, the fifth within seconds. */
export const TRANSIENT: BackoffBounds = { baseMs: 200, capMs: 20_000 }

/** After "too many requests" without Retry-After: such limits are counted per minute. */
export const THROTTLED: BackoffBounds = { baseMs: 1_000, capMs: 300_000 }

/** The wait after the `attempt`-th failure (from 1); `draw` is a random number in [0, 1). */
export function backoffMs(attempt: number, bounds: BackoffBounds, draw: number): number {
  return Math.floor(draw * Math.min(bounds.capMs, bounds.baseMs * 2 ** Math.min(attempt, 30)))
}

/** The peer's own time, never earlier, and up to a tenth later so that many clients do not return at once. */
export function afterRetryAfterMs(retryAfterMs: number, draw: number): number {
  return Math.ceil(retryAfterMs * (1 + draw / 10))
}

/** Milliseconds until a Retry-After header's time (seconds or an HTTP date); null when there is none or it says nothing. */
export function parseRetryAfter(header: string | null, now: number): number | null {
  if (header === null) return null
  const text = header.trim()
  if (/^\d{1,9}$/.test(text)) return Number(text) * 1_000
  if (!/^[A-Z][a-z]{2},/.test(text)) return null
  const at = Date.parse(text)
  return Number.isNaN(at) ? null : Math.max(0, at - now)
}
