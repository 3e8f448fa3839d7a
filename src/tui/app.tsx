import { Box, Text, useInput } from 'ink';
import { memo, useSyncExternalStore } from 'react';
import { frame, type Size } from './frame.js';
import type { Key } from './keys.js';
import type { Line, Span, Tone } from './line.js';
import type { Ui } from './ui.js';
import type { World } from './world.js';

/** What the screen shows at one moment; replaced as a whole, so that a commit is one comparison. */
export interface Scene {
  readonly world: World;
  readonly ui: Ui;
  readonly size: Size;
  readonly ascii: boolean;
  readonly color: boolean;
}

export interface Stage {
  readonly current: () => Scene;
  readonly subscribe: (listener: () => void) => () => void;
  readonly onKey: (key: Key) => void;
}

/** The whole program as a view of its scene. It fetches nothing, waits for nothing and knows no session. */
export function App({ stage }: { readonly stage: Stage }) {
  const scene = useSyncExternalStore(stage.subscribe, stage.current);
  useInput((input, key) => stage.onKey(keyOf(input, key)));
  // One row less than the terminal has: a frame as high as the screen makes Ink clear it each time.
  const size = { columns: scene.size.columns, rows: scene.size.rows - 1 };
  const lines = frame(scene.world, scene.ui, size, scene.ascii);
  return (
    <Box flexDirection="column" height={size.rows} width={size.columns}>
      {lines.map((line, row) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a screen row is its index
        <Row key={row} line={line} color={scene.color} />
      ))}
    </Box>
  );
}

/** Rows that read the same are the same: most of a screen does not change from one second to the next. */
const Row = memo(
  ({ line, color }: { readonly line: Line; readonly color: boolean }) => (
    <Text wrap="truncate">
      {line.map((span, i) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: spans of a row have no other identity
        <Text key={i} {...styleOf(span.tone, color)}>
          {span.text}
        </Text>
      ))}
    </Text>
  ),
  (a, b) => a.color === b.color && sameLine(a.line, b.line),
);

function sameLine(a: Line, b: Line): boolean {
  return a.length === b.length && a.every((span, i) => sameSpan(span, b[i]));
}

function sameSpan(a: Span, b: Span | undefined): boolean {
  return b !== undefined && a.text === b.text && a.tone === b.tone;
}

interface Style {
  readonly color?: string;
  readonly bold?: boolean;
  readonly dimColor?: boolean;
  readonly inverse?: boolean;
}

/** The sixteen colours of the terminal's own theme read well on light and dark alike. */
const STYLE: { readonly [T in Tone]: Style } = {
  plain: {},
  dim: { dimColor: true },
  bold: { bold: true },
  accent: { color: 'cyan' },
  good: { color: 'green' },
  warn: { color: 'yellow' },
  bad: { color: 'red', bold: true },
  inverse: { inverse: true },
};

function styleOf(tone: Tone, color: boolean): Style {
  if (color) return STYLE[tone];
  return tone === 'inverse' ? { inverse: true } : tone === 'bold' || tone === 'bad' ? { bold: true } : {};
}

type InkKey = Parameters<Parameters<typeof useInput>[0]>[1];

function keyOf(input: string, key: InkKey): Key {
  const name = nameOf(key);
  return {
    input: name === undefined ? input : '',
    ...(name === undefined ? {} : { name }),
    ctrl: key.ctrl,
    shift: key.shift,
  };
}

function nameOf(key: InkKey): NonNullable<Key['name']> | undefined {
  if (key.upArrow) return 'up';
  if (key.downArrow) return 'down';
  if (key.leftArrow) return 'left';
  if (key.rightArrow) return 'right';
  if (key.pageUp) return 'pageUp';
  if (key.pageDown) return 'pageDown';
  if (key.return) return 'return';
  if (key.escape) return 'escape';
  if (key.tab) return 'tab';
  if (key.backspace || key.delete) return 'backspace';
  if (key.home) return 'home';
  if (key.end) return 'end';
  return undefined;
}
