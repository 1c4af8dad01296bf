import { DAY, HOUR } from '../../shared/domain/policy.ts'
import { PresenceList, Verdict } from '../components/Attention.tsx'
import { Button } from '../components/Button.tsx'
import { CacheTimeline } from '../components/CacheTimeline.tsx'
import { FingerprintHalf } from '../components/Fingerprint.tsx'
import { Frame } from '../components/Frame.tsx'
import { Page, Stack } from '../components/Page.tsx'
import { PlanTimeline } from '../components/PlanTimeline.tsx'
import { ThresholdBar } from '../components/ThresholdMeter.tsx'
import { at, DIGEST, key } from './sample.ts'

const nothing = () => {}
const now = at('2026-06-09T09:20:18')
const announced = at('2026-06-16T00:00:00')

const people = (
  <Stack gap={24}>
    <PresenceList
      title="Who is needed"
      people={['Administrator', 'Custodian 1', 'Custodian 3', 'A third custodian', 'Compliance officer 1'].map(
        (name) => ({
          id: name,
          name,
          status: name.startsWith('A third') ? 'open' : 'done',
          said: name.startsWith('A third') ? 'Missing' : 'Present',
        }),
      )}
    />
    <ThresholdBar present={2} need={3} />
    <FingerprintHalf title="Plan fingerprint" digest={DIGEST} />
    <Stack gap={8}>
      <Button wide onPress={nothing}>
        Print the script
      </Button>
      <Button wide onPress={nothing}>
        Rehearse it first
      </Button>
      <Button wide kind="filled" waitsFor="Waits for one more custodian." waitsPlace="below">
        Start the ceremony
      </Button>
    </Stack>
  </Stack>
)

export const Plan = () => (
  <Frame title="Rotation of Acme" id="R-2026-014" note="Plan, not started" network="offline" now={now} right={people}>
    <Page title="The plan for Acme’s next two keys" ruled>
      <Verdict
        status="done"
        said="No outage"
        note="61,440 mixes of cache age, clock skew, replica lag and switch time tried. The tightest leaves 12 days 23 hours."
      >
        <p>Every token can be verified at every moment until 27 December.</p>
      </Verdict>
      <PlanTimeline
        now={now}
        keys={[
          { id: '1', note: 'RS256, now signing', ...key('acme-2026-04', '2026-04-01', '2026-06-30') },
          { id: '2', note: 'RS256, new', ...key('acme-2026-06', '2026-06-30', '2026-09-28') },
          { id: '3', note: 'RS256, new', ...key('acme-2026-09', '2026-09-28', '2026-12-27') },
        ]}
      />
      <CacheTimeline
        announceAt={announced}
        signFrom={announced + 14 * DAY}
        parties={[
          { name: 'Mobile gateway', cacheSeconds: DAY, knowsAt: announced + DAY + HOUR },
          { name: 'Partner portal', cacheSeconds: 12 * HOUR, knowsAt: announced + 13 * HOUR },
          { name: 'Billing service', cacheSeconds: 900, knowsAt: announced + 1800 },
          { name: 'Archive', cacheSeconds: 15 * DAY, knowsAt: announced + 15 * DAY + HOUR },
        ]}
      />
    </Page>
  </Frame>
)
