import { Pause, Play, SkipBack, SkipForward } from 'lucide-react'
import { type KeyboardEvent, type ReactNode, useEffect, useLayoutEffect, useRef, useState } from 'react'
import { Slider, SliderThumb, SliderTrack } from 'react-aria-components'
import { spellDuration } from '../../shared/domain/policy.ts'
import { text } from '../text/index.ts'
import { Button } from './Button.tsx'
import { classes } from './classes.ts'
import { Empty } from './Facts.tsx'
import { clock } from './format.ts'
import css from './Playback.module.css'
import { place, type Scale } from './timeline.ts'

export type PlaybackStep = {
  number: number
  name: string
  /** When it was finished. */
  at: number
  mark?: 'deviation' | 'pause' | 'noWayBack' | undefined
}

export type PlaybackProps = {
  startedAt: number
  endedAt: number
  steps: readonly PlaybackStep[]
  /** The place in `steps` that is shown. */
  current: number
  onMove: (index: number) => void
  /** Below the line: what the step says, who did what. */
  children?: ReactNode
}

/** While it plays, each step stays this long. */
const STAY = 1600

/** A ceremony over time: a tick for each step where it was finished; arrow keys, the pointer or play move along. */
export function Playback({ startedAt, endedAt, steps, current, onMove, children }: PlaybackProps) {
  const [playing, setPlaying] = usePlaying(current, steps.length, onMove)
  const step = steps[current]
  if (!step) return <Empty title={text.playback.empty} />
  const move = (index: number) => {
    setPlaying(false)
    onMove(Math.max(0, Math.min(steps.length - 1, index)))
  }
  return (
    <section className={css.playback}>
      <div className={css.controls}>
        <Button kind="quiet" label={text.playback.earlier} onPress={() => move(current - 1)} disabled={current === 0}>
          <SkipBack size={16} aria-hidden="true" />
        </Button>
        <Button
          label={playing ? text.playback.stop : text.playback.play}
          onPress={() => {
            if (!playing && current === steps.length - 1) onMove(0)
            setPlaying(!playing)
          }}
        >
          {playing ? <Pause size={16} aria-hidden="true" /> : <Play size={16} aria-hidden="true" />}
        </Button>
        <Button
          kind="quiet"
          label={text.playback.later}
          onPress={() => move(current + 1)}
          disabled={current === steps.length - 1}
        >
          <SkipForward size={16} aria-hidden="true" />
        </Button>
        <Line startedAt={startedAt} endedAt={endedAt} steps={steps} current={current} onMove={move} />
      </div>
      <div className={css.shown} aria-live={playing ? 'off' : 'polite'}>
        <p className={css.step}>
          <span className={css.time}>{clock(step.at)}</span>
          {text.playback.step(step.number, step.name)}
          {step.mark && <span className={css.markWord}>{text.playback[step.mark]}</span>}
        </p>
        {children}
      </div>
    </section>
  )
}

function usePlaying(current: number, count: number, onMove: (index: number) => void) {
  const [playing, setPlaying] = useState(false)
  useEffect(() => {
    if (!playing) return
    if (current >= count - 1) {
      setPlaying(false)
      return
    }
    const timer = setTimeout(() => onMove(current + 1), STAY)
    return () => clearTimeout(timer)
  }, [playing, current, count, onMove])
  return [playing, setPlaying] as const
}

type LineProps = Omit<PlaybackProps, 'children'>

/** The slider runs over time, but stands only on steps: arrows go from step to step, the pointer to the nearest. */
function Line({ startedAt, endedAt, steps, current, onMove }: LineProps) {
  const scale: Scale = { from: startedAt, to: Math.max(endedAt, startedAt + 1) }
  const step = steps[current]
  const input = useRef<HTMLInputElement>(null)
  // The slider would say its number; a step and a time say more.
  useLayoutEffect(() => {
    if (step) input.current?.setAttribute('aria-valuetext', valueText(step))
  })
  if (!step) return null
  const keys = (event: KeyboardEvent) => {
    const to = target(event.key, current, steps.length)
    if (to === null) return
    event.preventDefault()
    event.stopPropagation()
    onMove(to)
  }
  return (
    <div className={css.line} onKeyDownCapture={keys}>
      <Slider
        aria-label={text.playback.position}
        minValue={scale.from}
        maxValue={scale.to}
        value={step.at}
        onChange={(value) => onMove(nearest(steps, value))}
      >
        <SliderTrack className={classes(css.track)}>
          <Ticks steps={steps} scale={scale} current={current} />
          <SliderThumb className={classes(css.thumb)} inputRef={input} />
        </SliderTrack>
      </Slider>
      <p className={css.ends}>
        <span>{clock(startedAt)}</span>
        <span>{text.playback.lasted(spellDuration(endedAt - startedAt))}</span>
        <span>{clock(endedAt)}</span>
      </p>
    </div>
  )
}

const valueText = (step: PlaybackStep): string =>
  text.playback.at(text.playback.step(step.number, step.name), clock(step.at))

function target(key: string, current: number, count: number): number | null {
  if (key === 'ArrowRight' || key === 'ArrowUp' || key === 'PageDown') return Math.min(count - 1, current + 1)
  if (key === 'ArrowLeft' || key === 'ArrowDown' || key === 'PageUp') return Math.max(0, current - 1)
  if (key === 'Home') return 0
  if (key === 'End') return count - 1
  return null
}

function nearest(steps: readonly PlaybackStep[], at: number): number {
  let best = 0
  for (const [index, step] of steps.entries()) {
    if (Math.abs(step.at - at) < Math.abs((steps[best]?.at ?? 0) - at)) best = index
  }
  return best
}

function Ticks({ steps, scale, current }: { steps: readonly PlaybackStep[]; scale: Scale; current: number }) {
  return (
    <svg className={css.ticks} width="100%" height="40" aria-hidden="true">
      <line className={css.base} x1="0" x2="100%" y1="20" y2="20" />
      <line className={css.past} x1="0" x2={place(scale, steps[current]?.at ?? scale.from)} y1="20" y2="20" />
      {steps.map((step, index) => (
        <svg key={step.number} x={place(scale, step.at)} overflow="visible" aria-hidden="true">
          {step.mark === 'noWayBack' || step.mark === 'deviation' ? (
            <path className={step.mark === 'noWayBack' ? css.red : css.amber} d="M0 3 4 7 0 11-4 7Z" />
          ) : null}
          <line className={classes(css.tick, index <= current && css.tickDone)} y1="13" y2="27" />
        </svg>
      ))}
    </svg>
  )
}
