/**
 * From the inner form of a mapping to the one that the engine gets. Judged once, when the mapping is
 * defined, so that a mistake shows at start and not in the first night.
 */
import { ConfigError } from '../model/errors.ts'
import type { FieldLineage, Mapping } from '../model/mapping.ts'
import { refuseDefinition } from '../model/refusal.ts'
import type { TableDefinition } from '../model/table.ts'
import { bindPlan } from './binding.ts'
import { type Field, SPREAD_NAME, SPREAD_VALUE } from './field.ts'
import { columnsUsed, fieldsOf, type Plan, type RecordPlan, type Spread } from './plan.ts'

function complaintsOfTable(
  at: string,
  table: TableDefinition,
  fields: Readonly<Record<string, Field>>,
): string[] {
  const wanted = fieldsOf(table)
  const complaints = [
    ...wanted.filter(field => fields[field] === undefined).map(field => `${at} lacks the field ${field}`),
    ...Object.keys(fields)
      .filter(field => !wanted.includes(field))
      .map(field => `${at} gives ${field}, which is no field of ${table.schema}.${table.name}`),
  ]
  for (const [name, field] of Object.entries(fields)) {
    if (field.doc.trim() === '') complaints.push(`${at}.${name} has an empty doc`)
    if (field.nullable && table.columns[name]?.nullable === false)
      complaints.push(`${at}.${name} is optional, but its column may not be null`)
  }
  return complaints
}

function complaintsOfRecord(plan: Plan, kind: string, record: RecordPlan): string[] {
  const complaints: string[] = []
  const known = new Set(record.columns)
  if (known.size !== record.columns.length)
    complaints.push(`records of kind ${kind} name a source column twice`)
  if (record.spread !== null) {
    known.add(SPREAD_NAME)
    known.add(SPREAD_VALUE)
  }
  for (const column of columnsUsed(plan, kind)) {
    if (!known.has(column))
      complaints.push(`records of kind ${kind} have no column ${JSON.stringify(column)}`)
  }
  for (const [name, fields] of Object.entries(record.tables)) {
    const table = plan.tables[name]
    if (table === undefined) complaints.push(`records of kind ${kind} go to ${name}, which is no table of it`)
    else complaints.push(...complaintsOfTable(`${kind} -> ${name}`, table, fields))
  }
  if (plan.unit !== null && (plan.unit.key[kind] ?? []).length === 0)
    complaints.push(`records of kind ${kind} have no key of their ${plan.unit.name}`)
  return complaints
}

function complaintsOf(plan: Plan): string[] {
  const complaints = Object.entries(plan.records).flatMap(([kind, record]) =>
    complaintsOfRecord(plan, kind, record),
  )
  if (!Number.isSafeInteger(plan.version) || plan.version < 1)
    complaints.push('its version is no whole number from 1')
  return complaints
}

/** Source columns as the page names them: a spread's are all its columns. */
function sourcesOf(field: Field, spread: Spread | null): readonly string[] {
  if (spread === null) return field.columns
  return field.columns.flatMap(column =>
    column === SPREAD_NAME || column === SPREAD_VALUE ? spread.columns : [column],
  )
}

function lineageOf(plan: Plan, record: RecordPlan): Record<string, readonly FieldLineage[]> {
  const byTable: Record<string, readonly FieldLineage[]> = {}
  for (const [name, fields] of Object.entries(record.tables)) {
    byTable[name] = fieldsOf(plan.tables[name]!).map(field => {
      const { rule, doc } = fields[field]!
      const spread = fields[field]!.columns.includes(SPREAD_NAME) ? 'name of the column, ' : ''
      return { field, sources: sourcesOf(fields[field]!, record.spread), rule: `${spread}${rule}`, doc }
    })
  }
  return byTable
}

/** A plan as a mapping for the engine. @throws CONFIG_MAPPING_INVALID with everything that is wrong with it. */
export function mappingOf(plan: Plan): Mapping {
  const { unit, records } = plan
  const complaints = complaintsOf(plan)
  const byKind = <T>(give: (record: RecordPlan) => T): Record<string, T> =>
    Object.fromEntries(Object.entries(records).map(([kind, record]) => [kind, give(record)]))
  const mapping = Object.freeze<Mapping>({
    name: plan.name,
    version: plan.version,
    doc: plan.doc,
    tables: plan.tables as Mapping['tables'],
    sources: byKind(record => record.columns),
    // Of fields that are not there nothing can be told.
    lineage: complaints.length > 0 ? {} : byKind(record => lineageOf(plan, record)),
    filters: byKind(record => record.filters.map(({ reason }) => reason)),
    unit:
      unit === null
        ? null
        : {
            name: unit.name,
            doc: unit.doc,
            law: unit.law,
            stated: unit.stated,
            onFailure: unit.onFailure,
            terms: (table, row) => unit.terms[table]?.(row) ?? [],
          },
    bind: (shapes, context) => bindPlan(plan, shapes, context),
  })
  if (complaints.length > 0) {
    const text = `Mapping ${plan.name} can't be used: ${complaints.join('; ')}. Nothing was started.`
    refuseDefinition(new ConfigError('CONFIG_MAPPING_INVALID', text), mapping)
  }
  return mapping
}
