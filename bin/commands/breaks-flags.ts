/**
 * What is typed after `tallyman breaks`: its options, complaints about them, and who types.
 */
import { userInfo } from 'node:os'
import { ConfigError } from '../../lib/model/errors.ts'

/** Options of `breaks` as commander read them. */
export interface BreakFlags {
  readonly job?: string
  readonly date?: string
  readonly state?: string
  readonly limit: string
  readonly reason?: string
  readonly until?: string
  readonly owner?: string
  readonly by?: string
  readonly confirm?: boolean
  readonly dryRun?: boolean
  readonly plan?: string
  readonly apply?: string
}

/** A wrong command line. */
export function usage(what: string): ConfigError {
  return new ConfigError('CONFIG_USAGE', `${what}. Nothing was done.`)
}

/** The account at this machine: who says something, unless a name is given. */
export function account(): string {
  try {
    return userInfo().username
  } catch {
    // A container's user may have no name.
    return `user ${process.getuid?.() ?? 'unknown'}`
  }
}
