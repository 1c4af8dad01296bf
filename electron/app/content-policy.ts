/** What pages of the app may load (desktop.md, "Electron lockdown"): one list for both shells. */

/** The one style that react-aria-components adds to a page, for its press handling. It changes with the library. */
export const ARIA_STYLE = "'sha256-38RhXrc7EdReTKsOm23ZPOCUgniTUUcjky8QOOrQx6o='"

/** The policy of the screens; `connect` is whom they may talk to: nobody in Electron, their own server in the browser. */
export const screenPolicy = (connect: "'none'" | "'self'"): string =>
  [
    "default-src 'none'",
    "script-src 'self'",
    `style-src 'self' ${ARIA_STYLE}`,
    "img-src 'self' data:",
    "font-src 'self'",
    `connect-src ${connect}`,
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join('; ')

/** Words alone. Every drawn page narrows this further by naming the digest of its one style sheet. */
export const PLAIN_POLICY = [
  "default-src 'none'",
  "style-src 'unsafe-inline'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

/** A drawn page belongs to no origin, so that nothing on it could speak for the screens. */
export const PAGE_POLICY = `${PLAIN_POLICY}; sandbox`

/** The camera reads QR frames; everything else that a browser could lend a page stays with it. */
const WITHHELD = [
  'accelerometer',
  'autoplay',
  'display-capture',
  'encrypted-media',
  'fullscreen',
  'gamepad',
  'geolocation',
  'gyroscope',
  'hid',
  'idle-detection',
  'local-fonts',
  'magnetometer',
  'microphone',
  'midi',
  'payment',
  'picture-in-picture',
  'publickey-credentials-create',
  'publickey-credentials-get',
  'screen-wake-lock',
  'serial',
  'storage-access',
  'usb',
  'window-management',
  'xr-spatial-tracking',
]

export const PERMISSIONS_POLICY = ['camera=(self)', ...WITHHELD.map((name) => `${name}=()`)].join(', ')
