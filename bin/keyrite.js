#!/usr/bin/env node
// Starts keyrite from anywhere (npm link, or this file by its path). The checkout brings its own Node, because the
// machine's may be too old for TypeScript.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const at = (path) => fileURLToPath(new URL(path, import.meta.url))
const own = at(`../node_modules/.bin/node${process.platform === 'win32' ? '.exe' : ''}`)
const node = existsSync(own) ? own : process.execPath
const child = spawn(node, [at('../electron/cli/main.ts'), ...process.argv.slice(2)], { stdio: 'inherit' })
// Ctrl-C reaches the child too, and it is the one that knows what to do.
process.on('SIGINT', () => {})
child.on('exit', (code, signal) => {
  process.exitCode = code ?? (signal === 'SIGINT' ? 130 : 1)
})
