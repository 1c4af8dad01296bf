import { KEY_SPEC_NAMES } from '../../../shared/domain/algorithms.ts'
import { EXPORT_FORMATS, IMPORT_FORMATS } from '../../../shared/domain/events.ts'
import { ROLES, SHARE_PLACES } from '../../../shared/domain/roster.ts'
import type { Plan } from '../../../shared/formats/plan.ts'
import {
  always,
  duration,
  either,
  file,
  fingerprint,
  group,
  id,
  issuer,
  line,
  listOf,
  MERGED,
  numbers,
  oneOf,
  optional,
  type Questions,
  reason,
  whole,
  yesNo,
} from './answers.ts'
import { key, keys, person, runtime, tenant, tenants } from './known.ts'
import { OPTIONS, policy, relyingParties } from './policy.ts'

/** What is asked for a plan of each kind, in order. A new kind is one entry. */

const choices = <T extends string>(values: readonly T[]) => values.map((value) => ({ value, label: value }))

const PEOPLE: Questions = [
  ['threshold', whole('How many custodians must act together?', 2, 16)],
  [
    'people',
    listOf(
      'Another person?',
      [
        ['id', id('Their short id, like ada')],
        ['name', line('Their name')],
        ['role', oneOf('Their role', choices(ROLES))],
        [
          'share',
          optional(
            'Custodians only: does their share lie anywhere but in the vault folder?',
            oneOf('Where does the share lie?', choices(SHARE_PLACES)),
          ),
        ],
      ],
      4,
    ),
  ],
]

const TENANT: Questions = [
  ['tenant', id('The id of the tenant')],
  [
    MERGED,
    either('Is there a customer already?', {
      'Yes: a tenant with a name': [['name', line('Its name')]],
      'No: reserved, for a customer to come': [['reserved', always(true)]],
    }),
  ],
  ['issuer', issuer('Its issuer URL, for ever')],
  ['policy', policy('How do its keys rotate?')],
  ['relyingParties', relyingParties],
]

const DICE = optional('Roll dice for extra randomness?', whole('How many rolls?', 50, 1000, 100))

const DESTROYED: Readonly<Record<string, Questions>> = {
  'Certain keys': [['keys', keys('Which keys?')]],
  'Every key of one tenant': [['tenant', tenant('Which tenant?')]],
  'Every key that nothing needs any more': [['retired', always(true)]],
}

const CHANGES: Readonly<Record<string, Questions>> = {
  'Change a tenant': [
    ['tenant', tenant('Which tenant?')],
    ['name', optional('Another name?', line('Its name'))],
    ['policy', optional('Another policy?', group(OPTIONS))],
    ['relyingParties', optional('Other relying parties? They replace all that are registered', relyingParties)],
  ],
  'Put a legal hold on keys': [
    ['hold', id('A short id for the hold')],
    ['keys', keys('Which keys?')],
    ['reason', reason('Why are they held?')],
  ],
  'Put a legal hold on a tenant': [
    ['hold', id('A short id for the hold')],
    ['tenant', tenant('Which tenant?')],
    ['reason', reason('Why is it held?')],
  ],
  'Lift a legal hold': [['lift', id('The id of the hold')]],
  'Take a tenant off for good': [['offboard', tenant('Which tenant?')]],
}

export const QUESTIONS: Record<Plan['kind'], Questions> = {
  genesis: [
    ['vault', line('The name of the vault')],
    ['practice', yesNo('Is it a practice vault? Production never trusts what it signs')],
    ...PEOPLE,
  ],
  onboard: [
    ['tenants', listOf('Another tenant?', TENANT, 1)],
    ['dice', DICE],
  ],
  'enroll-runtime': [
    ['enrollment', file("The runtime's enrollment file on the medium")],
    ['fingerprint', fingerprint('Its fingerprint, as the operator reads it from the runtime')],
  ],
  handoff: [
    ['runtime', runtime('Which runtime is it for?')],
    ['tenants', tenants('Which tenants?')],
    ['validFor', duration('For how long may it be imported?', '7d')],
    ['lost', optional('Did the files of an earlier handoff get lost?', whole('Its number', 1, 1_000_000))],
  ],
  rotate: [
    ['tenants', tenants('Which tenants?')],
    ['endingWithin', optional('Only those whose keys end soon?', duration('Within how long?', '120d'))],
    ['dice', DICE],
  ],
  emergency: [
    [
      'scope',
      either('What is not trusted any more?', {
        'One key': [['key', key('Which key?')]],
        'Every key of a tenant': [['tenant', tenant('Which tenant?')]],
        'Every key that a runtime holds': [['runtime', runtime('Which runtime?')]],
      }),
    ],
    ['reason', reason('What happened? One line: it stands in every later bundle')],
  ],
  intake: [
    ['runtime', runtime('Whose receipts?')],
    ['receipts', file('The receipts file on the medium')],
  ],
  destroy: [
    [MERGED, either('What is to be destroyed?', DESTROYED)],
    ['reason', reason('Why?')],
    [
      'attestations',
      listOf('Does somebody attest that a known copy is gone?', [
        ['copy', line('Which copy, as "evidence key" names it', 'runtime:runtime-1')],
        ['by', person('Who attests it?')],
        ['statement', reason('In their words')],
      ]),
    ],
  ],
  envelope: [
    ['runtime', runtime('For which runtime?')],
    ['tenants', tenants('For which tenants?')],
    ['validFor', duration('How long may the envelopes be opened?', '365d')],
  ],
  custody: [['reason', reason('Why do the people change?')], ...PEOPLE],
  passphrase: [['person', person('Who changes their passphrase?')]],
  'root-rotate': [
    ['reason', reason('Why does the root change?')],
    ['compromised', yesNo('Is the old root no longer trusted?')],
  ],
  'import-key': [
    ['tenant', group(TENANT)],
    [
      'keys',
      listOf(
        'Another key?',
        [
          ['file', file('Its file on the medium')],
          ['format', oneOf('Its format', choices(IMPORT_FORMATS))],
          ['spec', oneOf('What it signs', choices(KEY_SPEC_NAMES))],
        ],
        1,
      ),
    ],
    ['signFor', optional('Shall it sign for another time than a rotation interval?', duration('How long?', '30d'))],
    ['statement', reason('Where does it come from, and who else has it? In the words of its holder')],
  ],
  'export-key': [
    ['keys', keys('Which keys?')],
    ['format', oneOf('In which form?', choices(EXPORT_FORMATS))],
    ['recipient', file("The recipient's public key on the medium")],
    ['fingerprint', fingerprint('Its fingerprint, as the recipient reads it')],
    ['holder', line('Who will hold the exported copy?')],
    ['reason', reason('Why does it leave?')],
  ],
  amend: [
    ['changes', listOf('Another change?', [[MERGED, either('What changes?', CHANGES)]], 1)],
    ['reason', reason('Why?')],
  ],
  backup: [
    ['holder', line('Who takes the copy?')],
    ['place', line('Where will it be kept?')],
    ['replaces', numbers('Which earlier backups does it replace? Their numbers, or nothing')],
    [
      'attestations',
      listOf('Does somebody attest that a replaced backup is destroyed?', [
        ['backup', whole('Its number', 1, 1_000_000)],
        ['by', person('Who attests it?')],
        ['statement', reason('In their words')],
      ]),
    ],
  ],
  restore: [
    ['backup', whole('Which backup? Its number', 1, 1_000_000)],
    [
      'receipts',
      listOf('Are there newer receipts of a runtime?', [
        ['runtime', runtime('Which runtime?')],
        ['file', file('Its receipts file on the medium')],
      ]),
    ],
    ['reason', reason('What happened to the vault?')],
  ],
  inventory: [],
}
