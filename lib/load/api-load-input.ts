/**
 * What a load into an API is given and what it gives: as a load into Postgres (load-input.ts), with an
 * endpoint instead of a session. Who fills it: lib/run; who uses it: load-into-api.ts.
 */
import type { Database } from '../db/database.ts'
import type { Holding } from '../ledger/fence.ts'
import type { LoadRow } from '../ledger/load.ts'
import type { ApiEndpoint } from '../model/environment.ts'
import type { ApiLoad } from '../model/job.ts'
import type { LoadResult, RunKey } from '../model/run.ts'
import type { ResolveSecret } from '../model/secret.ts'
import type { PostgresLoadInput } from './load-input.ts'

/** One load. The parts shared with Postgres mean the same. */
export interface ApiLoadInput
  extends Pick<
    PostgresLoadInput,
    | 'revision'
    | 'blocks'
    | 'afterStream'
    | 'unitRejects'
    | 'rawOf'
    | 'sourceSnapshot'
    | 'mappingVersion'
    | 'dryRun'
  > {
  /** Of the run ledger; sessions are taken per call, since waiting for an API may take minutes. */
  readonly database: Database
  readonly lease: Holding & { readonly key: RunKey }
  readonly spec: ApiLoad
  readonly endpoint: ApiEndpoint
  readonly resolveSecret: ResolveSecret
  /** For the work files of this load; they are removed when it ends. */
  readonly folder: string
  /** Numbers in [0, 1) for jitter; Math.random where left out. */
  readonly random?: () => number
}

/** What became of a load. `done-before`: the gate found it done, published or refused. `planned`: a dry run, which asks the API nothing and so has no table counts. */
export type ApiLoadOutcome =
  | { readonly kind: 'loaded' | 'planned'; readonly result: LoadResult; readonly withheldDeletes: 0 }
  | { readonly kind: 'done-before'; readonly load: LoadRow }
