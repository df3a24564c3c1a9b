/**
 * OFAC's consolidated list (XML) to `compliance.listed_*`: an entry with its addresses and aliases.
 * An entry comes whole or not at all. The same files as the CSV edition tells them: csv-to-listed.ts.
 */
import { defineDocumentMapping, read } from '../../lib/map/index.ts'
import { listedAddress, listedAlias, listedParty } from './listed-tables.ts'
import { fullName, placeOf, programsOf, streetOf, tonnageOf, weakNames } from './ofac-rules.ts'

/** Columns of an `sdnEntry`. */
export const entryColumns = [
  ...(['uid', 'lastName', 'firstName', 'sdnType', 'title', 'programList/program[]'] as const),
  ...(['vesselInfo/callSign', 'vesselInfo/vesselType', 'vesselInfo/tonnage'] as const),
  ...(['vesselInfo/grossRegisteredTonnage', 'vesselInfo/vesselFlag', 'vesselInfo/vesselOwner'] as const),
  ...(['akaList/aka/lastName[]', 'akaList/aka/category[]'] as const),
] as const

/** Columns of an `address`. */
export const addressColumns = [
  ...(['../../uid', 'uid', 'address1', 'address2', 'address3'] as const),
  ...(['city', 'stateOrProvince', 'postalCode', 'country'] as const),
] as const

/** Columns of an `aka`. */
export const aliasColumns = ['../../uid', 'uid', 'type', 'category', 'lastName', 'firstName'] as const

const partyNo = read.integer('../../uid', { doc: 'Number of the entry around it.' })
const asReceived = { doc: 'As received.', optional: true } as const
const tonnage = { doc: 'As received.', rule: 'whole number, commas left out' }

/** Fields of an address that are the same in the list as loaded and as the CSV edition tells it. */
export const addressNumbers = {
  partyNo,
  addressNo: read.integer('uid', { doc: 'As received.' }),
}

/** Fields of an alias that are the same in both. */
export const aliasNumbers = {
  partyNo,
  aliasNo: read.integer('uid', { doc: 'As received.' }),
  kind: read.oneOf('type', {
    doc: 'As the CSV edition writes it.',
    values: { 'a.k.a.': 'aka', 'f.k.a.': 'fka', 'n.k.a.': 'nka' },
  }),
  strength: read.oneOf('category', { doc: 'As received.', values: ['strong', 'weak'] }),
}

export const ofacXmlToListed = defineDocumentMapping({
  name: 'ofac-xml-to-listed',
  version: 1,
  doc: 'Every entry of the list with all its addresses and aliases. Identity papers, dates and places of birth and remarks are not kept.',
  records: { party: entryColumns, address: addressColumns, alias: aliasColumns },
  tables: { parties: listedParty, addresses: listedAddress, aliases: listedAlias },
  from: {
    party: {
      parties: {
        partyNo: read.integer('uid', { doc: 'As received.' }),
        name: read.compute(
          { from: ['lastName', 'firstName'], doc: 'In one, as it is searched for.', rule: 'LAST, First' },
          fullName,
        ),
        kind: read.oneOf('sdnType', {
          doc: 'In small letters.',
          values: { Entity: 'entity', Individual: 'individual', Vessel: 'vessel', Aircraft: 'aircraft' },
        }),
        programs: read.compute(
          {
            from: ['programList/program[]'],
            doc: 'A set: their order says nothing.',
            rule: 'sorted, joined by a blank',
          },
          programsOf,
        ),
        title: read.text('title', asReceived),
        callSign: read.text('vesselInfo/callSign', asReceived),
        vesselType: read.text('vesselInfo/vesselType', asReceived),
        tonnage: read.compute({ from: ['vesselInfo/tonnage'], ...tonnage }, tonnageOf),
        grossTonnage: read.compute({ from: ['vesselInfo/grossRegisteredTonnage'], ...tonnage }, tonnageOf),
        vesselFlag: read.text('vesselInfo/vesselFlag', asReceived),
        vesselOwner: read.text('vesselInfo/vesselOwner', asReceived),
        weakAliases: read.compute(
          {
            from: ['akaList/aka/lastName[]', 'akaList/aka/category[]'],
            doc: 'Once more here, because the CSV edition tells them with the party.',
            rule: 'names of category weak, sorted, " for \', joined by " / "',
          },
          weakNames,
        ),
      },
    },
    address: {
      addresses: {
        ...addressNumbers,
        street: read.compute(
          { from: ['address1', 'address2', 'address3'], doc: 'In one line.', rule: 'joined by ", "' },
          streetOf,
        ),
        place: read.compute(
          {
            from: ['city', 'stateOrProvince', 'postalCode'],
            doc: 'In one line.',
            rule: '`city, state postal code`',
          },
          placeOf,
        ),
        country: read.text('country', { doc: 'As received.' }),
      },
    },
    alias: {
      aliases: {
        ...aliasNumbers,
        name: read.compute(
          { from: ['lastName', 'firstName'], doc: 'In one, as it is searched for.', rule: 'LAST, First' },
          fullName,
        ),
      },
    },
  },
  unit: {
    name: 'listing',
    doc: 'An entry of the list: a party is not searched for by half of its names.',
    key: { party: ['uid'], address: ['../../uid'], alias: ['../../uid'] },
    law: 'listing = party + its addresses + its aliases',
    terms: {},
  },
})
