/**
 * What became of a break that a night does not have: whether the night's comparison could have seen it,
 * and who moved. Pure.
 */
import type { Marks, ResolutionCause, Sees } from '../../lib/model/lasting-break.ts'

/** Which breaks of other nights a comparison could have seen, and by which side that is decided. */
export interface Sight {
  readonly sees: Sees
  /** With `keys`: the side that limits the other one. */
  readonly driving: 'source' | 'target'
}

const KEYS_OF = /^keys of (source|target)$/

/** From the scopes of both sides in words (snapshot/scope.ts). */
export function sightOf(left: { readonly scope: string }, right: { readonly scope: string }): Sight {
  if (KEYS_OF.test(right.scope)) return { sees: 'keys', driving: 'source' }
  if (KEYS_OF.test(left.scope)) return { sees: 'keys', driving: 'target' }
  return { sees: left.scope === 'all' && right.scope === 'all' ? 'all' : 'date', driving: 'source' }
}

/**
 * Who moved between two nights; null where the night could not have seen the break. `before`: the marks it was last
 * seen with, null when they are no longer known. `sameDate`: an earlier comparison of this very date found it.
 */
export function causeOf(
  before: Marks | null,
  now: Marks,
  { sees, driving }: Sight,
  sameDate: boolean,
): ResolutionCause | null {
  const nowhere = now.source === null && now.target === null
  if (sees === 'keys' && now[driving] === null) return null
  if (sees === 'date' && nowhere && !sameDate) return null
  if (nowhere) return 'gone'
  if (before === null) return 'unknown'
  const source = before.source !== now.source
  const target = before.target !== now.target
  if (source && target) return 'both'
  if (source) return 'source'
  return target ? 'target' : 'rules'
}

const WORDS: Readonly<Record<ResolutionCause, string>> = {
  source: 'source moved',
  target: 'target moved',
  both: 'both moved',
  gone: 'gone from both',
  rules: 'neither moved, the rules did',
  unknown: 'not known who moved',
}

/** The cause in words. */
export function causeWords(cause: ResolutionCause | null): string {
  return WORDS[cause ?? 'unknown']
}
