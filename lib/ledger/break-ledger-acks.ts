/**
 * Acknowledgements: who stands for which break, why, and until when. When one holds is decided by
 * reconcile/breaks/acknowledge.ts; what is shown until the next night is kept up to date here.
 */
import type { Connection } from '../db/connection.ts'
import type { Acknowledgement, FoldRules } from '../model/lasting-break.ts'
import { type CourseRow, courseColumns, courseOf } from './break-ledger-rows.ts'
import { storable } from './storable.ts'

/** An acknowledgement as kept, with who did what when. */
export interface AcknowledgementRow extends Acknowledgement {
  readonly identity: string
  readonly account: string
  readonly confirmedAccount: string | null
  readonly endedBy: string | null
  readonly endedWhy: string | null
  /** ISO instants. */
  readonly madeAt: string
  readonly confirmedAt: string | null
  readonly endedAt: string | null
}

/** A break, by its ledger and identity. */
export interface BreakId {
  readonly ledger: number
  readonly identity: string
}

/** Somebody at the terminal. */
export interface Person {
  readonly name: string
  /** The account at the machine. */
  readonly account: string
}

const instant = (column: string): string => `to_char(${column}, 'YYYY-MM-DD"T"HH24:MI:SS"Z"')`

const SELECT = `SELECT id, replace(identity::text, '-', '') AS identity, on_date AS "on", until_date AS until,
  source_mark AS "sourceMark", target_mark AS "targetMark", owner, by_person AS "by", account, reason,
  needs_confirmation AS "needsConfirmation", confirmed_by AS "confirmedBy", confirmed_account AS "confirmedAccount",
  ended_on AS "endedOn", ended_by AS "endedBy", ended_why AS "endedWhy", ${instant('made_at')} AS "madeAt",
  ${instant('confirmed_at')} AS "confirmedAt", ${instant('ended_at')} AS "endedAt" FROM tallyman.break_ack`

type Row = Omit<AcknowledgementRow, 'marks'> & {
  readonly sourceMark: string | null
  readonly targetMark: string | null
}

function acknowledgementOf({ sourceMark, targetMark, ...row }: Row): AcknowledgementRow {
  return { ...row, marks: { source: sourceMark, target: targetMark } }
}

/** All acknowledgements of a ledger by break, in the order in which they were made. */
export async function acknowledgementsOf(
  connection: Connection,
  ledger: number,
): Promise<Map<string, AcknowledgementRow[]>> {
  const { rows } = await connection.query<Row>(`${SELECT} WHERE ledger = $1 ORDER BY id`, [ledger])
  const all = new Map<string, AcknowledgementRow[]>()
  for (const row of rows.map(acknowledgementOf)) {
    const list = all.get(row.identity)
    if (list === undefined) all.set(row.identity, [row])
    else list.push(row)
  }
  return all
}

/** The acknowledgements of one break, in the order in which they were made. */
export async function acknowledgementsOfBreak(
  connection: Connection,
  { ledger, identity }: BreakId,
): Promise<AcknowledgementRow[]> {
  const { rows } = await connection.query<Row>(
    `${SELECT} WHERE ledger = $1 AND identity = $2::uuid ORDER BY id`,
    [ledger, identity],
  )
  return rows.map(acknowledgementOf)
}

/** Who made the acknowledgements that wait for a second person, by break. */
export async function waitingAcknowledgements(
  connection: Connection,
  identities: readonly string[],
): Promise<Map<string, string>> {
  const { rows } = await connection.query<{ identity: string; by: string }>(
    `SELECT DISTINCT ON (a.identity) replace(a.identity::text, '-', '') AS identity, a.by_person AS by
     FROM tallyman.break_ack a
       JOIN (SELECT ledger, max(business_date) AS as_of FROM tallyman.break_night GROUP BY ledger) n ON n.ledger = a.ledger
     WHERE a.identity = ANY($1::uuid[]) AND a.needs_confirmation AND a.confirmed_by IS NULL AND a.ended_on IS NULL
       AND a.until_date >= n.as_of
     ORDER BY a.identity, a.id DESC`,
    [identities],
  )
  return new Map(rows.map(({ identity, by }) => [identity, by]))
}

/** Writes an acknowledgement of a break with the values it has now; an earlier one that still stood is ended by it. */
export async function insertAcknowledgement(
  connection: Connection,
  id: BreakId,
  given: {
    readonly on: string
    readonly until: string
    readonly owner: string
    readonly by: Person
    readonly reason: string
    readonly needsConfirmation: boolean
  },
): Promise<void> {
  await endAcknowledgements(connection, id, { on: given.on, by: given.by.name, why: 'acknowledged anew' })
  await connection.query(
    `INSERT INTO tallyman.break_ack
       (ledger, identity, on_date, until_date, source_mark, target_mark, owner, by_person, account, reason, needs_confirmation)
     SELECT ledger, identity, $3, $4, source_mark, target_mark, $5, $6, $7, $8, $9
     FROM tallyman.lasting_break WHERE ledger = $1 AND identity = $2::uuid`,
    [
      ...[id.ledger, id.identity, given.on, given.until, storable(given.owner), storable(given.by.name)],
      ...[storable(given.by.account), storable(given.reason), given.needsConfirmation],
    ],
  )
}

/** A second person confirms. */
export async function confirmAcknowledgement(
  connection: Connection,
  acknowledgementId: string,
  by: Person,
): Promise<void> {
  await connection.query(
    `UPDATE tallyman.break_ack SET confirmed_by = $2, confirmed_account = $3, confirmed_at = now()
     WHERE id = $1 AND confirmed_by IS NULL`,
    [acknowledgementId, storable(by.name), storable(by.account)],
  )
}

/** Ends what stands for a break, from a night on; gives how many there were. */
export async function endAcknowledgements(
  connection: Connection,
  { ledger, identity }: BreakId,
  ended: { readonly on: string; readonly by: string; readonly why: string },
): Promise<number> {
  const { rowCount } = await connection.query(
    `UPDATE tallyman.break_ack SET ended_on = $3, ended_by = $4, ended_why = $5, ended_at = now()
     WHERE ledger = $1 AND identity = $2::uuid AND ended_on IS NULL AND until_date >= $3`,
    [ledger, identity, ended.on, storable(ended.by), storable(ended.why)],
  )
  return rowCount
}

/** Brings what is shown of some breaks, and the counts of the last night, up to date with their acknowledgements. */
export async function showAcknowledgements(
  connection: Connection,
  ledger: number,
  identities: readonly string[],
  date: string,
  rules: FoldRules,
): Promise<void> {
  const { rows } = await connection.query<CourseRow & { identity: string }>(
    `SELECT replace(identity::text, '-', '') AS identity, ${courseColumns('l')} FROM tallyman.lasting_break l
     WHERE ledger = $1 AND identity = ANY($2::uuid[])`,
    [ledger, identities],
  )
  const all = await acknowledgementsOf(connection, ledger)
  const held = rows.map(
    row => rules.acknowledged(courseOf(row), all.get(row.identity) ?? [], date)?.id ?? null,
  )
  await connection.query(
    `UPDATE tallyman.lasting_break l SET acknowledgement = u.held
     FROM unnest($2::uuid[], $3::bigint[]) AS u (identity, held) WHERE l.ledger = $1 AND l.identity = u.identity`,
    [ledger, rows.map(row => row.identity), held],
  )
  await connection.query(
    `UPDATE tallyman.break_night n SET counts = n.counts || (
       SELECT jsonb_object_agg(s.state, (SELECT count(*) FROM tallyman.lasting_break l WHERE l.ledger = $1
         AND CASE WHEN l.acknowledgement IS NULL THEN l.state ELSE 'acknowledged' END = s.state))
       FROM unnest(array['new', 'persisting', 'changed', 'reopened', 'out_of_scope', 'acknowledged']) AS s (state))
     WHERE n.ledger = $1 AND n.business_date = $2`,
    [ledger, date],
  )
}
