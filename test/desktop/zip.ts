import { crc32 } from 'node:zlib'

export type Entry = { name: string; bytes: Buffer; mode: number }

/** An archive of a few small files, stored as they are (APPNOTE 4.3): what a release of Electron comes in. */
export function zip(entries: readonly Entry[]): Buffer {
  const parts: Buffer[] = []
  const directory: Buffer[] = []
  let offset = 0
  for (const { name, bytes, mode } of entries) {
    const sizes = Buffer.alloc(12)
    sizes.writeUInt32LE(crc32(bytes), 0)
    sizes.writeUInt32LE(bytes.length, 4)
    sizes.writeUInt32LE(bytes.length, 8)
    const [length, place] = [Buffer.alloc(4), Buffer.alloc(14)]
    length.writeUInt16LE(name.length, 0)
    // Comment, disk, internal attributes; then the Unix mode and where the file begins.
    place.writeUInt32LE(((0o100000 | mode) << 16) >>> 0, 6)
    place.writeUInt32LE(offset, 10)
    const local = [Buffer.from('504b03040a000000000000000000', 'hex'), sizes, length, Buffer.from(name), bytes]
    parts.push(...local)
    directory.push(Buffer.from('504b01021e030a000000000000000000', 'hex'), sizes, length, place, Buffer.from(name))
    offset += Buffer.concat(local).length
  }
  const listed = Buffer.concat(directory)
  const end = Buffer.alloc(22)
  end.write('504b0506', 'hex')
  end.writeUInt16LE(entries.length, 8)
  end.writeUInt16LE(entries.length, 10)
  end.writeUInt32LE(listed.length, 12)
  end.writeUInt32LE(offset, 16)
  return Buffer.concat([...parts, listed, end])
}
