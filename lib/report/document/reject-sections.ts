/**
 * What a mail tells about records that were not loaded: units that do not tie, and refused records
 * by reason and one by one. All of them stand in the attachment (attach/rejects-csv.ts).
 */
import { count, money, plural } from '../figures.ts'
import type { NightReport, RejectLine } from '../night-report.ts'
import { visible } from '../visible.ts'
import { type Attached, cell, type Level, type Section, shownNote, type TableBlock } from './blocks.ts'

/** Units whose records were all kept out, with their differences. */
export function unitsSection(report: NightReport, level: Level): Section {
  if (report.failedUnits.length === 0) return { title: '', blocks: [] }
  const name = visible(report.unitName, 40)
  const rows = report.failedUnits
    .slice(0, level.rows)
    .map(unit => [
      cell(visible(unit.unit, level.characters)),
      cell(visible(unit.file, level.characters)),
      cell(differencesOf(unit), 'bad'),
      cell(count(unit.records)),
      cell(visible(unit.remarks.join('; '), level.characters)),
    ])
  const law = report.unitLaw === '' ? '' : ` The law is: ${visible(report.unitLaw, 200)}.`
  return {
    title: `${name.charAt(0).toUpperCase()}${name.slice(1)}s that do not tie`,
    blocks: [
      {
        kind: 'sentence',
        tone: 'plain',
        text: `All records of a ${name} that does not tie are kept out of all tables.${law}`,
      },
      {
        kind: 'table',
        columns: [
          { title: `${name.charAt(0).toUpperCase()}${name.slice(1)}`, align: 'left' },
          { title: 'File', align: 'left' },
          { title: 'Difference', align: 'right' },
          { title: 'Records', align: 'right' },
          { title: 'Remarks', align: 'left' },
        ],
        rows,
        note: shownNote(rows.length, report.failedUnits.length, 'all in the attached summary'),
      },
    ],
  }
}

function differencesOf({ differences }: NightReport['failedUnits'][number]): string {
  const shown = differences.slice(0, 3).map(({ group, difference }) => visible(money(group, difference), 60))
  return differences.length > 3 ? `${shown.join(', ')}, …` : shown.join(', ')
}

/** Refused records: how many for which reason, then the first ones with their place. */
export function rejectsSection(report: NightReport, level: Level, attached: Attached): Section {
  if (report.rejectsTotal === 0) return { title: '', blocks: [] }
  const codes = report.rejectsByCode.slice(0, level.rows)
  const byCode: TableBlock = {
    kind: 'table',
    columns: [
      { title: 'Reason', align: 'left' },
      { title: 'Records', align: 'right' },
    ],
    rows: codes.map(({ code, count: records }) => [cell(code), cell(count(records), 'bad')]),
    note: shownNote(codes.length, report.rejectsByCode.length, 'all in the attached summary'),
  }
  const own = report.rejects.filter(line => !belongsToFailedUnit(line, report))
  const shown = own.slice(0, level.rows)
  const note = noteOf(shown.length, own.length, report, attached)
  return {
    title: 'Refused records',
    blocks: [
      byCode,
      ...(shown.length === 0
        ? [{ kind: 'sentence', tone: 'quiet', text: `${note}.` } as const]
        : [tableOf(shown, note, level)]),
    ],
  }
}

function tableOf(lines: readonly RejectLine[], note: string, level: Level): TableBlock {
  return {
    kind: 'table',
    columns: [
      { title: 'Place', align: 'left' },
      { title: 'Column', align: 'left' },
      { title: 'Value', align: 'left' },
      { title: 'Rule', align: 'left' },
    ],
    rows: lines.map(({ file, line, column, field, value, rule, code }) => [
      cell(`${visible(file, level.characters)}:${line}`),
      cell(visible(column ?? field ?? 'the record as a whole', 60)),
      cell(
        value === null
          ? column === null && field === null
            ? '–'
            : 'none'
          : visible(value, level.characters),
      ),
      cell(`${visible(rule, level.characters * 2)} [${code}]`),
    ]),
    note,
  }
}

/** A unit that does not tie is told once, not once per record. */
function belongsToFailedUnit({ unit, column, value }: RejectLine, { failedUnits }: NightReport): boolean {
  return column === null && value === null && failedUnits.some(failed => failed.unit === unit)
}

function noteOf(shown: number, own: number, report: NightReport, attached: Attached): string {
  const { rejects, rejectsTotal, rejectsHeld, failedUnits, unitName } = report
  if (own < rejects.length) {
    return `The records of the ${unitName}${failedUnits.length === 1 ? '' : 's'} above are not repeated here, ${attached.rejects}`
  }
  if (shown >= rejects.length && rejectsHeld >= rejectsTotal) return ''
  return `The first ${plural(shown, 'finding')} of ${plural(rejectsTotal, 'refused record')}, ${attached.rejects}`
}
