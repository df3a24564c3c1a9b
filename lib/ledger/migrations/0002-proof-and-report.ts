/**
 * The tables of what follows a load: API calls, snapshots, comparisons, breaks, mails.
 * Who writes them is the file of the same name in lib/ledger.
 */

/** Applied once; never edited after a release: later changes are later migrations. */
export const proofAndReport = {
  name: '0002-proof-and-report',
  sql: `
CREATE TABLE tallyman.call (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  revision bigint NOT NULL REFERENCES tallyman.revision,
  attempt bigint NOT NULL REFERENCES tallyman.attempt,
  endpoint text NOT NULL,
  key text NOT NULL,
  body_sha256 text NOT NULL,
  items int NOT NULL,
  state text NOT NULL CHECK (state IN ('sent','answered','refused','unknown')),
  tries int NOT NULL DEFAULT 1,
  status int,
  result jsonb,
  sent_at timestamptz NOT NULL DEFAULT now(),
  answered_at timestamptz,
  UNIQUE (endpoint, key)
);
CREATE INDEX call_of_revision ON tallyman.call (revision, id);

CREATE TABLE tallyman.snapshot (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  run bigint NOT NULL REFERENCES tallyman.run,
  revision bigint REFERENCES tallyman.revision,
  reconciliation text NOT NULL,
  side text NOT NULL,
  digest text NOT NULL,
  rows bigint NOT NULL,
  as_of timestamptz NOT NULL,
  scope text NOT NULL,
  path text NOT NULL,
  manifest jsonb NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX snapshot_of_run ON tallyman.snapshot (run, reconciliation, id);

CREATE TABLE tallyman.comparison (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  run bigint NOT NULL REFERENCES tallyman.run,
  number int NOT NULL,
  revision bigint REFERENCES tallyman.revision,
  attempt bigint NOT NULL REFERENCES tallyman.attempt,
  fence bigint NOT NULL,
  xact_id xid8 NOT NULL DEFAULT pg_current_xact_id(),
  created_at timestamptz NOT NULL DEFAULT now(),
  UNIQUE (run, number)
);
COMMENT ON TABLE tallyman.comparison IS 'The gate of T6: one row per number of a run; its number is part of the mail''s Message-ID.';

CREATE TABLE tallyman.comparison_result (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  comparison bigint NOT NULL REFERENCES tallyman.comparison,
  reconciliation text NOT NULL,
  outcome text NOT NULL CHECK (outcome IN ('CLEAN','BREAKS','INCONCLUSIVE')),
  breaks_total bigint NOT NULL,
  result jsonb NOT NULL,
  UNIQUE (comparison, reconciliation)
);
COMMENT ON COLUMN tallyman.comparison_result.result IS 'The comparison without its breaks.';

CREATE TABLE tallyman.break (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  result bigint NOT NULL REFERENCES tallyman.comparison_result,
  identity text NOT NULL,
  kind text NOT NULL,
  key jsonb NOT NULL,
  columns jsonb NOT NULL,
  left_rows int NOT NULL,
  right_rows int NOT NULL,
  origin jsonb,
  hint text NOT NULL
);
CREATE INDEX break_of_result ON tallyman.break (result, id);
CREATE INDEX break_by_identity ON tallyman.break (identity, id);

CREATE TABLE tallyman.outbox (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  run bigint REFERENCES tallyman.run,
  kind text NOT NULL,
  message_id text NOT NULL UNIQUE,
  mail_from text NOT NULL,
  subject text NOT NULL,
  headers jsonb NOT NULL,
  text_body text NOT NULL,
  html_body text NOT NULL,
  state text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting','delivered','partly','failed','held')),
  tries int NOT NULL DEFAULT 0,
  last_error text NOT NULL DEFAULT '',
  send_after timestamptz NOT NULL DEFAULT now(),
  leased_until timestamptz,
  created_at timestamptz NOT NULL DEFAULT now(),
  settled_at timestamptz
);
CREATE INDEX outbox_waiting ON tallyman.outbox (send_after, id) WHERE state = 'waiting';

CREATE TABLE tallyman.outbox_recipient (
  mail bigint NOT NULL REFERENCES tallyman.outbox,
  address text NOT NULL,
  state text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting','delivered','refused')),
  answer text NOT NULL DEFAULT '',
  changed_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (mail, address)
);

CREATE TABLE tallyman.outbox_attachment (
  mail bigint NOT NULL REFERENCES tallyman.outbox,
  position int NOT NULL,
  name text NOT NULL,
  content_type text NOT NULL,
  content bytea NOT NULL,
  PRIMARY KEY (mail, position)
);
`,
}
