/**
 * Reads secrets from where the environment file says: a variable, a file, a command. Nothing is
 * cached, so that a rotated secret is found at the next read. Each value is known to the redactor
 * before anybody else gets it; how it is kept from being printed says lib/model/secret.ts.
 */
import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import { type Redactor, SHORTEST_SECRET } from '../log/redactor.ts'
import { ConfigError } from '../model/errors.ts'
import { type ResolveSecret, Secret, type SecretSource } from '../model/secret.ts'

const run = promisify(execFile)

/** A password store that waits for a person must not hold up a night: `pass` and `vault` answer in under 2 s. */
const COMMAND_TIMEOUT_MS = 30_000

/** Larger than any key file (a 16384-bit RSA key is 13 KiB): what is longer is not a secret but a mistake. */
const MAX_SECRET_BYTES = 65_536

/** Where secrets may come from on this machine. */
export interface SecretOptions {
  /** The process's variables; the composition root passes them in. */
  readonly env: Readonly<Record<string, string | undefined>>
  readonly redactor: Redactor
  /** In production a literal is refused. */
  readonly production: boolean
}

/**
 * A function that gives the value of a secret source, read anew at each call.
 * One line end after the value is cut off, as files and commands add it.
 * Guarantee: the value is registered with the redactor before it is returned; no error text contains it.
 * @throws CONFIG_SECRET_MISSING when the variable, file or command does not give it
 * @throws CONFIG_SECRET_TOO_SHORT when it is too short to be kept out of texts
 * @throws CONFIG_SECRET_LITERAL for a literal in production
 */
export function secretResolver(options: SecretOptions): ResolveSecret {
  return async source => {
    const value = (await read(source, options)).replace(/\r?\n$/, '')
    if (value.length < SHORTEST_SECRET) {
      throw new ConfigError(
        'CONFIG_SECRET_TOO_SHORT',
        `The secret from ${describeSource(source)} has ${value.length} characters; below ${SHORTEST_SECRET} it could not be kept out of logs and mails. Nothing was started; set a longer one.`,
      )
    }
    const secret = new Secret(value)
    options.redactor.register(secret)
    return secret
  }
}

/** Names where a secret comes from, never what it is: `environment variable ERP_TOKEN`. */
export function describeSource(source: SecretSource): string {
  if ('env' in source) return `environment variable ${source.env}`
  if ('file' in source) return `file ${source.file}`
  if ('command' in source) return `command ${source.command[0]}`
  return 'a literal in the environment file'
}

async function read(source: SecretSource, options: SecretOptions): Promise<string> {
  if ('env' in source) {
    const value = options.env[source.env]
    if (value === undefined || value === '') throw missing(source, 'it is not set')
    return value
  }
  if ('file' in source) {
    try {
      return bounded(source, await readFile(source.file, 'utf8'))
    } catch (error) {
      throw error instanceof ConfigError ? error : missing(source, reasonOf(error))
    }
  }
  if ('command' in source) {
    const [program, ...args] = source.command
    try {
      // The command's stderr and output stay out of the error: they may hold the secret itself.
      const { stdout } = await run(program, args, {
        timeout: COMMAND_TIMEOUT_MS,
        maxBuffer: MAX_SECRET_BYTES,
      })
      return stdout
    } catch (error) {
      throw missing(source, commandReasonOf(error))
    }
  }
  if (options.production) {
    throw new ConfigError(
      'CONFIG_SECRET_LITERAL',
      'A secret is written as a literal in a production environment file. Nothing was started; name a variable, a file or a command instead.',
    )
  }
  return source.literal
}

function bounded(source: SecretSource, text: string): string {
  if (text.length <= MAX_SECRET_BYTES) return text
  throw missing(source, `it is longer than ${MAX_SECRET_BYTES} bytes, so it is no secret`)
}

function missing(source: SecretSource, reason: string): ConfigError {
  return new ConfigError(
    'CONFIG_SECRET_MISSING',
    `The secret from ${describeSource(source)} can't be read: ${reason}. Nothing that needs it was started; provide it and run again.`,
    { details: { source: describeSource(source) } },
  )
}

function reasonOf(error: unknown): string {
  const code = (error as NodeJS.ErrnoException).code
  if (code === 'ENOENT') return 'it does not exist'
  if (code === 'EACCES') return 'this user may not read it'
  return code === undefined ? 'reading it failed' : `reading it failed with ${code}`
}

function commandReasonOf(error: unknown): string {
  const { code, killed } = error as { code?: unknown; killed?: boolean }
  if (code === 'ENOENT') return 'there is no such program'
  if (code === 'ERR_CHILD_PROCESS_STDIO_MAXBUFFER') return `it printed more than ${MAX_SECRET_BYTES} bytes`
  if (killed === true) return `it gave no answer within ${COMMAND_TIMEOUT_MS / 1000} s`
  return typeof code === 'number' ? `it ended with exit code ${code}` : 'it could not be started'
}
