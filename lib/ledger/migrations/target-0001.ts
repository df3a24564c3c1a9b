/**
 * The schema tallyman of a target that lies in another Postgres than the run ledger: only what must commit together
 * with the rows. Written by lib/ledger/load-book.ts and target-fence.ts; versions of keys by lib/load/key-versions.ts.
 */

/** Applied once; never edited after a release: later changes are later migrations. */
export const targetFoundation = {
  name: 'target-0001-foundation',
  sql: `
CREATE TABLE tallyman.owner (
  only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
  ledger uuid NOT NULL,
  environment text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE tallyman.owner IS 'The run ledger whose loads these are; another one is refused.';

CREATE TABLE tallyman.fence (
  run bigint PRIMARY KEY,
  fence bigint NOT NULL
);
COMMENT ON TABLE tallyman.fence IS 'Raised by whoever takes a run, after the run ledger''s own; the last statement of a load compares it.';

CREATE TABLE tallyman.session (
  run bigint NOT NULL,
  fence bigint NOT NULL,
  pid int NOT NULL,
  backend_start timestamptz NOT NULL,
  PRIMARY KEY (run, fence, pid, backend_start)
);
COMMENT ON TABLE tallyman.session IS 'Sessions of attempts, ended by their successor.';

CREATE TABLE tallyman.load (
  revision bigint PRIMARY KEY,
  input_digest text NOT NULL,
  attempt bigint NOT NULL,
  fence bigint NOT NULL,
  state text NOT NULL CHECK (state IN ('open','published','unpublished')),
  result jsonb,
  snapshot_hash text,
  mapping_version int,
  xact_id xid8 NOT NULL DEFAULT pg_current_xact_id(),
  loaded_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE tallyman.load IS 'The gate of a load, by the run ledger''s revision: its row exists exactly when the load took effect here, or was judged and refused.';

CREATE TABLE tallyman.key_as_of (
  target text COLLATE "C" NOT NULL,
  key text COLLATE "C" NOT NULL,
  as_of text COLLATE "C" NOT NULL,
  PRIMARY KEY (target, key)
);
CREATE TABLE tallyman.table_as_of (
  target text COLLATE "C" PRIMARY KEY,
  as_of text COLLATE "C" NOT NULL
);
COMMENT ON TABLE tallyman.key_as_of IS 'Last applied version of each key of tables that keep no asOf column of their own.';
COMMENT ON TABLE tallyman.table_as_of IS 'Last applied version of each mirrored table.';
`,
}
