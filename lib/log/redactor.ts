/**
 * Keeps secrets out of texts: it knows every secret value that was resolved and replaces it,
 * also where it was URL-encoded, put into JSON, hex or base64. Logs, errors, mails and ledger texts
 * pass through it. Values get here through lib/config/secrets.ts; nothing else may add them.
 */
import type { Secret } from '../model/secret.ts'

/** Shortest text that is replaced: shorter ones occur everywhere by chance. Secrets this short are refused when resolved. */
export const SHORTEST_SECRET = 4

/** What stands in place of a secret. */
export const REDACTED = '[secret]'

/** Lines of a key file shorter than this (the last line of base64) are left alone: they would match by chance. */
const SHORTEST_KEY_LINE = 20

/** Replaces all known secret values in texts. One per process, shared by everything that writes text. */
export class Redactor {
  readonly #forms = new Set<string>()
  #pattern: RegExp | null = null

  /**
   * Remembers a secret for the rest of the process; a rotated one keeps its old values redacted too.
   * The password inside a connection URL and the lines of a key file count as secrets of their own.
   */
  register(secret: Secret): void {
    const before = this.#forms.size
    for (const value of partsOf(secret.reveal())) {
      for (const form of formsOf(value)) if (form.length >= SHORTEST_SECRET) this.#forms.add(form)
    }
    if (this.#forms.size === before) return
    const longestFirst = [...this.#forms].sort((a, b) => b.length - a.length)
    this.#pattern = new RegExp(longestFirst.map(escapeForPattern).join('|'), 'g')
  }

  /** The text with every known secret replaced by `[secret]`. Cost: one pass; nothing while no secret is known. */
  redact(text: string): string {
    return this.#pattern === null ? text : text.replace(this.#pattern, REDACTED)
  }
}

/** RegExp.escape is not in Node 22. */
function escapeForPattern(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&')
}

function partsOf(value: string): string[] {
  const parts = [value, value.trim()]
  if (value.includes('\n')) {
    for (const line of value.split('\n')) {
      const trimmed = line.trim()
      if (trimmed.length >= SHORTEST_KEY_LINE && !trimmed.startsWith('-----')) parts.push(trimmed)
    }
  }
  const password = /^[a-z][a-z0-9+.-]*:\/\/[^/?#]*?:([^/?#]*)@/i.exec(value)?.[1]
  if (password !== undefined && password.length >= SHORTEST_SECRET) {
    parts.push(password)
    try {
      parts.push(decodeURIComponent(password))
    } catch {
      // A stray percent sign: the password as it stands in the URL is registered, there is no other form.
    }
  }
  return parts
}

function formsOf(value: string): string[] {
  const bytes = Buffer.from(value, 'utf8')
  const urlEncoded = encodeURIComponent(value.toWellFormed())
  return [
    value,
    JSON.stringify(value).slice(1, -1),
    urlEncoded,
    urlEncoded.replace(/%[0-9A-F]{2}/g, code => code.toLowerCase()),
    urlEncoded.replaceAll('%20', '+'),
    bytes.toString('hex'),
    bytes.toString('hex').toUpperCase(),
    ...base64Forms(bytes),
  ]
}

/**
 * The characters that base64 gives for these bytes wherever they stand in a longer text (`user:secret`),
 * one form per position modulo 3: those characters that depend on no neighbouring byte.
 */
function base64Forms(bytes: Buffer): string[] {
  const forms: string[] = []
  for (let shift = 0; shift < 3; shift += 1) {
    const encoded = Buffer.concat([Buffer.alloc(shift), bytes])
      .toString('base64')
      .replace(/=+$/, '')
    const lead = shift === 0 ? 0 : shift + 1
    const tail = (shift + bytes.length) % 3 === 0 ? 0 : 1
    const core = encoded.slice(lead, encoded.length - tail)
    if (core.length < SHORTEST_SECRET) continue
    forms.push(core, core.replaceAll('+', '-').replaceAll('/', '_'))
  }
  return forms
}
