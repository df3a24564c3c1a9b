/** Jobs that the compiler refuses, because what is mapped is not what is loaded. Run by ../refused.test.ts. */
import { postgres } from '../../../lib/load/postgres.ts'
import { defineMapping, read } from '../../../lib/map/index.ts'
import { defineJob } from '../../../lib/model/define-job.ts'
import type { JobDefinition } from '../../../lib/model/job.ts'
import { column, defineTable } from '../../../lib/model/table.ts'

const line = defineTable('sales', 'line', { id: column.text({ doc: 'x' }) }, { doc: 'x', key: ['id'] })
const wider = defineTable(
  'sales',
  'wider',
  { id: column.text({ doc: 'x' }), price: column.integer({ doc: 'x' }) },
  { doc: 'x', key: ['id'] },
)
const map = defineMapping({
  name: 'x',
  version: 1,
  doc: 'x',
  source: ['Id'],
  table: line,
  fields: { id: read.text('Id', { doc: 'x' }) },
})

declare const rest: Omit<JobDefinition, 'map' | 'load'>

export const fits = defineJob({ ...rest, map, load: postgres({ table: line, mode: 'upsert' }) })

export const anotherTable = defineJob({
  ...rest,
  map,
  load: postgres({ table: wider, mode: 'upsert' }), // refused: other tables or columns
})

export const anotherName = defineJob({
  ...rest,
  map,
  load: postgres({ tables: { lines: line }, mode: 'upsert' }), // refused: other tables or columns
})
