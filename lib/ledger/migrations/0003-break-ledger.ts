/**
 * The tables of the break ledger: reconciliations, their nights, what each night says about each break,
 * the breaks as of the last night, acknowledgements. Written by lib/ledger/break-ledger*.ts.
 */

/** Applied once; never edited after a release: later changes are later migrations. */
export const breakLedger = {
  name: '0003-break-ledger',
  sql: `
CREATE TABLE tallyman.break_ledger (
  id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  reconciliation text NOT NULL UNIQUE,
  job text NOT NULL
);
COMMENT ON TABLE tallyman.break_ledger IS 'One row per reconciliation; whoever changes its breaks locks it first.';

CREATE TABLE tallyman.break_night (
  ledger int NOT NULL REFERENCES tallyman.break_ledger,
  business_date date NOT NULL,
  comparison bigint NOT NULL REFERENCES tallyman.comparison,
  sees text NOT NULL CHECK (sees IN ('all','date','keys')),
  counts jsonb NOT NULL DEFAULT '{}',
  PRIMARY KEY (ledger, business_date)
);
COMMENT ON TABLE tallyman.break_night IS
  'The latest comparison of each date that proved anything. Inconclusive ones are not here, so they change no break.';
COMMENT ON COLUMN tallyman.break_night.counts IS 'Breaks by state as of this night; derived.';

CREATE TABLE tallyman.break_columns (
  ledger int NOT NULL REFERENCES tallyman.break_ledger,
  id int NOT NULL,
  names text COLLATE "C" NOT NULL,
  PRIMARY KEY (ledger, id),
  UNIQUE (ledger, names)
);
COMMENT ON TABLE tallyman.break_columns IS 'Which columns marks are of, as JSON lists: few, however many the breaks.';

CREATE TABLE tallyman.break_sighting (
  identity uuid NOT NULL,
  source_mark bigint,
  target_mark bigint,
  ledger int NOT NULL,
  business_date date NOT NULL,
  columns_id int,
  sight text NOT NULL CHECK (sight IN ('seen','withdrawn','gone')),
  cause text CHECK (cause IN ('source','target','both','gone','rules','unknown')),
  PRIMARY KEY (ledger, identity, business_date)
);
COMMENT ON TABLE tallyman.break_sighting IS
  'What the comparison of each night says about each break: all that states are derived from. Narrow on purpose: 100,000 open breaks are 100,000 rows a night.';

CREATE TABLE tallyman.lasting_break (
  ledger int NOT NULL REFERENCES tallyman.break_ledger,
  identity uuid NOT NULL,
  kind text NOT NULL,
  key jsonb NOT NULL,
  columns jsonb NOT NULL,
  left_rows int NOT NULL,
  right_rows int NOT NULL,
  origin jsonb,
  hint text NOT NULL,
  state text NOT NULL CHECK (state IN ('new','persisting','changed','reopened','resolved','out_of_scope')),
  first_seen date NOT NULL,
  last_seen date NOT NULL,
  state_since date NOT NULL,
  values_since date NOT NULL,
  runs int NOT NULL,
  reopened int NOT NULL,
  cause text,
  source_mark bigint,
  target_mark bigint,
  columns_id int,
  acknowledgement bigint,
  PRIMARY KEY (ledger, identity)
);
COMMENT ON TABLE tallyman.lasting_break IS
  'Each break as of the last night: derived from break_night, break_sighting and break_ack, and written anew from them when an old date is compared again. The values are those last seen.';
CREATE INDEX lasting_break_open ON tallyman.lasting_break (ledger, first_seen) WHERE state <> 'resolved';

CREATE TABLE tallyman.break_ack (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  ledger int NOT NULL,
  identity uuid NOT NULL,
  on_date date NOT NULL,
  until_date date NOT NULL,
  source_mark bigint,
  target_mark bigint,
  owner text NOT NULL,
  by_person text NOT NULL,
  account text NOT NULL,
  reason text NOT NULL,
  needs_confirmation boolean NOT NULL,
  made_at timestamptz NOT NULL DEFAULT now(),
  confirmed_by text,
  confirmed_account text,
  confirmed_at timestamptz,
  ended_on date,
  ended_by text,
  ended_why text,
  ended_at timestamptz,
  FOREIGN KEY (ledger, identity) REFERENCES tallyman.lasting_break,
  CHECK (confirmed_by IS NULL OR confirmed_by <> by_person)
);
COMMENT ON TABLE tallyman.break_ack IS 'Who stands for which break until when. Never deleted: taking one back ends it.';
COMMENT ON COLUMN tallyman.break_ack.account IS 'The account at the machine, beside the name that the person gave.';
CREATE INDEX break_ack_of_break ON tallyman.break_ack (ledger, identity, id);
`,
}
