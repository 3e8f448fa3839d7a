import { Box, Text } from 'ink';
import { memo, useSyncExternalStore } from 'react';
import { frame } from './frame.js';
import type { Line, Span, Tone } from './line.js';
import type { Size } from './size.js';
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
}

/** The whole program as a view of its scene. It fetches nothing, waits for nothing and knows no session. */
export function App({ stage }: { readonly stage: Stage }) {
  const { world, ui, size, ascii, color } = useSyncExternalStore(stage.subscribe, stage.current);
  const lines = frame(world, ui, size, ascii);
  return (
    <Box flexDirection="column" height={size.rows} width={size.columns}>
      {lines.map((line, row) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a screen row is its index
        <Row key={row} line={line} color={color} />
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
