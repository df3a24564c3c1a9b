/** Mappings that the compiler refuses, each at the line marked with what it says. Run by ../refused.test.ts. */
import { defineDocumentMapping, defineMapping, leaveOut, read } from '../../../lib/map/index.ts'
import { column, defineTable } from '../../../lib/model/table.ts'

const line = defineTable(
  'sales',
  'line',
  {
    id: column.text({ doc: 'Number.' }),
    price: column.decimal({ doc: 'Price.', precision: 10, scale: 2 }),
    day: column.date({ doc: 'Day.', nullable: true }),
  },
  { doc: 'Lines.', key: ['id'] },
)

const said = { name: 'x', version: 1, doc: 'x', source: ['Id', 'Price', 'Day'], table: line } as const
const id = read.text('Id', { doc: 'x' })
const price = read.decimal('Price', { doc: 'x' })
const day = read.date('Day', { doc: 'x', optional: true })

export const right = defineMapping({ ...said, fields: { id, price, day } })

export const wrongColumn = defineMapping({
  ...said,
  fields: {
    id: read.text('Nr', { doc: 'x' }), // refused: "Nr"
    price,
    day,
  },
})

export const wrongType = defineMapping({
  ...said,
  fields: {
    id,
    price: read.integer('Price', { doc: 'x' }), // refused: Field<number
    day,
  },
})

export const floatForDecimal = defineMapping({
  ...said,
  fields: {
    id,
    price: read.compute({ from: ['Price'], doc: 'x', rule: 'x' }, text => Number(text)), // refused: Field<number
    day,
  },
})

export const missingDoc = defineMapping({
  ...said,
  fields: {
    id: read.text('Id', {}), // refused: 'doc'
    price,
    day,
  },
})

export const missingField = defineMapping({
  ...said,
  fields: { id, price }, // refused: 'day'
})

export const additionalField = defineMapping({
  ...said,
  fields: {
    id,
    price,
    day,
    more: read.line({ doc: 'x' }), // refused: 'more'
  },
})

export const nullForRequired = defineMapping({
  ...said,
  fields: {
    id: read.text('Id', { doc: 'x', optional: true }), // refused: null
    price,
    day,
  },
})

export const unknownOption = defineMapping({
  ...said,
  fields: {
    id: read.text('Id', { doc: 'x', optinal: true }), // refused: optinal
    price,
    day,
  },
})

export const filterOnUnknownColumn = defineMapping({
  ...said,
  fields: { id, price, day },
  filters: [
    leaveOut({ reason: 'x', from: ['Kind'] }, kind => kind === 'x'), // refused: "Kind"
  ],
})

export const wrongKindOfRecord = defineDocumentMapping({
  name: 'x',
  version: 1,
  doc: 'x',
  records: { head: ['Id'], item: ['Price', 'Day'] },
  tables: { lines: line },
  from: {
    head: {},
    item: {
      lines: {
        id, // refused: "Id"
        price,
        day,
      },
    },
  },
})
