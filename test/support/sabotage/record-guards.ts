/**
 * Guards of parse and map: no wrong letters, no lost or joined records, no amount that was rounded, no
 * unit that does not tie.
 */
import type { Guard } from './guard.ts'

const CHARSET = 'test/unit/lib/format/charset.test.ts'
const CSV = 'test/unit/lib/parse/csv-stream.test.ts'
const SPLIT = 'test/unit/lib/format/csv-split.test.ts'
const ENDS = 'test/unit/lib/parse/header-and-trailer.test.ts'
const XML = 'test/unit/lib/parse/xml-stream.test.ts'
const MAP = 'test/unit/lib/map/map-records.test.ts'

/** Guards of parse and map. */
export const RECORD_GUARDS: readonly Guard[] = [
  {
    against: 'bytes that are no UTF-8 become replacement characters',
    file: 'lib/format/charset.ts',
    guard: 'if (isUtf8(data)) return { text, badAt: -1 }',
    gone: 'return { text, badAt: -1 }',
    test: CHARSET,
    title: 'the offset of a bad byte is the same',
  },
  {
    against: 'a character that the end of the file cuts off is dropped',
    file: 'lib/format/charset.ts',
    guard: 'if (this.#fault === null && this.#carry !== null) this.#refuse(this.#carry, 0)',
    gone: '',
    test: CHARSET,
    title: 'a character cut off by the end of the file',
  },
  {
    against: 'UTF-8 is read as windows-1252',
    file: 'lib/parse/source-text.ts',
    guard: "if (verdict !== 'utf-8') return",
    gone: 'if (verdict !== null) return',
    test: CSV,
    title: 'a UTF-8 file declared as windows-1252',
  },
  {
    against: 'an unclosed quote takes the rest of the file into one record',
    file: 'lib/format/csv-split.ts',
    guard: 'if (length <= this.#maxLength + this.#lookahead) {',
    gone: 'if (length >= 0) {',
    test: SPLIT,
    title: 'B21: an unclosed quote is noticed within the longest record',
  },
  {
    against: 'the end of a record is guessed where quoting leaves it open',
    file: 'lib/format/csv-split.ts',
    guard: 'if (fits.length === 1)',
    gone: 'if (fits.length > 0)',
    test: SPLIT,
    title: 'bad quoting after which two record ends are possible',
  },
  {
    against: 'a ragged row is read with its cells in wrong columns',
    file: 'lib/parse/csv-rejects.ts',
    guard: 'if (record.cells !== width) {',
    gone: 'if (false) {',
    test: CSV,
    title: 'a ragged row is a reject',
  },
  {
    against: 'one NUL byte aborts a whole COPY',
    file: 'lib/parse/csv-rejects.ts',
    guard: "if (record.text.includes('\\0')) {",
    gone: 'if (false) {',
    test: CSV,
    title: 'a NUL byte rejects its row',
  },
  {
    against: 'of two columns with one name the last wins',
    file: 'lib/parse/header.ts',
    guard: 'if (twice.length > 0) {',
    gone: 'if (false) {',
    test: ENDS,
    title: 'a doubled column name',
  },
  {
    against: 'a needed column that is missing is read as empty',
    file: 'lib/parse/header.ts',
    guard: 'if (missing.length > 0) throw missingColumns(contract, missing, unknown)',
    gone: '',
    test: ENDS,
    title: 'every missing or renamed column is listed',
  },
  {
    against: 'a file with fewer records than its trailer states is loaded',
    file: 'lib/parse/trailer.ts',
    guard: 'compareDecimals(stated.value, { unscaled: BigInt(counted.read), scale: 0 }) !== 0',
    gone: 'false',
    test: ENDS,
    title: 'a trailer with another count',
  },
  {
    against: 'a file with another sum than its trailer states is loaded',
    file: 'lib/parse/trailer.ts',
    guard: 'if (sum.unreadableLine > 0 || compareDecimals(stated.value, sum.total) !== 0)',
    gone: 'if (false)',
    test: ENDS,
    title: 'a trailer with another sum',
  },
  {
    against: 'a file cut off before its trailer is loaded',
    file: 'lib/parse/csv-end.ts',
    guard: 'const lines = this.#last?.line ?? 0',
    gone: 'if (this.#spec !== null) return null\n    const lines = this.#last?.line ?? 0',
    test: ENDS,
    title: 'a file without its trailer',
  },
  {
    against: 'an entity of a DOCTYPE is used',
    file: 'lib/format/xml-read.ts',
    guard: "parser.on('doctype', () => {\n      throw",
    gone: "parser.on('doctype', () => {\n      void",
    test: XML,
    title: 'a DOCTYPE is refused',
  },
  {
    against: 'XML without end of depth fills the memory',
    file: 'lib/format/xml-read.ts',
    guard: 'if (this.#depth > limits.maxDepth) throw this.#tooDeep()',
    gone: '',
    test: XML,
    title: 'B27: depth, texts and records are bounded',
  },
  {
    against: 'malformed XML is read as far as it goes',
    file: 'lib/format/xml-read.ts',
    guard: "throw this.#refuse(\n        'PARSE_XML_MALFORMED'",
    gone: "void this.#refuse(\n        'PARSE_XML_MALFORMED'",
    test: XML,
    title: 'malformed XML is refused',
  },
  {
    against: 'a unit that does not tie is loaded',
    file: 'lib/map/unit-fold.ts',
    guard: ".filter(({ difference }) => difference !== '0')",
    gone: '.filter(() => false)',
    test: 'test/unit/lib/map/units.test.ts',
    title: 'a unit that does not tie is rejected whole',
  },
  {
    against: 'a unit without one of its stated totals counts as proved',
    file: 'lib/map/unit-fold.ts',
    guard: 'missing.length + repeated.length + differences.length',
    gone: 'differences.length',
    test: 'test/unit/lib/map/units.test.ts',
    title: 'a unit that lacks or repeats a stated total',
  },
  {
    against: 'rejects beyond the limit are let pass',
    file: 'lib/map/reject-limit.ts',
    guard: 'if (!overCount && !overPercent) return null',
    gone: 'if (read >= 0) return null',
    test: MAP,
    title: 'the reject limit by count',
  },
  {
    against: 'a text that Postgres can not hold reaches COPY',
    file: 'lib/map/fit.ts',
    guard: "if (value.includes('\\0')) return nul",
    gone: '',
    test: MAP,
    title: 'what Postgres could not store is refused',
  },
  {
    against: 'digits that a column can not hold are rounded away by the mapping',
    file: 'lib/map/decimal-notation.ts',
    guard: 'if (end - whole - 1 > scale ||',
    gone: 'if (',
    test: 'test/unit/lib/map/decimal-notation.test.ts',
    title: 'digits that the column can not hold',
  },
]
