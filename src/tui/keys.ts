import { place } from '../report/markdown.js';
import { evidenceRows, paletteRows, reportLines } from './lists.js';
import { initialUi, type Overlay, SCREENS, type Screen, type Ui, type UiCommand } from './ui.js';
import type { World } from './world.js';

/** A key as Ink reports it, narrowed to what the interface uses. */
export interface Key {
  readonly input: string;
  readonly name?:
    | 'up'
    | 'down'
    | 'left'
    | 'right'
    | 'pageUp'
    | 'pageDown'
    | 'return'
    | 'escape'
    | 'tab'
    | 'backspace'
    | 'home'
    | 'end';
  readonly ctrl?: boolean;
  readonly shift?: boolean;
}

export interface Pressed {
  readonly ui: Ui;
  readonly command?: UiCommand;
}

const NONE: Overlay = { kind: 'none' };
const PAGE = 10;

/** One key further: the next state of the interface, and at most one command to the program. Pure. */
export function press(ui: Ui, key: Key, world: World): Pressed {
  const clean: Ui = ui.notice === undefined ? ui : withoutNotice(ui);
  if (key.ctrl) return control(clean, key);
  if (world.choices) return picking(clean, key, world);
  if (world.consent) return consenting(clean, key);
  switch (clean.overlay.kind) {
    case 'none':
      return plainKey(clean, key, world);
    case 'help':
      return { ui: { ...clean, overlay: NONE } };
    default:
      return typing(clean, clean.overlay, key, world);
  }
}

function withoutNotice(ui: Ui): Ui {
  const { notice: _gone, ...rest } = ui;
  return rest;
}

function control(ui: Ui, key: Key): Pressed {
  if (key.input === 'c') return { ui, command: { do: 'interrupt' } };
  if (key.input === 'l') return { ui, command: { do: 'redraw' } };
  if (key.input === 'z') return { ui, command: { do: 'suspend' } };
  return { ui };
}

function picking(ui: Ui, key: Key, world: World): Pressed {
  const rows = world.choices ?? [];
  if (key.input === 'q' || key.name === 'escape') return { ui, command: { do: 'quit' } };
  const cursor = clamp(moved(ui.cursor.overview, key), rows.length);
  const next = { ...ui, cursor: { ...ui.cursor, overview: cursor } };
  const chosen = rows[cursor];
  if (key.name !== 'return' || !chosen) return { ui: next };
  return chosen.mayAttach
    ? { ui: initialUi, command: { do: 'choose', pid: chosen.pid } }
    : { ui: { ...next, notice: chosen.about } };
}

function consenting(ui: Ui, key: Key): Pressed {
  if (key.input === 'y') return { ui, command: { do: 'consent', given: true } };
  if (key.input === 'n' || key.name === 'escape') return { ui, command: { do: 'consent', given: false } };
  return { ui: { ...ui, notice: 'Answer y (take the reading) or n (go without it).' } };
}

function plainKey(ui: Ui, key: Key, world: World): Pressed {
  const digit = SCREENS[Number(key.input) - 1];
  if (digit) return { ui: { ...ui, screen: digit } };
  if (key.name === 'tab') return { ui: { ...ui, screen: neighbour(ui.screen, key.shift ? -1 : 1) } };
  if (key.name === 'escape') return { ui: back(ui) };
  if (key.name === 'return') return { ui: enter(ui, world) };
  const moveTo = moved(ui.cursor[ui.screen], key);
  if (moveTo !== ui.cursor[ui.screen]) return { ui: move(ui, moveTo, world) };
  return letter(ui, key.input, world);
}

function letter(ui: Ui, input: string, world: World): Pressed {
  switch (input) {
    case 'q':
      return { ui, command: { do: 'quit' } };
    case '?':
      return { ui: { ...ui, overlay: { kind: 'help' } } };
    case ':':
      return { ui: { ...ui, overlay: { kind: 'palette', input: '', index: 0 } } };
    case '/':
      return { ui: { ...ui, overlay: { kind: 'filter', input: ui.filter } } };
    case 'a':
      return { ui: { ...ui, overlay: { kind: 'ask', input: '' } } };
    case 'p':
      return { ui: { ...ui, paused: !ui.paused } };
    case 'i':
      return { ui, command: { do: 'interrupt' } };
    case 'r':
      return { ui, command: { do: 'rerun', reason: world.run.reason } };
    case 'w':
      return { ui, command: { do: 'write-report' } };
    case 'c':
      return copy(ui, world);
    case 'e':
      return pin(ui, world);
    case ' ':
      return world.replay ? { ui, command: { do: 'play' } } : { ui };
    case '[':
    case ']':
      return world.replay ? { ui, command: { do: 'seek', to: seekTo(world, input === ']' ? 1 : -1) } } : { ui };
    default:
      return { ui };
  }
}

/** Twenty steps over a recorded run: each key press is seen, and the end is near. */
const SEEK_STEPS = 20;

function seekTo(world: World, direction: number): number {
  const { at, from, to } = world.replay ?? { at: 0, from: 0, to: 0 };
  return Math.min(to, Math.max(from, at + (direction * (to - from)) / SEEK_STEPS));
}

function copy(ui: Ui, world: World): Pressed {
  const culprit = world.run.insights[0]?.culprit;
  const text = ui.screen === 'report' ? reportLines(world, 80).join('\n') : culprit ? place(culprit) : undefined;
  if (text === undefined) return { ui: { ...ui, notice: 'There is nothing to copy yet.' } };
  return { ui: { ...ui, notice: 'Copied.' }, command: { do: 'copy', text } };
}

function pin(ui: Ui, world: World): Pressed {
  const row = ui.screen === 'evidence' ? evidenceRows(world, ui.filter)[ui.cursor.evidence] : undefined;
  if (!row) return { ui: { ...ui, notice: 'Choose a piece of evidence (3) to pin.' } };
  return { ui: { ...ui, notice: `${row.id} is pinned to the report.` }, command: { do: 'pin', evidenceId: row.id } };
}

function neighbour(screen: Screen, step: number): Screen {
  const at = (SCREENS.indexOf(screen) + step + SCREENS.length) % SCREENS.length;
  return SCREENS[at] ?? 'overview';
}

/** Escape always goes back one step and never leaves the program. */
function back(ui: Ui): Ui {
  if (ui.opened !== undefined) {
    const { opened: _closed, ...rest } = ui;
    return { ...rest, scroll: { ...ui.scroll, evidence: 0 } };
  }
  if (ui.filter !== '') return { ...ui, filter: '' };
  return { ...ui, screen: 'overview' };
}

function enter(ui: Ui, world: World): Ui {
  if (ui.screen === 'overview') return { ...ui, screen: world.run.insights.length > 0 ? 'report' : 'investigation' };
  if (ui.screen !== 'evidence') return ui;
  const row = evidenceRows(world, ui.filter)[ui.cursor.evidence];
  return row ? { ...ui, opened: row.id, scroll: { ...ui.scroll, evidence: 0 } } : ui;
}

function moved(from: number, key: Key): number {
  if (key.name === 'down' || key.input === 'j') return from + 1;
  if (key.name === 'up' || key.input === 'k') return from - 1;
  if (key.name === 'pageDown') return from + PAGE;
  if (key.name === 'pageUp') return from - PAGE;
  if (key.name === 'home' || key.input === 'g') return 0;
  if (key.name === 'end' || key.input === 'G') return Number.MAX_SAFE_INTEGER;
  return from;
}

/** Lists move a cursor; opened evidence, sources and reports scroll. */
function move(ui: Ui, to: number, world: World): Ui {
  const delta = to - ui.cursor[ui.screen];
  if (ui.screen === 'report' || ui.screen === 'source' || ui.opened !== undefined)
    return { ...ui, scroll: { ...ui.scroll, [ui.screen]: scrolled(ui.scroll[ui.screen], to, delta) } };
  return { ...ui, cursor: { ...ui.cursor, [ui.screen]: clamp(to, listLength(ui, world)) } };
}

function scrolled(from: number, to: number, delta: number): number {
  if (to === 0 || to === Number.MAX_SAFE_INTEGER) return to;
  return Math.max(0, from + delta);
}

function listLength(ui: Ui, world: World): number {
  if (ui.screen === 'evidence') return evidenceRows(world, ui.filter).length;
  if (ui.screen === 'investigation') return world.run.operators.length;
  return world.run.insights.length;
}

function clamp(index: number, length: number): number {
  return Math.max(0, Math.min(index, length - 1));
}

type Input = Exclude<Overlay, { kind: 'none' | 'help' }>;

function typing(ui: Ui, overlay: Input, key: Key, world: World): Pressed {
  if (key.name === 'escape')
    return { ui: { ...ui, overlay: NONE, ...(overlay.kind === 'filter' ? { filter: '' } : {}) } };
  if (key.name === 'return') return submit({ ...ui, overlay: NONE }, overlay, world);
  if (overlay.kind === 'palette' && (key.name === 'down' || key.name === 'up')) {
    const count = paletteRows(overlay.input).length;
    return { ui: { ...ui, overlay: { ...overlay, index: clamp(moved(overlay.index, key), count) } } };
  }
  const input = key.name === 'backspace' ? overlay.input.slice(0, -1) : overlay.input + printable(key.input);
  const next: Ui = {
    ...ui,
    overlay: overlay.kind === 'palette' ? { ...overlay, input, index: 0 } : { ...overlay, input },
  };
  return { ui: overlay.kind === 'filter' ? { ...next, filter: input } : next };
}

/** Pasted text may hold anything: what is not printable is left out, and a screen line is enough. */
function printable(input: string): string {
  return input.replace(/[^\p{L}\p{N}\p{P}\p{S} ]/gu, '').slice(0, 200);
}

function submit(ui: Ui, overlay: Input, world: World): Pressed {
  const text = overlay.input.trim();
  if (overlay.kind === 'filter') return { ui: { ...ui, filter: text, cursor: { ...ui.cursor, [ui.screen]: 0 } } };
  if (overlay.kind === 'ask') return text === '' ? { ui } : { ui, command: { do: 'ask', text } };
  const row = paletteRows(overlay.input)[overlay.index];
  return row ? row.run(ui, world) : { ui: { ...ui, notice: `There is no command “${text}”.` } };
}
