/**
 * A secret that can't be printed by accident: toString, JSON and inspect give `[secret]`.
 * Where it comes from is written down in the environment file; its value is read when needed, and
 * read again after an authentication failure, so that rotation needs no restart.
 */
import { inspect } from 'node:util'

/** Where a secret is read from. */
export type SecretSource =
  | { readonly env: string }
  | { readonly file: string }
  | { readonly command: readonly [string, ...string[]] }
  | { readonly literal: string }

/** A secret's value in memory. Only `reveal()` gives it; call it as late as possible. */
export class Secret {
  readonly #value: string

  constructor(value: string) {
    this.#value = value
  }

  reveal(): string {
    return this.#value
  }

  toString(): string {
    return '[secret]'
  }

  toJSON(): string {
    return '[secret]'
  }

  [inspect.custom](): string {
    return '[secret]'
  }
}

/** Reads a secret from its source, anew at each call (rotation); made by lib/config/secrets.ts. */
export type ResolveSecret = (source: SecretSource) => Promise<Secret>
