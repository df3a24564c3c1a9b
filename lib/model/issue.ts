/**
 * Bad data as a value: an issue is one thing wrong with one record, a reject is a record that may
 * not be loaded with all its issues. Made by parse, map and load; kept by the run ledger.
 */
import type { RejectKey } from './explanation.ts'
import type { Step } from './steps.ts'

/** One thing wrong with one record. */
export interface Issue {
  /** Stable code such as `MAP_NOT_A_DECIMAL`; stands in docs/errors.md. */
  readonly code: string
  /** What is wrong and what was expected, in a sentence for a person who knows the data but not the code. */
  readonly message: string
  /** Source column or XML path it was read from; null when it concerns the record as a whole. */
  readonly column: string | null
  /** Target field it was to become; null when there is none. */
  readonly field: string | null
  /** The source text of that column, at most 200 characters; null when absent. */
  readonly value: string | null
}

/** A record that may not be loaded. It is never dropped without one of these. */
export interface Reject {
  /** Position of the file in the frozen revision, from 0. */
  readonly file: number
  /** Line on which the record starts in the decoded file, from 1. */
  readonly line: number
  /** The step that refused it. */
  readonly step: Step
  /** The record's text as received (decoded), at most RAW_LIMIT characters. */
  readonly raw: string
  /** The unit (statement, order) it belongs to, where the job has units. */
  readonly unit: string | null
  /** At least one. */
  readonly issues: readonly Issue[]
  /** Keys that its rows would have had, as far as they could be read. */
  readonly keys?: readonly RejectKey[]
}

/** Longest raw text that a reject keeps, in characters; what is longer is cut and ends with `…[cut]`. */
export const RAW_LIMIT = 65_536

/** The raw text as a reject may keep it. */
export function boundedRaw(raw: string): string {
  return raw.length <= RAW_LIMIT ? raw : `${raw.slice(0, RAW_LIMIT)}…[cut]`
}

/** Longest value that an issue repeats, in characters. */
const VALUE_LIMIT = 200

/** An issue with its optional parts defaulted to null and its value bounded. */
export function issue(
  code: string,
  message: string,
  at: { column?: string | null; field?: string | null; value?: string | null } = {},
): Issue {
  const value = at.value ?? null
  return {
    code,
    message,
    column: at.column ?? null,
    field: at.field ?? null,
    value: value !== null && value.length > VALUE_LIMIT ? `${value.slice(0, VALUE_LIMIT)}…` : value,
  }
}
