/**
 * The parts of which night-samples.ts makes whole nights: a treasury job with its comparison, bank
 * statements that do not tie, a corrected order file. Failures are in night-sample-failures.ts.
 */
import { createHash } from 'node:crypto'
import { type Break, type Comparison, ROW_KINDS, type RowKind } from '../../lib/model/break.ts'
import { add, decimal, negate, toText, ZERO } from '../../lib/model/decimal.ts'
import type { FieldLineage, Mapping } from '../../lib/model/mapping.ts'
import { column, defineTable, type TableDefinition } from '../../lib/model/table.ts'
import type { NightReportInput } from '../../lib/report/night-report.ts'
import { PatternBook } from '../../reconcile/judge/patterns.ts'

const sha = (text: string) => createHash('sha256').update(text).digest('hex')

/** Rates of the central bank. */
export const fxRate = defineTable(
  'treasury',
  'fx_rate',
  {
    currency: column.text({ doc: 'ISO 4217 code.', max: 3 }),
    rateDate: column.date({ doc: 'Day the rate was fixed.' }),
    rate: column.decimal({ doc: 'Units per euro.', precision: 18, scale: 6 }),
    source: column.text({ doc: 'Where it came from.', nullable: true }),
  },
  { doc: 'Reference rates.', key: ['currency', 'rateDate'] },
)

const hours = defineTable(
  'hr',
  'hours',
  {
    person: column.text({ doc: 'Name.', pii: 'personal' }),
    hours: column.decimal({ doc: 'Hours worked.', precision: 6, scale: 2 }),
  },
  { doc: 'Hours.', key: ['person'] },
)

/** A mapping that is only looked at. */
export function mappingOf(
  tables: Readonly<Record<string, TableDefinition>>,
  fields: readonly (readonly [field: string, source: string])[],
  unit: Mapping['unit'] = null,
): Mapping {
  const lineage: FieldLineage[] = fields.map(([field, source]) => ({
    field,
    sources: [source],
    rule: '',
    doc: '',
  }))
  return {
    name: 'sample',
    version: 1,
    doc: 'A mapping for samples.',
    tables,
    sources: { record: fields.map(([, source]) => source) },
    lineage: { record: { rows: lineage } },
    unit,
    bind: () => {
      throw new Error('not bound in samples')
    },
  } as Mapping
}

/** A mapping with a personal column. */
export const hoursMapping = mappingOf({ hours: hours as TableDefinition }, [
  ['person', 'NAME'],
  ['hours', 'HRS'],
])

/** A rate that differs. */
export function mismatch(currency: string, left: string, right: string, hint = ''): Break {
  const delta = toText(add(decimal(right), negate(decimal(left))))
  return {
    identity: sha(`${currency}.value`),
    kind: 'value_mismatch',
    key: { currency, rateDate: '2026-11-20' },
    columns: [{ name: 'rate', left, right, nature: 'amount', delta }],
    leftRows: 1,
    rightRows: 1,
    origin: { file: 'eurofxref-hist-2026-11-20.xml', line: 12 },
    hint,
  }
}

/** A rate that the target lacks. */
export function oneSided(currency: string, left: string): Break {
  return {
    identity: sha(`${currency}.presence`),
    kind: 'missing_in_target',
    key: { currency, rateDate: '2026-11-20' },
    columns: [{ name: 'rate', left, right: null, nature: 'amount', delta: null }],
    leftRows: 1,
    rightRows: 0,
    origin: { file: 'eurofxref-hist-2026-11-20.xml', line: 31 },
    hint: '',
  }
}

/** What these breaks have in common. */
export function patternsOf(breaks: readonly Break[], files: number): NonNullable<Comparison['patterns']> {
  const book = new PatternBook()
  for (const found of breaks) book.add(found)
  return { mappingVersion: 14, ...book.result(files, [], new Map()), rekeyed: { count: 0, pairs: [] } }
}

/** A comparison of 10,659 rates with these breaks; its proof adds up. */
export function comparison(breaks: readonly Break[]): Comparison {
  const mismatched = breaks.filter(({ kind }) => kind === 'value_mismatch')
  const missing = breaks.filter(({ kind }) => kind === 'missing_in_target')
  const values = mismatched.reduce((sum, { columns }) => add(sum, decimal(columns[0]!.delta!)), ZERO)
  const gone = missing.reduce((sum, { columns }) => add(sum, decimal(columns[0]!.left!)), ZERO)
  const left = decimal('1830211.4418')
  const right = add(add(left, values), negate(gone))
  const rows = (side: 'left' | 'right'): Record<RowKind, number> => {
    const zero = Object.fromEntries(ROW_KINDS.map(kind => [kind, 0])) as Record<RowKind, number>
    const onSide = side === 'left' ? missing.length : 0
    return {
      ...zero,
      value_mismatch: mismatched.length,
      missing_in_target: onSide,
      equal_after_rules: 4,
      identical: 10_655 - mismatched.length - missing.length,
    }
  }
  const difference = toText(add(right, negate(left)))
  return {
    reconciliation: 'fx-rates against the ECB CSV',
    run: { job: 'fx-rates', businessDate: '2026-11-20' },
    outcome: breaks.length === 0 ? 'CLEAN' : 'BREAKS',
    gates: [
      { name: 'both sides present', state: 'passed', message: '' },
      { name: 'row count within 20 runs', state: 'passed', message: '' },
      { name: 'schema as declared', state: 'passed', message: '' },
    ],
    left: {
      name: 'ECB CSV',
      rows: 10_659,
      asOf: '2026-11-20T23:10:04Z',
      scope: 'keys of target',
      digest: sha('left'),
      files: ['eurofxref-hist.csv'],
    },
    right: {
      name: 'treasury.fx_rate',
      rows: 10_659 - missing.length,
      asOf: '2026-11-20T23:10:09Z',
      scope: 'all',
      digest: sha('right'),
      files: [],
    },
    rows: { left: rows('left'), right: rows('right') },
    counts: { value_mismatch: mismatched.length, missing_in_target: missing.length },
    rulesUsed: [{ rule: 'trim', column: 'source', count: 4 }],
    proof: [
      {
        total: 'rate',
        group: '',
        left: toText(left),
        right: toText(right),
        difference,
        explained: { missing_in_target: toText(negate(gone)), value_mismatch: toText(values) },
        unexplained: '0',
      },
    ],
    breaks,
    patterns: patternsOf(breaks, 1),
    breaksTotal: breaks.length,
    breaksFile: null,
  }
}

/** A night of fx-rates. */
export function fxInput(change: Partial<NightReportInput>): NightReportInput {
  return {
    job: {
      name: 'fx-rates',
      purpose: 'Reference rates of the central bank are in treasury before the 07:00 valuation.',
      owner: 'treasury-it',
      ifLate: 'The 07:00 valuation runs on the rates of the day before and is corrected by hand.',
      map: mappingOf({ rates: fxRate as TableDefinition }, [
        ['currency', '@currency'],
        ['rateDate', '../@time'],
        ['rate', '@rate'],
      ]),
    },
    run: { job: 'fx-rates', businessDate: '2026-11-20' },
    attempt: 1,
    trigger: 'schedule',
    revision: 1,
    comparison: 1,
    environment: { name: 'production', production: true },
    at: '2026-11-20T23:10:12Z',
    state: 'done',
    files: [
      {
        id: '1',
        name: 'eurofxref-hist-2026-11-20.xml',
        contentSha256: sha('file'),
        bytes: 612_338,
        verdict: 'new',
        note: '',
      },
    ],
    replaces: [],
    steps: [
      { step: 'fetch', state: 'done', ms: 1840 },
      { step: 'parse', state: 'done', ms: 310 },
      { step: 'map', state: 'done', ms: 122 },
      { step: 'load', state: 'done', ms: 960 },
      { step: 'reconcile', state: 'done', ms: 2210 },
      { step: 'report', state: 'running', ms: 0 },
    ],
    load: {
      counts: { read: 10_659, mapped: 10_659, rejected: 0, filtered: 0 },
      filters: [],
      tables: [
        {
          table: 'treasury.fx_rate',
          mapped: 10_659,
          inserted: 31,
          updated: 2,
          unchanged: 10_626,
          collapsed: 0,
          outdated: 0,
          deleted: 0,
        },
      ],
      totals: [],
      failedUnits: 0,
    },
    published: true,
    warnings: [],
    rejects: [],
    rejectsByCode: [],
    failedUnits: [],
    comparisons: [],
    failure: null,
    replacesReport: null,
    docsUrl: null,
    ...change,
  }
}

/** One statement of two that does not tie, and its records. */
export function bankInput(): NightReportInput {
  const base = fxInput({})
  return {
    ...base,
    job: {
      name: 'bank-statements',
      purpose: 'Entries and balances of all accounts are in finance before the 09:00 cash position.',
      owner: 'cash-management',
      ifLate: 'The cash position of the day is made by hand from the bank portal.',
      map: mappingOf({ rows: fxRate as TableDefinition }, [], {
        name: 'statement',
        doc: 'One account, one day.',
        stated: ['opening balance', 'closing balance'],
        terms: () => [],
        law: 'opening + movements = closing',
        onFailure: 'unit',
      }),
    },
    run: { job: 'bank-statements', businessDate: '2026-11-20' },
    files: [{ ...base.files[0]!, name: 'camt053_GS_UK_20261120.xml', bytes: 48_211 }],
    load: {
      counts: { read: 103, mapped: 62, rejected: 41, filtered: 0 },
      filters: [],
      tables: [
        {
          table: 'finance.bank_balance',
          mapped: 4,
          inserted: 4,
          updated: 0,
          unchanged: 0,
          collapsed: 0,
          outdated: 0,
          deleted: 0,
        },
        {
          table: 'finance.bank_entry',
          mapped: 58,
          inserted: 58,
          updated: 0,
          unchanged: 0,
          collapsed: 0,
          outdated: 0,
          deleted: 0,
        },
      ],
      totals: [{ table: 'finance.bank_entry', total: 'amount', group: 'GBP', amount: '48311.5' }],
      failedUnits: 1,
    },
    failedUnits: [
      {
        file: 0,
        unit: '9740092650',
        records: 41,
        missing: [],
        repeated: [],
        differences: [{ group: 'GBP', difference: '108.35' }],
        rejectedRecords: 0,
      },
    ],
    rejects: Array.from({ length: 41 }, (_, index) => ({
      file: 0,
      line: 118 + index * 22,
      step: 'load' as const,
      raw: '<Ntry>...</Ntry>',
      unit: '9740092650',
      issues: [
        {
          code: 'MAP_UNIT_DOES_NOT_TIE',
          message: 'statement 9740092650 does not tie: closing - opening - movements is GBP 108.35',
          column: null,
          field: null,
          value: null,
        },
      ],
    })),
    rejectsByCode: [{ code: 'MAP_UNIT_DOES_NOT_TIE', count: 41 }],
  }
}

/** A corrected order file that replaces the first one's rows. */
export function correctionInput(): NightReportInput {
  const base = fxInput({})
  return {
    ...base,
    job: {
      ...base.job,
      name: 'portal-orders',
      purpose: 'Orders of the portal are in sales before the 06:00 picking run.',
      owner: 'sales-it',
    },
    run: { job: 'portal-orders', businessDate: '2026-11-19' },
    attempt: 2,
    trigger: 'schedule',
    revision: 2,
    at: '2026-11-20T04:02:40Z',
    files: [
      {
        ...base.files[0]!,
        name: 'ORDERS_20261119_v2.csv',
        bytes: 4_102,
        verdict: 'correction',
      },
    ],
    replaces: [
      { by: 'ORDERS_20261119_v2.csv', name: 'ORDERS_20261119.csv', receivedAt: '2026-11-20T02:14:05Z' },
    ],
    load: {
      counts: { read: 41, mapped: 41, rejected: 0, filtered: 0 },
      filters: [],
      tables: [
        {
          table: 'sales.order_line',
          mapped: 41,
          inserted: 41,
          updated: 0,
          unchanged: 0,
          collapsed: 0,
          outdated: 0,
          deleted: 40,
        },
      ],
      totals: [{ table: 'sales.order_line', total: 'value', group: 'EUR', amount: '1308.9' }],
      failedUnits: 0,
    },
    replacesReport: { attempt: 1, at: '2026-11-20T02:15:31Z', found: [] },
    comparison: 2,
  }
}
