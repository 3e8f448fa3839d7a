// Records a real `lens attach` on the bundled sick server: docs/attach.cast (asciicast v2) and stills, docs/attach*.svg.
//   node scripts/build.mjs && node docs/record.mjs [--columns 120] [--rows 34]
// Nothing is staged: the keys below are pressed in a real pseudo-terminal, and its output is written down with its time.
import { spawn as start } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { spawn } from '@lydell/node-pty';
import headless from '@xterm/headless';

const { values } = parseArgs({ options: { columns: { type: 'string' }, rows: { type: 'string' } } });
const size = { cols: Number(values.columns ?? 120), rows: Number(values.rows ?? 34) };
const root = new URL('..', import.meta.url).pathname;

/** How each style of the screen looks in the still. */
const ATTRIBUTES = {
  plain: 'fill="#d7dce2"',
  bold: 'fill="#ffffff" font-weight="bold"',
  dim: 'fill="#8b95a1"',
  inverse: 'fill="#15181d"',
  red: 'fill="#ff7b72" font-weight="bold"',
  green: 'fill="#56d364"',
  yellow: 'fill="#e3b341"',
  cyan: 'fill="#56c7d9"',
};

/** What a person does, in this order: `until` a text stands on the screen, `wait` seconds, keep a `still`, press `keys`. */
const SCRIPT = [
  { until: /loop delay +\d/ },
  { wait: 4, keys: '2' },
  { wait: 5, still: 'attach-operators', keys: '1' },
  { until: /▲ warning|✖ critical/ },
  { wait: 3, still: 'attach', keys: '4' },
  { wait: 3, keys: '5' },
  { wait: 3, still: 'attach-report', keys: '3' },
  { wait: 2, keys: '/growth\r' },
  { wait: 1, keys: '\r' },
  { wait: 2, still: 'attach-evidence', keys: '}' },
  { wait: 1, keys: '1' },
  { wait: 2, keys: 'q' },
];

// In a folder of its own: places are told relative to it, and no path of this checkout is in the pictures.
const home = mkdtempSync(join(tmpdir(), 'box-'));
const cwd = join(home, 'office');
cpSync(`${root}fixtures/apps/demo`, cwd, { recursive: true });
const shop = start(process.execPath, ['--inspect-port=0', 'server.mjs'], {
  cwd,
  stdio: ['pipe', 'pipe', 'ignore'],
});
await once(shop.stdout, 'data');

const screen = new headless.Terminal({ ...size, allowProposedApi: true });
const cast = [];
const environment = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(CI|NO_COLOR)/.test(name)));
const pty = spawn(process.execPath, [`${root}bin/lens.js`, 'attach', String(shop.pid), '--no-llm'], {
  ...size,
  env: { ...environment, TERM: 'xterm-256color', LANG: 'C.UTF-8', XDG_STATE_HOME: home },
});
const ended = new Promise(resolve => pty.onExit(resolve));
const began = performance.now();
pty.onData(data => {
  cast.push([(performance.now() - began) / 1000, 'o', data]);
  screen.write(data);
});

const sleep = seconds => new Promise(resolve => setTimeout(resolve, seconds * 1000));
const text = () => Array.from({ length: size.rows }, (_, row) => rowOf(row).translateToString(true)).join('\n');
const rowOf = row => screen.buffer.active.getLine(screen.buffer.active.baseY + row);

const stills = new Map();
try {
  for (const step of SCRIPT) {
    if (step.until) await until(step.until);
    await sleep(step.wait ?? 0);
    if (step.still) stills.set(step.still, svg());
    if (step.keys) pty.write(step.keys);
  }
  await ended;
} finally {
  shop.kill();
  rmSync(home, { recursive: true });
}

const header = {
  version: 2,
  width: size.cols,
  height: size.rows,
  title: 'lens attach',
  env: { TERM: 'xterm-256color' },
};
const lines = [header, ...cast.map(([at, kind, data]) => [Number(at.toFixed(3)), kind, data])];
writeFileSync(`${root}docs/attach.cast`, `${lines.map(line => JSON.stringify(line)).join('\n')}\n`);
for (const [name, picture] of stills) writeFileSync(`${root}docs/${name}.svg`, picture);
process.stdout.write(
  `docs/attach.cast: ${cast.length} writes, ${cast.at(-1)[0].toFixed(1)} s; ${[...stills.keys()].join(', ')}\n`,
);

async function until(pattern) {
  for (let waited = 0; waited < 120; waited += 0.1) {
    if (pattern.test(text())) return;
    await sleep(0.1);
  }
  throw new Error(`never saw ${pattern} on:\n${text()}`);
}

/** The screen as it stands, a picture of text: sharp at any size, selectable, a few kilobytes. */
function svg() {
  const cell = { width: 8.4, height: 18 };
  const rows = Array.from({ length: size.rows }, (_, row) => rowSvg(row, cell)).join('\n');
  const width = Math.ceil(size.cols * cell.width + 24);
  const height = Math.ceil(size.rows * cell.height + 24);
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="lens attach in a terminal">
<rect width="100%" height="100%" rx="8" fill="#15181d"/>
<g transform="translate(12 12)" font-family="ui-monospace,Menlo,Consolas,'DejaVu Sans Mono',monospace" font-size="14" style="white-space:pre">
${rows}
</g>
</svg>
`;
}

function rowSvg(row, cell) {
  const line = rowOf(row);
  const spans = [];
  for (let column = 0; column < size.cols; column++) {
    const c = line.getCell(column);
    const chars = c.getChars() || ' ';
    const style = styleOf(c);
    const last = spans.at(-1);
    if (last && last.style === style) last.text += chars;
    else spans.push({ style, text: chars, column });
  }
  const y = row * cell.height;
  return spans
    .filter(({ text, style }) => text.trim() !== '' || style.startsWith('inverse'))
    .map(({ style, text, column }) => {
      // Viewers differ in what they do with blanks at the ends: none are left there, but in a box.
      const shown = style === 'inverse' ? text : text.trim();
      const from = style === 'inverse' ? column : column + text.length - text.trimStart().length;
      const x = (from * cell.width).toFixed(1);
      const length = (shown.length * cell.width).toFixed(1);
      const box = style.startsWith('inverse')
        ? `<rect x="${x}" y="${y}" width="${length}" height="${cell.height}" fill="#d7dce2"/>`
        : '';
      return `${box}<text x="${x}" y="${y + 14}" textLength="${length}" lengthAdjust="spacingAndGlyphs" ${ATTRIBUTES[style]}>${escaped(shown).replaceAll(' ', '\u00a0')}</text>`;
    })
    .join('');
}

function styleOf(c) {
  if (c.isInverse()) return 'inverse';
  const color = c.isFgPalette() ? { 1: 'red', 2: 'green', 3: 'yellow', 6: 'cyan' }[c.getFgColor() % 8] : undefined;
  if (color) return color;
  return c.isDim() ? 'dim' : c.isBold() ? 'bold' : 'plain';
}

function escaped(text) {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
