/**
 * The tables of explaining and resolving breaks: keys of rejected records, explanations, plans, what became
 * of their changes. Plans are written by lib/ledger/resolution.ts.
 */

/** Applied once; never edited after a release: later changes are later migrations. */
export const resolution = {
  name: '0004-resolution',
  sql: `
ALTER TABLE tallyman.reject ADD COLUMN keys jsonb;
COMMENT ON COLUMN tallyman.reject.keys IS
  'Keys that its rows would have had, as far as they could be read: [{"table": "schema.table", "key": {field: canonical text}}]; null where none could.';

ALTER TABLE tallyman.lasting_break ADD COLUMN explanation jsonb;
COMMENT ON COLUMN tallyman.lasting_break.explanation IS
  'What the run ledger knew of its cause on the night that saw it last; null where it knew nothing.';

CREATE TABLE tallyman.resolution_plan (
  digest text PRIMARY KEY,
  run bigint NOT NULL REFERENCES tallyman.run,
  comparison int NOT NULL,
  changes int NOT NULL,
  amount numeric NOT NULL,
  by_person text NOT NULL,
  account text NOT NULL,
  made_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE tallyman.resolution_plan IS 'Every plan that was made. One that is not here was edited.';

CREATE TABLE tallyman.resolution (
  revision bigint PRIMARY KEY REFERENCES tallyman.revision,
  plan text NOT NULL UNIQUE REFERENCES tallyman.resolution_plan,
  base bigint NOT NULL REFERENCES tallyman.revision,
  by_person text NOT NULL,
  account text NOT NULL
);
COMMENT ON TABLE tallyman.resolution IS 'Revisions that apply a plan; each plan is one revision, whoever tries how often.';
COMMENT ON COLUMN tallyman.resolution.base IS 'The revision whose files and source pictures it stands on.';

CREATE TABLE tallyman.resolution_change (
  revision bigint NOT NULL REFERENCES tallyman.resolution,
  position int NOT NULL,
  identity uuid NOT NULL,
  operation text NOT NULL CHECK (operation IN ('update','reload')),
  target text NOT NULL,
  key jsonb NOT NULL,
  columns jsonb NOT NULL,
  outcome text NOT NULL CHECK (outcome IN ('applied','unchanged','refused','outdated')),
  found jsonb,
  PRIMARY KEY (revision, position)
);
CREATE INDEX resolution_change_of_break ON tallyman.resolution_change (identity);
COMMENT ON TABLE tallyman.resolution_change IS 'Written with the load that made them: what each change of a plan did.';
`,
}
