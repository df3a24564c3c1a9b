/**
 * Validators of zod, valibot, arktype and all others that implement Standard Schema 1.0, without
 * depending on any of them. They only judge: what they would turn a value into is ignored.
 */
import { ConfigError } from '../model/errors.ts'

/** The part of Standard Schema that is used here. */
export interface StandardSchema {
  readonly '~standard': {
    readonly version: 1
    readonly vendor: string
    readonly validate: (value: unknown) => unknown
  }
}

/** One thing a validator found. */
export interface Finding {
  readonly message: string
  /** Name of the field it is about, null for the value as a whole. */
  readonly field: string | null
}

interface SchemaIssue {
  readonly message: string
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[]
}

/** Whether something is a Standard Schema validator. */
export function isStandardSchema(value: unknown): value is StandardSchema {
  return (typeof value === 'object' || typeof value === 'function') && value !== null && '~standard' in value
}

/**
 * What a validator finds wrong with a value; empty when it is fine.
 * @throws CONFIG_MAPPING_INVALID for a validator that answers with a promise: mapping has no async.
 */
export function findings(schema: StandardSchema, value: unknown): readonly Finding[] {
  const { validate, vendor } = schema['~standard']
  const result = validate(value) as { readonly issues?: readonly SchemaIssue[] } | PromiseLike<unknown>
  if ('then' in result) {
    throw new ConfigError(
      'CONFIG_MAPPING_INVALID',
      `A check made with ${vendor} answers with a promise. A mapping is pure: look things up before or after it. The run stops.`,
    )
  }
  return (result.issues ?? []).map(({ message, path }) => {
    const first = path?.[0]
    const key = typeof first === 'object' ? first.key : first
    return { message, field: key === undefined ? null : String(key) }
  })
}
