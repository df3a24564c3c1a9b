/**
 * What a table is, as Postgres knows it.
 */
import assert from 'node:assert/strict'
import test from 'node:test'
import { introspect } from '../../../../lib/db/introspect.ts'
import { testDatabase } from '../../../support/postgres.ts'

const { database } = await testDatabase()

test('columns, keys, triggers and the references that a delete would follow are found', async () => {
  await database.use(async c => {
    await c.query('CREATE SCHEMA erp')
    await c.query(`CREATE TABLE erp.delivery (ref varchar(35) PRIMARY KEY, weight numeric(12,2) NOT NULL DEFAULT 0,
      doubled numeric GENERATED ALWAYS AS (weight * 2) STORED, gone int, shipped timestamptz, UNIQUE (weight, shipped))`)
    await c.query('ALTER TABLE erp.delivery DROP COLUMN gone')
    await c.query('CREATE UNIQUE INDEX partial ON erp.delivery (shipped) WHERE weight > 0')
    await c.query(`CREATE TABLE erp.invoice (delivery varchar(35) REFERENCES erp.delivery ON DELETE CASCADE)`)
    await c.query(
      `CREATE FUNCTION erp.nothing() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'`,
    )
    await c.query(
      `CREATE TRIGGER swallow BEFORE INSERT ON erp.delivery FOR EACH ROW EXECUTE FUNCTION erp.nothing()`,
    )
  })
  const found = await database.use(c => introspect(c, { schema: 'erp', name: 'delivery' }))
  assert.deepEqual(found!.columns, [
    { name: 'ref', type: 'character varying(35)', nullable: false, hasDefault: false, generated: false },
    { name: 'weight', type: 'numeric(12,2)', nullable: false, hasDefault: true, generated: false },
    { name: 'doubled', type: 'numeric', nullable: true, hasDefault: true, generated: true },
    {
      name: 'shipped',
      type: 'timestamp with time zone',
      nullable: true,
      hasDefault: false,
      generated: false,
    },
  ])
  assert.deepEqual(
    found!.keys.map(key => [key.primary, key.columns]),
    [
      [true, ['ref']],
      [false, ['weight', 'shipped']],
    ],
  )
  assert.deepEqual(found!.incoming, [
    {
      constraint: 'invoice_delivery_fkey',
      table: 'erp.invoice',
      onDelete: 'cascade',
      onUpdate: 'no action',
    },
  ])
  assert.deepEqual(found!.triggers, ['swallow'])
  assert.equal(found!.rowSecurity, false)
  assert.deepEqual(found!.may, { select: true, insert: true, update: true, delete: true })
  assert.equal(await database.use(c => introspect(c, { schema: 'erp', name: 'nothing' })), null)
})
