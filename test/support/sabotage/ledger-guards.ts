/**
 * Guards of the run ledger and of the database under it: one holder of a run, one effect of a commit,
 * one sender of a mail, names that are names.
 */
import type { Guard } from './guard.ts'

const LEASE = 'test/integration/lib/ledger/lease.test.ts'
const FREEZE = 'test/integration/lib/ledger/freeze.test.ts'
const LEDGER_LOAD = 'test/integration/lib/ledger/load.test.ts'
const CONNECTION = 'test/integration/lib/db/connection.test.ts'

/** Guards of the run ledger and the database. */
export const LEDGER_GUARDS: readonly Guard[] = [
  {
    against: 'the fence of a commit is not compared',
    file: 'lib/ledger/fence.ts',
    guard: 'if (rows[0]?.fence !== holding.fence) {',
    gone: 'if (rows.length > 1) {',
    test: LEASE,
    title: 'A17: the fence refuses the late commit',
  },
  {
    against: 'an attempt that was succeeded writes down its own ending',
    file: 'lib/ledger/lease.ts',
    guard: 'await assertFence(connection, taken)',
    gone: 'await connection.query("SELECT 1")',
    test: LEASE,
    title: 'A17: the fence refuses the late commit',
  },
  {
    against: 'two takers raise the fence from the same number',
    file: 'lib/ledger/lease.ts',
    guard: 'if (found.fence !== seen.fence) return null',
    gone: '',
    test: LEASE,
    title: 'F9: of many takers of one free run',
  },
  {
    against: 'a paused holder keeps its sessions when it is succeeded',
    file: 'lib/ledger/takeover.ts',
    guard: 'await endSessions(connection, clock, key, now, signal)',
    gone: '',
    test: LEASE,
    title: 'A17: a holder that is paused with the fence locked',
  },
  {
    against: 'a holder that beats is succeeded',
    file: 'lib/ledger/takeover.ts',
    guard: 'if (now.beat !== first.beat) throw heldElsewhere(key, now)',
    gone: '',
    test: LEASE,
    title: 'F8, F10: a run whose holder beats',
  },
  {
    against: 'an attempt goes on after its lease was lost',
    file: 'lib/ledger/lease.ts',
    guard: 'connection.onLost(cause => lost.abort(leaseLost(cause)))',
    gone: '',
    behind: [{ file: 'lib/ledger/lease.ts', guard: 'lost.abort(leaseLost(outcome))', gone: 'return' }],
    test: LEASE,
    title: 'an attempt stops when the session of its lease is terminated',
  },
  {
    against: 'a load row is made twice',
    file: 'lib/ledger/load.ts',
    guard: "if (inserted.rowCount === 1) return 'new'",
    gone: "if (inserted.rowCount >= 0) return 'new'",
    test: LEDGER_LOAD,
    title: 'a load is done once',
  },
  {
    against: 'the same content under a new name is loaded again',
    file: 'lib/ledger/verdict.ts',
    guard: 'if (same !== undefined) {',
    gone: 'if (same === null) {',
    test: FREEZE,
    title: 'the same content under a new name',
  },
  {
    against: 'a mirror deletes the rows of a file that has not come',
    file: 'lib/ledger/freeze.ts',
    guard: "if (rules.mode === 'mirror' && plan.blocking.length > 0) {",
    gone: 'if (plan.blocking.length < 0) {',
    test: FREEZE,
    title: 'a mirror is blocked while a file of its set is held',
  },
  {
    against: 'an idempotency key stands for two bodies',
    file: 'lib/ledger/call.ts',
    guard: 'if (row.bodySha256 !== draft.bodySha256) {',
    gone: 'if (row === null) {',
    test: LEDGER_LOAD,
    title: 'a call is written down before it goes out',
  },
  {
    against: 'the ledger of another environment is used',
    file: 'lib/ledger/open.ts',
    guard: 'if (name !== options.environment) {',
    gone: "if (name === '') {",
    test: 'test/integration/lib/ledger/open.test.ts',
    title: 'a ledger of another environment is refused',
  },
  {
    against: 'two senders lease the same mail',
    file: 'lib/ledger/outbox.ts',
    guard: 'ORDER BY send_after, id LIMIT $1 FOR UPDATE SKIP LOCKED)',
    gone: 'ORDER BY send_after, id LIMIT $1)',
    test: 'test/integration/lib/ledger/outbox.test.ts',
    title: 'a sender takes the next mail while another one',
  },
  {
    against: 'a mail is sent by another one while its lease lasts',
    file: 'lib/ledger/outbox.ts',
    guard: 'AND (leased_until IS NULL OR leased_until < now()) AND',
    gone: 'AND',
    test: 'test/integration/lib/report/outbox-folder.test.ts',
    title: 'A15: a crash after the server took the mail',
  },
  {
    against: 'a COMMIT whose answer was lost is taken for undone',
    file: 'lib/db/connection.ts',
    guard: 'if (xid === null || this.#lost === null) throw reason',
    gone: 'throw reason',
    test: 'test/integration/lib/db/commit.test.ts',
    title: 'A11: a COMMIT that reached the server',
  },
  {
    against: 'a transaction that the database rolled back counts as committed',
    file: 'lib/db/connection.ts',
    guard: "if (result.command !== 'COMMIT') {",
    gone: "if (result.command === '') {",
    test: CONNECTION,
    title: 'D9: a failed statement that is swallowed',
  },
  {
    against: 'another session that got the same pid is ended',
    file: 'lib/db/database.ts',
    guard: 'WHERE pid = $1 AND backend_start = $2::timestamptz',
    gone: 'WHERE pid = $1 AND $2::timestamptz IS NOT NULL',
    test: CONNECTION,
    title: 'a session is ended by its pid only while',
  },
  {
    against: 'an error spreads a whole row',
    file: 'lib/db/translate.ts',
    guard: "detail === null || error.code === '23502' || error.code === '23514' ? null : detail",
    gone: 'detail',
    test: CONNECTION,
    title: 'a violation names constraint and key',
  },
  {
    against: 'a text from outside becomes part of a statement',
    file: 'lib/db/identifiers.ts',
    guard: 'if (!PLAIN_NAME.test(name)) {',
    gone: "if (name === '') {",
    test: 'test/unit/lib/db/identifiers.test.ts',
    title: 'only plain names become part of a statement',
  },
]
