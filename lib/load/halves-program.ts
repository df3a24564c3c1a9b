/**
 * The program that writes a range of pending rows by halves, in PL/pgSQL: a thousand violators among
 * 100,000 rows take some ten thousand tries, which would be as many round trips, each with the target
 * locked. It decides nothing: a row is refused when the target refuses it alone, on top of all that was
 * accepted. What is tried, and what follows from it: write-by-halves.ts.
 */
import { literal } from './target-table.ts'

/** SQLSTATEs that refuse a row: integrity, data, WITH CHECK OPTION, a trigger's own RAISE, a value too large for its index. */
export const REFUSES_A_ROW = '^(23|22|44|P0001|54000)'

/** Columns of the table in which the program keeps how far it is; it has one row. `tries` and `most` (refused records of a pass) are of all passes. */
export const PROGRESS_COLUMNS = 'tries bigint, most bigint, accepted bigint, records bigint, ended text'

/** Columns of the table of refused rows, one per record and pass. */
export const BAD_COLUMNS =
  '_table integer, _seq bigint, sqlstate text, constraint_name text, column_name text, message text'

/** One range to be written. Names are ready for SQL. */
export interface HalvesInput {
  readonly pending: string
  readonly bad: string
  readonly progress: string
  /** Ranks, `from` included, `to` excluded. */
  readonly from: number
  readonly to: number
  /** Names of the load's tables by position, as the database gives them. */
  readonly tables: readonly string[]
  /** Statements of one try, in order; IN_TRY says which rows. */
  readonly statements: readonly string[]
  /** So many refused records end the pass (`ended` is `enough`). */
  readonly mostRecords: number
  /** So many tries end it, and as many again for each refused record as `triesPerRecord` says (`ended` is `lost`). */
  readonly spareTries: number
  readonly triesPerRecord: number
}

/** Ranges up to this many rows share one plan that looks each row up; larger ones are planned each time and may read whole tables. */
const LOOKED_UP = 2_000

/** Condition on a row `w` of the pending table: it is in the range of the try. No column begins with an underscore. */
export const IN_TRY = 'w._rank >= _from AND w._rank < _to AND NOT w._skipped'

/** Planner settings that the program changes; whoever runs it sets them back. */
export const CHANGED_SETTINGS = [
  'plan_cache_mode',
  'enable_seqscan',
  'enable_hashjoin',
  'enable_mergejoin',
] as const

function array(texts: readonly string[]): string {
  return `ARRAY[${texts.map(literal).join(', ')}]::text[]`
}

/** The program. A refused row's record and unit are not tried further in this pass. */
export function halvesProgram(input: HalvesInput): string {
  const { pending, bad, progress, from, to } = input
  return `DO $tallyman_halves$
#variable_conflict use_column
DECLARE
  -- ranges still to be tried, the next one last: begin, end, and how many tries had failed before the
  -- other half was tried (-1: there is none)
  todo bigint[] := ARRAY[${from}, ${to}, -1];
  top integer := 3;
  _from bigint; _to bigint; middle bigint; other bigint;
  failures bigint := 0;
  small boolean; was_small boolean;
  hopeless boolean;
  accepted boolean;
  state text; in_constraint text; in_column text; in_schema text; in_table text; words text;
  one record;
  so_far record;
BEGIN
  SELECT * INTO so_far FROM ${progress};
  WHILE top > 0 AND so_far.ended IS NULL LOOP
    _from := todo[top - 2]; _to := todo[top - 1]; other := todo[top];
    top := top - 3;
    -- both halves together were refused and the first was accepted whole, so the second is refused whole
    hopeless := other = failures AND _to - _from > 1;
    accepted := false;
    IF NOT hopeless THEN
      so_far.tries := so_far.tries + 1;
      small := _to - _from <= ${LOOKED_UP};
      IF small IS DISTINCT FROM was_small THEN
        was_small := small;
        PERFORM set_config('plan_cache_mode', CASE WHEN small THEN 'force_generic_plan' ELSE 'force_custom_plan' END, true),
          set_config('enable_seqscan', (NOT small)::text, true),
          set_config('enable_hashjoin', (NOT small)::text, true),
          set_config('enable_mergejoin', (NOT small)::text, true);
      END IF;
      BEGIN
        SET CONSTRAINTS ALL DEFERRED;
        ${input.statements.map(statement => `${statement};`).join('\n        ')}
        SET CONSTRAINTS ALL IMMEDIATE;
        accepted := true;
      EXCEPTION WHEN OTHERS THEN
        GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, in_constraint = CONSTRAINT_NAME,
          in_column = COLUMN_NAME, in_schema = SCHEMA_NAME, in_table = TABLE_NAME, words = MESSAGE_TEXT;
        IF state !~ ${literal(REFUSES_A_ROW)} THEN
          RAISE;
        END IF;
      END;
      IF accepted THEN
        IF EXISTS (SELECT FROM ${pending} w WHERE ${IN_TRY}) THEN
          so_far.accepted := so_far.accepted + 1;
        END IF;
        CONTINUE;
      END IF;
      failures := failures + 1;
    END IF;
    IF _to - _from = 1 THEN
      SELECT * INTO one FROM ${pending} w WHERE w._rank = _from AND NOT w._skipped
        ORDER BY w._table = array_position(${array(input.tables)}, in_schema || '.' || in_table) - 1 DESC NULLS LAST, w._seq LIMIT 1;
      INSERT INTO ${bad} VALUES (one._table, one._seq, state, in_constraint, in_column, words);
      UPDATE ${pending} w SET _skipped = true
        WHERE w._rank = _from OR w._file = one._file AND w._record = one._record AND w._rank >= _from;
      IF one._unit IS NOT NULL THEN
        UPDATE ${pending} w SET _skipped = true
          WHERE w._unit = one._unit AND w._file = one._file AND w._rank >= _from;
      END IF;
      so_far.records := so_far.records + 1;
      so_far.most := greatest(so_far.most, so_far.records);
      IF so_far.records >= ${input.mostRecords} THEN
        so_far.ended := 'enough';
      END IF;
    ELSE
      middle := _from + (_to - _from) / 2;
      todo[top + 1] := middle; todo[top + 2] := _to; todo[top + 3] := failures;
      todo[top + 4] := _from; todo[top + 5] := middle; todo[top + 6] := -1;
      top := top + 6;
      IF so_far.tries > ${input.spareTries} + ${input.triesPerRecord} * (so_far.most + 1) THEN
        so_far.ended := 'lost';
      END IF;
    END IF;
  END LOOP;
  UPDATE ${progress} SET tries = so_far.tries, most = so_far.most, accepted = so_far.accepted,
    records = so_far.records, ended = so_far.ended;
END $tallyman_halves$`
}
