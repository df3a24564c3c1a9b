/** OFAC's consolidated list: XML (SFTP) -> compliance.listed_*, proved against the CSV edition of the same day. */
import { settled, sftp } from '../lib/fetch/sources.ts'
import { postgres } from '../lib/load/postgres.ts'
import { defineJob } from '../lib/model/define-job.ts'
import { csv } from '../lib/parse/csv.ts'
import { xml } from '../lib/parse/xml.ts'
import { mail } from '../lib/report/mail.ts'
import {
  addColumns,
  altColumns,
  ofacAddToListedAddress,
  ofacAltToListedAlias,
  ofacPrimToListedParty,
  ofacXmlAsCsvAddress,
  ofacXmlAsCsvAlias,
  primColumns,
} from '../mappings/ofac/csv-to-listed.ts'
import { listedAddress, listedAlias, listedParty } from '../mappings/ofac/listed-tables.ts'
import {
  addressColumns,
  aliasColumns,
  entryColumns,
  ofacXmlToListed,
} from '../mappings/ofac/xml-to-listed.ts'
import { comparison, files, snapshots } from '../reconcile/snapshots.ts'

const from = (feed: string, names: string) =>
  sftp({ endpoint: 'sanctions', feed, files: names, completeWhen: settled({ forMs: 1_000 }) })

const list = from('ofac-list', 'consolidated_{yyyyMMdd}.xml')
const address = { path: 'sdnList/sdnEntry/addressList/address', columns: addressColumns }
const alias = { path: 'sdnList/sdnEntry/akaList/aka', columns: aliasColumns }

export default defineJob({
  name: 'sanctions-list',
  purpose:
    "Tonight's list of sanctioned parties is in compliance before the first payment is screened at 07:00.",
  owner: 'compliance',
  ifLate:
    'Payments are screened against the list of the day before; compliance must agree to that after 07:00.',
  tags: ['compliance'],
  fetch: list,
  parse: xml({
    records: { party: { path: 'sdnList/sdnEntry', columns: entryColumns }, address, alias },
    controls: { recordCount: 'sdnList/publshInformation/Record_Count' },
    countControl: 'recordCount',
    countedKinds: ['party'],
  }),
  map: ofacXmlToListed,
  // The file is the whole list: who was taken off it is not to be screened for any longer.
  load: postgres({
    tables: { parties: listedParty, addresses: listedAddress, aliases: listedAlias },
    mode: 'mirror',
  }),
  reconcile: snapshots(
    comparison({ table: listedParty }),
    comparison({ table: listedAddress }),
    comparison({ table: listedAlias }),
    comparison({
      table: listedParty,
      name: 'csv_parties',
      target: files({
        fetch: from('ofac-prim', 'cons_prim_{yyyyMMdd}.csv'),
        parse: csv({ header: primColumns }),
        map: ofacPrimToListedParty,
      }),
    }),
    comparison({
      table: listedAddress,
      name: 'csv_addresses',
      source: files({ fetch: list, parse: xml({ records: { record: address } }), map: ofacXmlAsCsvAddress }),
      target: files({
        fetch: from('ofac-add', 'cons_add_{yyyyMMdd}.csv'),
        parse: csv({ header: addColumns }),
        map: ofacAddToListedAddress,
      }),
    }),
    comparison({
      table: listedAlias,
      name: 'csv_aliases',
      source: files({ fetch: list, parse: xml({ records: { record: alias } }), map: ofacXmlAsCsvAlias }),
      target: files({
        fetch: from('ofac-alt', 'cons_alt_{yyyyMMdd}.csv'),
        parse: csv({ header: altColumns }),
        map: ofacAltToListedAlias,
      }),
    }),
  ),
  report: mail({ to: 'compliance' }),
})
