import { KEY_SPEC_NAMES } from '../../../shared/domain/algorithms.ts'
import { ED25519_NAMES, STANDBYS, TOKEN_TYPES } from '../../../shared/domain/policy.ts'
import { type Answer, askAll, duration, line, listOf, oneOf, type Questions, someOf, whole, yesNo } from './answers.ts'

/** How a tenant's keys rotate: a preset, or every option. */

const PRESETS = {
  quarterly: { rotationInterval: '90d', propagationTime: '14d', retentionDuration: '14d', extension: '7d', horizon: 2 },
  monthly: { rotationInterval: '30d', propagationTime: '7d', retentionDuration: '14d', extension: '7d', horizon: 3 },
  'on demand': {
    rotationInterval: '365d',
    propagationTime: '14d',
    retentionDuration: '14d',
    extension: '7d',
    horizon: 1,
  },
} as const

const choices = <T extends string>(values: readonly T[]) => values.map((value) => ({ value, label: value }))

const algorithms: Answer<string[]> = someOf(
  'Which signing algorithms? The first in the list is the default',
  choices(KEY_SPEC_NAMES),
)

/** Every option, as lifecycle.md names them; the defaults stand there to be kept. */
export const OPTIONS: Questions = [
  ['rotationInterval', duration('How long does a key sign?', '90d')],
  ['propagationTime', duration('How long is it announced before it signs?', '14d')],
  ['retentionDuration', duration('How long does it stay published after it signed?', '14d')],
  ['extension', duration('How much longer may it sign if no successor can?', '7d')],
  ['accessTokenLifetime', duration('How long does an access token live?', '1h')],
  ['destroyPrivateAtRetirement', yesNo('Is the private half due for destruction once it no longer signs?')],
  ['destructionCoolingOff', duration('How long does a destruction wait after its confirmation?', '0d')],
  ['slotLength', duration('How long does one signed key set last, at most?', '30d')],
  ['horizon', whole('How many future keys does one ceremony make?', 1, 12, 2)],
  ['materialAhead', whole('How many of them leave the vault ahead of time?', 0, 12, 1)],
  ['standby', oneOf('Is a standby key announced all the time?', choices(STANDBYS))],
  ['tokenType', oneOf('What type do its tokens name? JWT is for older frameworks', choices(TOKEN_TYPES))],
  ['ed25519Name', oneOf('What are Ed25519 signatures called? EdDSA is for older verifiers', choices(ED25519_NAMES))],
  ['x509', yesNo('Does each new RSA key get a self-signed certificate (x5c)?')],
]

export const policy = (question: string): Answer<Record<string, unknown>> => ({
  question,
  get: async (asking) => {
    const signingAlgorithms = await algorithms.get(asking)
    const preset = await asking.ask.choose<keyof typeof PRESETS | 'own'>(question, [
      { value: 'quarterly', label: 'Quarterly', hint: 'every 90 days, announced 14 days before' },
      { value: 'monthly', label: 'Monthly', hint: 'every 30 days, announced 7 days before' },
      { value: 'on demand', label: 'On demand', hint: 'a year at most; rotate by ceremony when needed' },
      { value: 'own', label: 'Every option by itself' },
    ])
    const rest = preset === 'own' ? await askAll(OPTIONS, asking) : PRESETS[preset]
    return { signingAlgorithms, ...rest }
  },
})

export const relyingParties: Answer = listOf('Register a relying party (somebody who verifies these tokens)?', [
  ['name', line('Its name')],
  ['cache', duration('How long does it keep a key set before it fetches again?', '12h')],
  ['refreshOnUnknownKid', yesNo('Does it fetch at once when it meets an unknown key id?')],
])
