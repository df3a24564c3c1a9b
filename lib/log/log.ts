/**
 * The structured log: one JSON line per event, secrets redacted. The only importer of pino.
 * Where lines go (stderr, a file) is the caller's business; what a Log is says lib/model/progress.ts.
 */
import { type Logger, pino } from 'pino'
import type { Facts, Log } from '../model/progress.ts'
import type { Clock } from '../model/time/clock.ts'
import { REDACTED, type Redactor } from './redactor.ts'

/** Names of facts whose value is never written, known secret or not. Compared without case, dashes and underscores. */
const SECRET_NAMES =
  /^(?:.*password|.*passwd|pwd|.*passphrase|.*secret|.*token|.*apikey|.*privatekey|authorization|proxyauthorization|cookie|setcookie|.*credentials?)$/

/** What a log is made of. */
export interface LogOptions {
  readonly redactor: Redactor
  readonly clock: Clock
  /** Gets each line, with its line end. */
  readonly write: (line: string) => void
  /** Lowest level written. Default info. */
  readonly level?: 'info' | 'warn' | 'error'
}

/**
 * A log that writes `{"level":"info","time":"...","event":"fetch.downloaded", ...facts}`.
 * Guarantee: no registered secret and no fact with a secret's name is written, in any encoding the redactor knows.
 */
export function createLog(options: LogOptions): Log {
  const logger = pino(
    {
      level: options.level ?? 'info',
      base: null,
      messageKey: 'event',
      timestamp: () => `,"time":"${new Date(options.clock.now()).toISOString()}"`,
      formatters: { level: label => ({ level: label }) },
    },
    { write: options.write },
  )
  return wrap(logger, options.redactor)
}

function wrap(logger: Logger, redactor: Redactor): Log {
  return {
    info: (event, facts = {}) => logger.info(redactFacts(facts, redactor), redactor.redact(event)),
    warn: (event, facts = {}) => logger.warn(redactFacts(facts, redactor), redactor.redact(event)),
    error: (event, facts = {}) => logger.error(redactFacts(facts, redactor), redactor.redact(event)),
    with: facts => wrap(logger.child(redactFacts(facts, redactor)), redactor),
  }
}

/** The facts as they may be written: values of secret names and known secret values replaced. */
export function redactFacts(facts: Facts, redactor: Redactor): Facts {
  const safe: Record<string, string | number | boolean | null> = {}
  for (const [name, value] of Object.entries(facts)) {
    safe[redactor.redact(name)] = redactFact(name, value, redactor)
  }
  return safe
}

function redactFact(name: string, value: Facts[string], redactor: Redactor): Facts[string] {
  if (value === null || value === undefined || typeof value === 'boolean') return value ?? null
  if (SECRET_NAMES.test(name.toLowerCase().replace(/[-_]/g, ''))) return REDACTED
  const text = String(value)
  const redacted = redactor.redact(text)
  return redacted === text ? value : redacted
}
