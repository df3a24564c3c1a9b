/**
 * The CSV edition of OFAC's list (prim, add, alt; no header, `-0- ` for no value) to `compliance.listed_*`,
 * and the XML once more as that edition tells it: what one of them leaves out is left out here by a rule
 * that names its reason, so that everything else must be equal.
 */
import { defineMapping, leaveOut, read } from '../../lib/map/index.ts'
import { listedAddress, listedAlias, listedParty } from './listed-tables.ts'
import {
  CSV_NULL,
  fullName,
  placeOf,
  programsOfCsv,
  streetOf,
  tonnageOf,
  weakNamesOfRemarks,
  withoutDoubleQuotes,
} from './ofac-rules.ts'
import { addressColumns, addressNumbers, aliasColumns, aliasNumbers } from './xml-to-listed.ts'

/** Columns of cons_prim.csv, by OFAC's own names. */
export const primColumns = [
  ...(['ent_num', 'SDN_Name', 'SDN_Type', 'Program', 'Title', 'Call_Sign', 'Vess_type'] as const),
  ...(['Tonnage', 'GRT', 'Vess_flag', 'Vess_owner', 'Remarks'] as const),
] as const

/** Columns of cons_add.csv. */
export const addColumns = ['Ent_num', 'Add_Num', 'Address', 'City', 'Country', 'Add_Remarks'] as const

/** Columns of cons_alt.csv. */
export const altColumns = ['ent_num', 'alt_num', 'alt_type', 'alt_name', 'alt_remarks'] as const

const nulls = [CSV_NULL]
const asReceived = { doc: 'As received.', optional: true } as const
const tonnage = { doc: 'As received.', rule: 'whole number, commas left out' }

export const ofacPrimToListedParty = defineMapping({
  name: 'ofac-prim-to-listed-party',
  version: 1,
  doc: 'A row per entry; what the XML calls an entity has no type here.',
  source: primColumns,
  table: listedParty,
  nulls,
  fields: {
    partyNo: read.integer('ent_num', { doc: 'As received.' }),
    name: read.text('SDN_Name', { doc: 'As received.' }),
    kind: read.oneOf('SDN_Type', {
      doc: 'An entity is told by having no type.',
      values: ['individual', 'vessel', 'aircraft'],
      default: 'entity',
    }),
    programs: read.compute(
      { from: ['Program'], doc: 'A set: their order says nothing.', rule: 'split at "] [", sorted' },
      programsOfCsv,
    ),
    title: read.text('Title', asReceived),
    callSign: read.text('Call_Sign', asReceived),
    vesselType: read.text('Vess_type', asReceived),
    tonnage: read.compute({ from: ['Tonnage'], ...tonnage }, tonnageOf),
    grossTonnage: read.compute({ from: ['GRT'], ...tonnage }, tonnageOf),
    vesselFlag: read.text('Vess_flag', asReceived),
    vesselOwner: read.text('Vess_owner', asReceived),
    weakAliases: read.compute(
      {
        from: ['Remarks'],
        doc: 'This edition has weak aliases among the remarks only.',
        rule: 'each a.k.a. \'...\', sorted, joined by " / "',
      },
      weakNamesOfRemarks,
    ),
  },
})

export const ofacAddToListedAddress = defineMapping({
  name: 'ofac-add-to-listed-address',
  version: 1,
  doc: 'A row per address, and a row of nulls per party without one.',
  source: addColumns,
  table: listedAddress,
  nulls,
  fields: {
    partyNo: read.integer('Ent_num', { doc: 'As received.' }),
    addressNo: read.integer('Add_Num', { doc: 'As received.' }),
    street: read.text('Address', asReceived),
    place: read.text('City', { doc: 'City, state and postal code.', optional: true }),
    country: read.text('Country', { doc: 'As received.' }),
  },
  filters: [
    leaveOut(
      {
        reason: 'stands for a party without address, which the XML has no element for',
        from: ['Address', 'City', 'Country', 'Add_Remarks'],
      },
      (...cells) => cells.every(cell => cell === CSV_NULL),
    ),
  ],
})

export const ofacAltToListedAlias = defineMapping({
  name: 'ofac-alt-to-listed-alias',
  version: 1,
  doc: 'A row per strong alias; the weak ones stand among the remarks of the party.',
  source: altColumns,
  table: listedAlias,
  nulls,
  fields: {
    partyNo: read.integer('ent_num', { doc: 'As received.' }),
    aliasNo: read.integer('alt_num', { doc: 'As received.' }),
    kind: read.oneOf('alt_type', { doc: 'As received.', values: ['aka', 'fka', 'nka'] }),
    strength: read.constant('strong', { doc: 'This file has no others.' }),
    name: read.text('alt_name', { doc: 'As received.' }),
  },
})

export const ofacXmlAsCsvAddress = defineMapping({
  name: 'ofac-xml-as-csv-address',
  version: 1,
  doc: 'The addresses of the XML as the CSV edition writes them: a single quote for a double one.',
  source: addressColumns,
  table: listedAddress,
  fields: {
    ...addressNumbers,
    street: read.compute(
      { from: ['address1', 'address2', 'address3'], doc: 'In one line.', rule: 'joined by ", "; \' for "' },
      (...lines) => withoutDoubleQuotes(streetOf(...lines)),
    ),
    place: read.compute(
      {
        from: ['city', 'stateOrProvince', 'postalCode'],
        doc: 'In one line.',
        rule: '`city, state postal code`; \' for "',
      },
      (city, state, postalCode) => withoutDoubleQuotes(placeOf(city, state, postalCode)),
    ),
    country: read.text('country', { doc: 'As received.' }),
  },
})

export const ofacXmlAsCsvAlias = defineMapping({
  name: 'ofac-xml-as-csv-alias',
  version: 1,
  doc: 'The aliases of the XML as the CSV edition has them: strong ones only, a single quote for a double one.',
  source: aliasColumns,
  table: listedAlias,
  fields: {
    ...aliasNumbers,
    name: read.compute(
      { from: ['lastName', 'firstName'], doc: 'In one.', rule: 'LAST, First; \' for "' },
      (last, first) => withoutDoubleQuotes(fullName(last, first)),
    ),
  },
  filters: [
    leaveOut(
      {
        reason: 'weak alias: the CSV edition has it among the remarks of the party, where it is compared',
        from: ['category'],
      },
      category => category === 'weak',
    ),
  ],
})
