import { Frame, type FrameProps } from '../components/Frame.tsx'
import { useAppState, useNow } from '../state.tsx'

export type FramedProps = Omit<FrameProps, 'network' | 'practice' | 'now'>

/** The frame with what the app knows: the network, whether this is practice, the machine's clock. */
export function Framed(props: FramedProps) {
  const { machine, overview, sitting } = useAppState()
  const network = !machine ? 'unknown' : machine.networks.length > 0 ? 'detected' : 'offline'
  return <Frame {...props} network={network} practice={(sitting ?? overview)?.practice ?? false} now={useNow()} />
}
