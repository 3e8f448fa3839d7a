// The Rust reader's program, or a copy of it that runs where the libc is older than 2.39. It asks for that version for the
// sake of one function that it can do without (a weak symbol); the copy asks for it weakly, too.
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const VERSION_NEEDED = 0x6ffffffe;
const WEAK = 2;

export function rustReader(folder) {
  const program = `${folder}/node_modules/@heap-snapshot/linux-x64/heap-snapshot`;
  if (!existsSync(program) || spawnSync(program, ['--help']).status === 0) return program;
  const copy = join(mkdtempSync(join(tmpdir(), 'heap-snapshot-')), 'heap-snapshot');
  writeFileSync(copy, withWeakVersions(readFileSync(program)));
  chmodSync(copy, 0o755);
  return copy;
}

/** ELF, 64 bits, little endian: each needed version of a library gets the flag that makes its absence a warning. */
function withWeakVersions(elf) {
  const [headers, size, count] = [Number(elf.readBigUInt64LE(0x28)), elf.readUInt16LE(0x3a), elf.readUInt16LE(0x3c)];
  for (let i = 0; i < count; i++) {
    const header = headers + i * size;
    if (elf.readUInt32LE(header + 4) === VERSION_NEEDED) weaken(elf, Number(elf.readBigUInt64LE(header + 24)));
  }
  return elf;
}

function weaken(elf, start) {
  for (let library = start, next = 1; next !== 0; library += next) {
    next = elf.readUInt32LE(library + 12);
    let version = library + elf.readUInt32LE(library + 8);
    for (let left = elf.readUInt16LE(library + 2); left > 0; left--) {
      elf.writeUInt16LE(elf.readUInt16LE(version + 4) | WEAK, version + 4);
      version += elf.readUInt32LE(version + 12);
    }
  }
}
