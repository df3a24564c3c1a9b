/**
 * Everything that takes breaks while they are found: the breaks file, the judgement of the whole, and what
 * the break ledger is told of breaks and of rows that may still arrive.
 */
import type { Break } from '../../lib/model/break.ts'
import { PendingSink, pendingPath } from '../breaks/pending-file.ts'
import { type RowsBehind, SightingSink } from '../breaks/sighting.ts'
import type { WholeJudge } from '../judge/whole.ts'
import type { BreakSink } from './breaks-file.ts'
import type { ComparePlan } from './plan.ts'

/** The takers of one comparison's breaks. Call `finish` when it succeeded, and `close` in any case. */
export class BreakSinks {
  /** Takes every break once it is set. */
  judge: Pick<WholeJudge, 'add'> | null = null
  readonly #sink: BreakSink
  readonly #sightings: SightingSink | null
  readonly #pending: PendingSink | null

  /** `sightingsFile` null: no break ledger is to be told. */
  constructor(sink: BreakSink, plan: ComparePlan, sightingsFile: string | null) {
    this.#sink = sink
    this.#sightings = sightingsFile === null ? null : new SightingSink(sightingsFile, plan)
    this.#pending = sightingsFile === null ? null : new PendingSink(pendingPath(sightingsFile))
  }

  get total(): number {
    return this.#sink.total
  }

  add(found: Break, rows: RowsBehind): void {
    this.#sink.add(found)
    this.#sightings?.add(found, rows)
    this.judge?.add(found)
  }

  /** A row that may still arrive, with the break that it would be. */
  awaits(missing: Break): void {
    this.#pending?.add(missing.identity)
  }

  /** Writes out what was gathered once it is enough; call it after each block of rows. */
  async drain(): Promise<void> {
    await this.#sink.drain()
    await this.#sightings?.drain()
    await this.#pending?.drain()
  }

  /** Ends what the break ledger is told. */
  async finish(): Promise<void> {
    await this.#sightings?.finish()
    await this.#pending?.finish()
  }

  /** Lets go of everything; what was not finished is removed. */
  async close(): Promise<void> {
    await this.#sink.discard()
    await this.#sightings?.close()
    await this.#pending?.close()
  }
}
