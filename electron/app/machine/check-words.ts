import type { Check } from '../../../shared/contract/machine.ts'

/** What each check of the machine is called, why it matters, and how people put it right. */

type Words = { title: string; why: string; fix: string }

export const CHECK_WORDS: Record<Check['id'], Words> = {
  network: {
    title: 'The network is off',
    why: 'Keys are made where nobody can reach them. Whatever reaches this machine could carry something away.',
    fix: 'Pull the cables, switch off Wi-Fi, Bluetooth and mobile data, and stop virtual networks.',
  },
  'self-test': {
    title: 'Algorithms give known answers',
    why: 'A machine that computes wrongly makes keys that fail or that others can guess.',
    fix: 'Do not use this machine. Take another one, and keep this one for an inquiry.',
  },
  app: {
    title: 'This app is the released one',
    why: 'A changed app could show one thing and do another. Only people can compare this fingerprint.',
    fix: 'Two people compare these sixteen groups with the release notes on paper, and say below what they compared.',
  },
  'disk-encryption': {
    title: 'The disk is encrypted',
    why: 'A vault is encrypted by itself. An encrypted disk also covers what the system keeps beside it.',
    fix: 'Use a machine whose disk was encrypted when it was set up (LUKS, FileVault or BitLocker).',
  },
  swap: {
    title: 'Memory is not swapped to disk',
    why: 'While a ceremony runs, secrets are in memory. Swapped out, they could stay on the disk for years.',
    fix: 'Switch swap off until the ceremony is over: “swapoff --all” on Linux, no page file on Windows.',
  },
  hibernation: {
    title: 'Hibernation is off',
    why: 'Hibernation writes the whole memory to disk, with every secret that is in it.',
    fix: 'Switch it off: no swap on Linux, “pmset -a hibernatemode 0” on macOS, “powercfg /hibernate off” on Windows.',
  },
  'core-dumps': {
    title: 'Crashes leave no memory behind',
    why: 'When a program crashes, the system may save its memory, with the secrets in it.',
    fix: 'Switch it off: “sysctl kernel.core_pattern=/dev/null” on Linux, “ulimit -c 0” on macOS, Windows Error Reporting off on Windows.',
  },
  'free-space': {
    title: 'There is room for the record',
    why: 'A ceremony that runs out of space pauses. Nothing is lost, and everybody waits.',
    fix: 'Free at least 1 GB where the vaults are kept.',
  },
  printer: {
    title: 'A printer is ready',
    why: 'Head cards and records go home on paper, which nobody can change from afar.',
    fix: 'Connect a printer by cable. Without one, the record’s PDF goes out on a medium and is printed elsewhere.',
  },
}
