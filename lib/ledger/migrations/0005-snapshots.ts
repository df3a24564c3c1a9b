/**
 * What is kept so that a past night can be proved again: which comparison a snapshot belongs to, when it was
 * purged, and what each comparison was made by. Written by lib/ledger/{snapshot,comparison}.ts.
 */

/** Applied once; never edited after a release: later changes are later migrations. */
export const snapshotsKept = {
  name: '0005-snapshots',
  sql: `
ALTER TABLE tallyman.snapshot ADD COLUMN comparison bigint REFERENCES tallyman.comparison;
ALTER TABLE tallyman.snapshot ADD COLUMN purged_at timestamptz;
COMMENT ON COLUMN tallyman.snapshot.purged_at IS
  'When retention let go of its files. Written before they are removed, so that a file without such a row is nobody''s.';
UPDATE tallyman.snapshot s SET comparison = c.id FROM tallyman.comparison c
  WHERE c.run = s.run AND c.created_at = s.created_at;
CREATE INDEX snapshot_of_comparison ON tallyman.snapshot (comparison, reconciliation);
CREATE INDEX snapshot_kept ON tallyman.snapshot (id) WHERE purged_at IS NULL;

ALTER TABLE tallyman.comparison_result ADD COLUMN made_by jsonb;
COMMENT ON COLUMN tallyman.comparison_result.made_by IS
  'Plan and options of the comparison and the hash of its breaks file: with the snapshots, all it takes to make it again.';
`,
}
