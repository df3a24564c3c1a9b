/**
 * What loads into another Postgres need in the run ledger: a name of its own, which the target remembers, and
 * rejects of loads that are not decided yet. Written by lib/ledger/load-book.ts.
 */

/** Applied once; never edited after a release: later changes are later migrations. */
export const otherTargets = {
  name: '0007-other-targets',
  sql: `
ALTER TABLE tallyman.environment ADD COLUMN ledger uuid NOT NULL DEFAULT gen_random_uuid();
COMMENT ON COLUMN tallyman.environment.ledger IS 'This run ledger, for targets in another Postgres: each belongs to one.';

CREATE TABLE tallyman.prepared_reject (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  revision bigint NOT NULL REFERENCES tallyman.revision,
  fence bigint NOT NULL,
  file bigint NOT NULL REFERENCES tallyman.file,
  line bigint NOT NULL,
  step text NOT NULL,
  raw text NOT NULL,
  unit text,
  issues jsonb NOT NULL,
  keys jsonb
);
CREATE INDEX prepared_reject_of_revision ON tallyman.prepared_reject (revision, fence);
COMMENT ON TABLE tallyman.prepared_reject IS
  'Rejects of a load into another Postgres whose COMMIT is not known yet: those of the fence that committed become rejects, all others are dropped.';
`,
}
