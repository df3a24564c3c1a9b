/**
 * Ends the wait for an answer that will never come (D6): on a half-open connection nothing arrives, no
 * answer and no error, and from here a long statement looks just the same. So a second, fresh session asks
 * the server what the first one's backend does: one that works is waited for without end, one that waits
 * for us while we wait for it is given up. Used by connection.ts around everything it waits for.
 */
import type { Clock } from '../model/time/clock.ts'

/** What the server says of a session. */
export interface BackendSeen {
  /** It waits for its client: it is idle, or in the middle of receiving or sending. */
  readonly waitsForUs: boolean
  /** When its state last changed. */
  readonly since: string
}

/** Asks the server about a session: what it does, `gone` when there is none, `no answer` when nobody answers. */
export type LookAtBackend = () => Promise<BackendSeen | 'gone' | 'no answer'>

/**
 * Between two looks. Two that see the same end the wait, so nothing that is on its way for less than this
 * is given up, and a run ends a minute after its wire died instead of never. Longer than the answer to a beat may take.
 */
export const LOOK_EVERY_MS = 25_000

/** Looks in a row without any answer after which the server counts as gone; each takes up to 10 s itself. */
const MOST_UNANSWERED = 2

/** The watch of one session, as long as it is open. Cost: a timer per session, nothing per statement. */
export class AnswerWatch {
  readonly #clock: Clock
  readonly #look: LookAtBackend
  readonly #moved: () => number
  readonly #giveUp: (why: string) => void
  readonly #ended = new AbortController()
  /** Number of the wait that lasts now; null when nothing is waited for. */
  #wait: number | null = null
  #waits = 0
  #working = false

  /** `moved` counts the bytes that went over the session in both directions; `giveUp` is called once, with why. */
  constructor(clock: Clock, look: LookAtBackend, moved: () => number, giveUp: (why: string) => void) {
    this.#clock = clock
    this.#look = look
    this.#moved = moved
    this.#giveUp = giveUp
    // Ends with the session, whose end it may be.
    this.#watch().catch(() => {})
  }

  /** Whether it is us whom the server rightly waits for, as the source of a COPY may take its time. */
  set working(ours: boolean) {
    this.#working = ours
  }

  /** Waits for an answer, watched. */
  async over<T>(answer: Promise<T>): Promise<T> {
    this.#waits += 1
    const wait = this.#waits
    this.#wait = wait
    try {
      return await answer
    } finally {
      if (this.#wait === wait) this.#wait = null
    }
  }

  /** The session is closed or lost. */
  end(): void {
    this.#ended.abort()
  }

  async #watch(): Promise<void> {
    let before: string | null = null
    let unanswered = 0
    for (;;) {
      await this.#clock.sleep(LOOK_EVERY_MS, this.#ended.signal)
      const wait = this.#wait
      const seen = wait === null ? null : await this.#look()
      if (this.#ended.signal.aborted) return
      if (seen === null || this.#wait !== wait) {
        before = null
        unanswered = 0
        continue
      }
      if (seen === 'gone') return this.#giveUp('its session is gone at the server, which nobody told us')
      unanswered = seen === 'no answer' ? unanswered + 1 : 0
      if (unanswered === MOST_UNANSWERED) return this.#giveUp('the server answers nobody any more')
      if (seen === 'no answer') continue
      const suspect = seen.waitsForUs && !this.#working
      const now: string | null = suspect ? `${wait} ${seen.since} ${this.#moved()}` : null
      if (now !== null && now === before)
        return this.#giveUp('the server waits for us and we for it, so something between us was lost')
      before = now
    }
  }
}
