/**
 * The table of rows that were not due yet: from when on a row was awaited that is missing later. Written by
 * lib/ledger/break-ledger-pending.ts.
 */

/** Applied once; never edited after a release: later changes are later migrations. */
export const pending = {
  name: '0006-pending',
  sql: `
CREATE TABLE tallyman.break_pending (
  ledger int NOT NULL REFERENCES tallyman.break_ledger,
  identity uuid NOT NULL,
  business_date date NOT NULL,
  PRIMARY KEY (ledger, identity, business_date)
);
COMMENT ON TABLE tallyman.break_pending IS
  'Rows that only the source had on a night and that could still arrive, by the identity of the break that each would be. No breaks: they give a break that follows its first date.';
CREATE INDEX break_pending_of_night ON tallyman.break_pending (ledger, business_date);
`,
}
