/**
 * The first tables of the run ledger: runs, attempts, leases, files, revisions, loads, rejects.
 * What each is for is said in SQL comments; who writes them is the file of the same name in lib/ledger.
 */

/** Applied once; never edited after a release: later changes are later migrations. */
export const foundation = {
  name: '0001-foundation',
  sql: `
CREATE TABLE tallyman.environment (
  only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
  name text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE tallyman.environment IS 'Which environment this ledger belongs to; another one is refused.';

CREATE TABLE tallyman.run (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  job text NOT NULL,
  business_date date NOT NULL,
  state text NOT NULL CHECK (state IN ('owed','waiting','running','applied','succeeded','failed','suspended')),
  owed boolean NOT NULL DEFAULT false,
  fence bigint NOT NULL DEFAULT 0,
  created_at timestamptz NOT NULL DEFAULT now(),
  changed_at timestamptz NOT NULL DEFAULT now(),
  UNIQUE (job, business_date)
);
COMMENT ON COLUMN tallyman.run.owed IS 'A file arrived after the last freeze, so that the date has to be run again.';
COMMENT ON COLUMN tallyman.run.fence IS 'Grows at every take of the lease; the last statement of a fenced transaction compares it.';

CREATE TABLE tallyman.attempt (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  run bigint NOT NULL REFERENCES tallyman.run,
  number int NOT NULL,
  trigger text NOT NULL,
  state text NOT NULL CHECK (state IN ('running','succeeded','failed','interrupted','nothing-to-do','waiting')),
  fence bigint NOT NULL,
  host text NOT NULL,
  os_pid int NOT NULL,
  config_hash text,
  code_version text,
  mapping_version int,
  tzdata_version text,
  started_at timestamptz NOT NULL DEFAULT now(),
  ended_at timestamptz,
  error jsonb,
  UNIQUE (run, number)
);
CREATE UNIQUE INDEX attempt_one_running ON tallyman.attempt (run) WHERE state = 'running';

CREATE TABLE tallyman.attempt_backend (
  attempt bigint NOT NULL REFERENCES tallyman.attempt,
  pid int NOT NULL,
  backend_start timestamptz NOT NULL,
  PRIMARY KEY (attempt, pid, backend_start)
);
COMMENT ON TABLE tallyman.attempt_backend IS 'Sessions of an attempt. A pid alone may be recycled.';

CREATE TABLE tallyman.lease (
  run bigint PRIMARY KEY REFERENCES tallyman.run,
  attempt bigint NOT NULL REFERENCES tallyman.attempt,
  fence bigint NOT NULL,
  beat bigint NOT NULL DEFAULT 0,
  taken_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE tallyman.step (
  attempt bigint NOT NULL REFERENCES tallyman.attempt,
  step text NOT NULL,
  state text NOT NULL CHECK (state IN ('running','done','failed','skipped')),
  ms int NOT NULL DEFAULT 0,
  facts jsonb NOT NULL DEFAULT '{}',
  started_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (attempt, step)
);

CREATE TABLE tallyman.file (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  feed text NOT NULL,
  business_date date NOT NULL,
  remote_name text NOT NULL,
  size bigint,
  mtime timestamptz,
  raw_sha256 text,
  content_sha256 text,
  content_bytes bigint,
  archive text,
  state text NOT NULL CHECK (state IN
    ('expected','held','received','quarantined','applied','superseded','missing','late','waived')),
  reason text NOT NULL DEFAULT '',
  remote_state text NOT NULL DEFAULT 'there' CHECK (remote_state IN ('there','done','changed')),
  received_at timestamptz NOT NULL DEFAULT now(),
  CHECK (state NOT IN ('received','applied') OR (content_sha256 IS NOT NULL AND archive IS NOT NULL))
);
COMMENT ON COLUMN tallyman.file.id IS 'Order of arrival.';
COMMENT ON COLUMN tallyman.file.reason IS 'Why it is held, quarantined, superseded or waived, in words.';
CREATE UNIQUE INDEX file_delivery ON tallyman.file (feed, business_date, remote_name, size, mtime, raw_sha256);
CREATE INDEX file_of_date ON tallyman.file (feed, business_date, id);
CREATE INDEX file_by_content ON tallyman.file (feed, content_sha256);

CREATE TABLE tallyman.revision (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  run bigint NOT NULL REFERENCES tallyman.run,
  number int NOT NULL,
  attempt bigint NOT NULL REFERENCES tallyman.attempt,
  feed text NOT NULL,
  per_date text NOT NULL CHECK (per_date IN ('one','many')),
  mode text NOT NULL,
  input_digest text NOT NULL,
  overlay_version int NOT NULL DEFAULT 0,
  whole_set boolean NOT NULL,
  may_delete boolean NOT NULL,
  forced boolean NOT NULL,
  state text NOT NULL DEFAULT 'frozen' CHECK (state IN ('frozen','published','unpublished','finished')),
  created_at timestamptz NOT NULL DEFAULT now(),
  UNIQUE (run, number)
);
COMMENT ON COLUMN tallyman.revision.state IS
  'frozen: not loaded yet. published: its load took effect. unpublished: its load was judged and refused. finished: published, reconciled and reported.';

CREATE TABLE tallyman.revision_file (
  revision bigint NOT NULL REFERENCES tallyman.revision,
  file bigint NOT NULL REFERENCES tallyman.file,
  position int,
  verdict text NOT NULL CHECK (verdict IN ('new','duplicate','correction','additional')),
  supersedes bigint REFERENCES tallyman.file,
  superseded_by bigint REFERENCES tallyman.file,
  note text NOT NULL DEFAULT '',
  PRIMARY KEY (revision, file)
);
COMMENT ON COLUMN tallyman.revision_file.position IS 'From 0 in the order of loading; null: judged, but not loaded.';

CREATE TABLE tallyman.load (
  revision bigint PRIMARY KEY REFERENCES tallyman.revision,
  input_digest text NOT NULL,
  attempt bigint NOT NULL REFERENCES tallyman.attempt,
  fence bigint NOT NULL,
  state text NOT NULL CHECK (state IN ('open','published','unpublished')),
  result jsonb,
  snapshot_hash text,
  mapping_version int,
  xact_id xid8 NOT NULL DEFAULT pg_current_xact_id(),
  loaded_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE tallyman.load IS 'The gate of T2: its row exists exactly when the load of the revision took effect, or was judged and refused.';

CREATE TABLE tallyman.reject (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  revision bigint NOT NULL REFERENCES tallyman.revision,
  file bigint NOT NULL REFERENCES tallyman.file,
  line bigint NOT NULL,
  step text NOT NULL,
  raw text NOT NULL,
  unit text,
  issues jsonb NOT NULL,
  state text NOT NULL DEFAULT 'open' CHECK (state IN ('open','superseded','fixed','waived')),
  created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX reject_of_revision ON tallyman.reject (revision, file, line);

CREATE TABLE tallyman.key_as_of (
  target text COLLATE "C" NOT NULL,
  key text COLLATE "C" NOT NULL,
  as_of text COLLATE "C" NOT NULL,
  PRIMARY KEY (target, key)
);
COMMENT ON TABLE tallyman.key_as_of IS 'Last applied version of each key of tables that keep no asOf column of their own.';

CREATE TABLE tallyman.table_as_of (
  target text COLLATE "C" PRIMARY KEY,
  as_of text COLLATE "C" NOT NULL
);
COMMENT ON TABLE tallyman.table_as_of IS 'Last applied version of each mirrored table.';
`,
}
