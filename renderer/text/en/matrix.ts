import { language } from './language.ts'

const many = (value: number) => value.toLocaleString(language.locale)

export const matrix = {
  title: 'Who accepts whose tokens',
  tokenOf: 'Token of',
  verifierOf: 'Verifier of',
  own: 'accepted by its own tenant',
  refused: 'refused',
  crossed: 'accepted by another tenant',
  ownRefused: 'refused by its own tenant',
  allApart: (tenants: number, tried: number) =>
    `${many(tried)} tokens were tried at the verifiers of ${language.counted(tenants, 'tenant')}. Each is accepted by its own tenant alone.`,
  wrong: (crossings: number, own: number) =>
    [
      crossings > 0
        ? `${language.counted(crossings, 'token')} ${crossings === 1 ? 'was' : 'were'} accepted by another tenant`
        : '',
      own > 0
        ? `${language.counted(own, 'token')} ${own === 1 ? 'was refused by its' : 'were refused by their'} own tenant`
        : '',
    ]
      .filter(Boolean)
      .join('; ')
      .replace(/^./, (letter) => letter.toUpperCase())
      .concat('.'),
  notTried: 'Nothing was tried yet.',
}
