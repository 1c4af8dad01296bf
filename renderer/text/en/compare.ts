export const compare = {
  fingerprint: 'Fingerprint',
  sixteen: 'SHA-256, sixteen groups of four',
  covers: 'What it covers',
  same: 'Same fingerprint',
  words: 'The same in words',
  down: 'read down each column',
  covered: 'covered',
  word: (number: number) => `Word ${number}`,
  half: 'First half. The printed script has all of it.',
  qrOf: (what: string) => `QR code: ${what}`,
  matches: 'Matches',
  differs: 'Differs',
}
