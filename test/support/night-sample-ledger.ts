/**
 * The night of the pictures in docs: pay of the month against the general ledger, with money at
 * risk, an old break, a resolved one and one that somebody acknowledged.
 */
import { createHash } from 'node:crypto'
import { type Break, type Comparison, ROW_KINDS, type RowKind } from '../../lib/model/break.ts'
import { column, defineTable, type TableDefinition } from '../../lib/model/table.ts'
import type { NightReportInput } from '../../lib/report/night-report.ts'
import { fxInput, mappingOf } from './night-sample-parts.ts'

const posting = defineTable(
  'finance',
  'pay_posting',
  {
    costCentre: column.text({ doc: 'Cost centre.' }),
    account: column.text({ doc: 'Account of the general ledger.' }),
    currency: column.text({ doc: 'ISO 4217 code.' }),
    amount: column.decimal({ doc: 'Amount posted.', precision: 18, scale: 2 }),
    text: column.text({ doc: 'Posting text.' }),
  },
  {
    doc: 'Postings of pay.',
    key: ['costCentre', 'account'],
    totals: { amount: { sum: ['amount'], per: 'currency' } },
  },
)

const sha = (text: string) => createHash('sha256').update(text).digest('hex')

function found(
  kind: Break['kind'],
  centre: string,
  line: number,
  columns: Break['columns'],
  hint = '',
): Break {
  return {
    identity: sha(`${kind}.${centre}`),
    kind,
    key: { costCentre: centre, account: '4120' },
    columns,
    leftRows: kind === 'missing_in_source' ? 0 : 1,
    rightRows: kind === 'missing_in_target' ? 0 : 1,
    origin: kind === 'missing_in_source' ? null : { file: 'PAY_20261120.csv', line },
    hint,
  }
}

const amount = (left: string | null, right: string | null, delta: string | null) => ({
  name: 'amount',
  left,
  right,
  nature: 'amount',
  delta,
})

const BREAKS: readonly Break[] = [
  found('value_mismatch', 'CC-1180', 212, [amount('3610', '3160', '-450')], 'transposed digits'),
  found('missing_in_target', 'CC-2044', 388, [
    amount('790', null, null),
    { name: 'text', left: 'Overtime October', right: null, nature: 'text', delta: null },
  ]),
  found('value_mismatch', 'CC-0907', 97, [amount('1200', '1180.5', '-19.5')]),
  found('missing_in_source', 'CC-3300', 0, [amount(null, '19.5', null)]),
  found('value_mismatch', 'CC-1402', 254, [
    { name: 'text', left: 'Bonus Q3', right: 'Bonus Q2', nature: 'text', delta: null },
  ]),
]

function rowsOf(side: 'left' | 'right'): Record<RowKind, number> {
  const zero = Object.fromEntries(ROW_KINDS.map(kind => [kind, 0])) as Record<RowKind, number>
  return {
    ...zero,
    value_mismatch: 3,
    missing_in_target: side === 'left' ? 1 : 0,
    missing_in_source: side === 'right' ? 1 : 0,
    within_tolerance: 6,
    identical: 4_102,
  }
}

const COMPARISON: Comparison = {
  reconciliation: 'payroll -> ledger',
  run: { job: 'payroll-ledger', businessDate: '2026-11-20' },
  outcome: 'BREAKS',
  gates: ['both sides present', 'row count within 20 runs', 'trailer ties out', 'schema as declared'].map(
    name => ({ name, state: 'passed', message: '' }),
  ),
  left: {
    name: 'payroll',
    rows: 4_112,
    asOf: '2026-11-20T21:40:00Z',
    scope: 'business_date = 2026-11-20',
    digest: sha('payroll'),
    files: ['PAY_20261120.csv'],
  },
  right: {
    name: 'ledger',
    rows: 4_112,
    asOf: '2026-11-20T23:10:09Z',
    scope: 'business_date = 2026-11-20',
    digest: sha('ledger'),
    files: [],
  },
  rows: { left: rowsOf('left'), right: rowsOf('right') },
  counts: { value_mismatch: 3, missing_in_target: 1, missing_in_source: 1 },
  rulesUsed: [{ rule: 'within 0.01', column: 'amount', count: 6 }],
  proof: [
    {
      total: 'amount',
      group: 'CHF',
      left: '402118.4',
      right: '402118.4',
      difference: '0',
      explained: {},
      unexplained: '0',
    },
    {
      total: 'amount',
      group: 'EUR',
      left: '1308957.28',
      right: '1307717.31',
      difference: '-1239.97',
      explained: {
        missing_in_target: '-790',
        missing_in_source: '19.5',
        value_mismatch: '-469.5',
        within_tolerance: '0.03',
      },
      unexplained: '0',
    },
  ],
  breaks: BREAKS,
  breaksTotal: BREAKS.length,
  breaksFile: null,
}

/** Pay against the general ledger: two new breaks, three open ones, one acknowledged, one resolved. */
export function ledgerInput(): NightReportInput {
  const base = fxInput({})
  const known = (state: 'persisting' | 'acknowledged', firstSeen: string, businessDays: number) => ({
    state,
    firstSeen,
    businessDays,
    owner: 'hr-accounting',
  })
  return {
    ...base,
    job: {
      name: 'payroll-ledger',
      purpose: 'Pay of the month stands in the general ledger before it closes at 10:00.',
      owner: 'hr-accounting',
      ifLate: 'The ledger closes at 10:00; later corrections need a reversal posting.',
      map: mappingOf({ postings: posting as TableDefinition }, []),
    },
    run: { job: 'payroll-ledger', businessDate: '2026-11-20' },
    files: [{ ...base.files[0]!, name: 'PAY_20261120.csv', bytes: 318_402 }],
    load: {
      counts: { read: 4_112, mapped: 4_112, rejected: 0, filtered: 0 },
      filters: [],
      tables: [
        {
          table: 'finance.pay_posting',
          mapped: 4_112,
          inserted: 4_112,
          updated: 0,
          unchanged: 0,
          collapsed: 0,
          outdated: 0,
          deleted: 0,
        },
      ],
      totals: [
        { table: 'finance.pay_posting', total: 'amount', group: 'CHF', amount: '402118.4' },
        { table: 'finance.pay_posting', total: 'amount', group: 'EUR', amount: '1308957.28' },
      ],
      failedUnits: 0,
    },
    comparisons: [
      {
        result: COMPARISON,
        history: {
          open: new Map([
            [BREAKS[2]!.identity, known('persisting', '2026-11-04', 12)],
            [BREAKS[3]!.identity, known('persisting', '2026-11-18', 2)],
            [BREAKS[4]!.identity, known('acknowledged', '2026-11-19', 1)],
          ]),
          resolved: [
            {
              kind: 'value_mismatch',
              key: { costCentre: 'CC-1711', account: '4120' },
              firstSeen: '2026-11-17',
              cause: 'ledger moved',
            },
          ],
        },
      },
    ],
  }
}
