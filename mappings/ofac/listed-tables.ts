/** `compliance.listed_*`: parties that OFAC's consolidated list names, with their addresses and aliases. */
import { column, defineTable } from '../../lib/model/table.ts'

const partyNo = column.integer({ doc: "OFAC's number of the party." })

export const listedParty = defineTable(
  'compliance',
  'listed_party',
  {
    partyNo,
    name: column.text({ doc: 'Name; a person as `LAST, First`.', max: 350 }),
    kind: column.text({ doc: 'entity, individual, vessel or aircraft.', max: 12 }),
    programs: column.text({ doc: 'Sanctions programs in the order of the alphabet, joined by a blank.' }),
    title: column.text({ doc: 'Title of a person.', max: 200, nullable: true }),
    callSign: column.text({ doc: 'Call sign of a vessel.', max: 8, nullable: true }),
    vesselType: column.text({ doc: 'Type of a vessel.', max: 25, nullable: true }),
    tonnage: column.integer({ doc: 'Tonnage of a vessel.', nullable: true }),
    grossTonnage: column.integer({ doc: 'Gross registered tonnage of a vessel.', nullable: true }),
    vesselFlag: column.text({ doc: 'Flag of a vessel.', max: 40, nullable: true }),
    vesselOwner: column.text({ doc: 'Owner of a vessel.', max: 150, nullable: true }),
    weakAliases: column.text({
      doc: 'Aliases that hit too much when searched for, in the order of the alphabet, joined by " / ".',
      nullable: true,
    }),
  },
  { doc: 'Parties of the list, one row per entry.', key: ['partyNo'] },
)

export const listedAddress = defineTable(
  'compliance',
  'listed_address',
  {
    partyNo,
    addressNo: column.integer({ doc: "OFAC's number of the address." }),
    street: column.text({ doc: 'Lines of the address, joined by ", ".', nullable: true }),
    place: column.text({ doc: 'City, state or province and postal code in one line.', nullable: true }),
    country: column.text({ doc: 'Country, as OFAC writes it.', max: 250 }),
  },
  { doc: 'Addresses of listed parties; a party may have none.', key: ['partyNo', 'addressNo'] },
)

export const listedAlias = defineTable(
  'compliance',
  'listed_alias',
  {
    partyNo,
    aliasNo: column.integer({ doc: "OFAC's number of the alias." }),
    kind: column.text({ doc: 'aka (also known as), fka (formerly) or nka (now known as).', max: 3 }),
    strength: column.text({ doc: 'strong or weak; weak ones give too many hits to search for.', max: 6 }),
    name: column.text({ doc: 'Name; a person as `LAST, First`.', max: 350 }),
  },
  { doc: 'Other names of listed parties.', key: ['partyNo', 'aliasNo'] },
)
