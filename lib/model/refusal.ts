/**
 * How a definition that can't be used is refused: thrown at once in a run, collected for
 * `tallyman check`, which tells all mistakes of all files at once. Mistakes between sound definitions
 * are found by lib/config.
 */
import type { ConfigError } from './errors.ts'

/** A refused definition. */
export interface Refusal {
  readonly error: ConfigError
  /** What the builder gave nevertheless; usable for nothing but finding more mistakes. */
  readonly subject: object
}

/** Set while somebody collects. One per process: definitions are made while modules are loaded, and nobody could hand it down to them. */
let collecting: Refusal[] | null = null

/** Refuses what a builder is about to give. @throws `error`, unless refusals are being collected */
export function refuseDefinition(error: ConfigError, subject: object): void {
  if (collecting === null) throw error
  collecting.push({ error, subject })
}

/** Does some work and gives the definitions that were refused meanwhile, in order. */
export async function collectRefusals<T>(
  work: () => Promise<T>,
): Promise<{ readonly value: T; readonly refusals: readonly Refusal[] }> {
  const refusals: Refusal[] = []
  collecting = refusals
  try {
    return { value: await work(), refusals }
  } finally {
    collecting = null
  }
}
