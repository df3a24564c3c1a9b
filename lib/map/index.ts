/**
 * What a mapping is written with. The engine's side of map is map-records.ts and map-tally.ts.
 */
export { defineDocumentMapping, defineMapping, leaveOut } from './define-mapping.ts'
export { SPREAD_NAME, SPREAD_VALUE } from './field.ts'
export { read } from './read.ts'
export { refuse } from './read-run.ts'
