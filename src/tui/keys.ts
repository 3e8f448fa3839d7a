import { place } from '../report/markdown.js';
import { choosing, openSkills, underWay } from './choosing.js';
import { plain } from './line.js';
import { choiceRows, evidenceRows, operatorRows, paletteRows, reportText, toggleMouse } from './lists.js';
import { clamp, type Motion, motionOf, moved } from './motion.js';
import { click } from './mouse.js';
import { allToggled, atLine, inwards, isOpened, openedAt, outwards, toggled } from './opened.js';
import { helpLines } from './screens/help.js';
import { scrolledLines } from './screens/scrolled.js';
import { toSection } from './sections.js';
import { bodySize, type Size } from './size.js';
import { initialUi, type Overlay, SCREENS, type Screen, type Ui, type UiCommand } from './ui.js';
import type { Replay, World } from './world.js';

/** One key, or one paste with its text as `input`. */
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
    | 'end'
    | 'paste'
    | 'click'
    | 'wheelUp'
    | 'wheelDown';
  /** Where the mouse was, in cells from the left upper corner. */
  readonly at?: { readonly column: number; readonly row: number };
  readonly ctrl?: boolean;
  readonly shift?: boolean;
}

export interface Pressed {
  readonly ui: Ui;
  readonly command?: UiCommand;
}

const NONE: Overlay = { kind: 'none' };
/** Screens with a list that a filter narrows. */
const FILTERED: readonly Screen[] = ['investigation', 'evidence'];
/** Rows of the target picker that a page key skips. */
const PAGE = 10;

/** One key further: the next state of the interface, and at most one command to the program. Pure. */
export function press(ui: Ui, key: Key, world: World, size: Size): Pressed {
  const clean: Ui = ui.notice === undefined ? ui : withoutNotice(ui);
  if (key.ctrl) return control(clean, key);
  if (key.name === 'click' && key.at)
    return click(clean, key.at, world, size, there => press(there, { input: '', name: 'return' }, world, size));
  // A dialog that comes up while somebody types must not take the y of “why” for a yes.
  const types = !['none', 'help', 'compare', 'skills'].includes(clean.overlay.kind);
  if (world.consent && !types) return consenting(clean, key);
  if (world.choices && !types) return picking(clean, key, world);
  switch (clean.overlay.kind) {
    case 'none':
      return plainKey(clean, key, world, size);
    case 'help':
      return helping(clean, clean.overlay, key, world, size);
    case 'compare':
      return { ui: { ...clean, overlay: NONE } };
    case 'skills':
      return choosing(clean, clean.overlay, key, world);
    default:
      return typing(clean, clean.overlay, key, world);
  }
}

/** Where it is longer than the screen it scrolls; any other key goes back. */
function helping(ui: Ui, overlay: Extract<Overlay, { kind: 'help' }>, key: Key, world: World, size: Size): Pressed {
  const room = bodySize(size).rows;
  const motion = motionOf(key, room - 1);
  const places = Math.max(0, helpLines(world, ui, bodySize(size)).length - room) + 1;
  if (!motion || places === 1) return { ui: { ...ui, overlay: NONE } };
  return { ui: { ...ui, overlay: { ...overlay, scroll: moved(overlay.scroll, motion, places) } } };
}

function withoutNotice(ui: Ui): Ui {
  const { notice: _gone, ...rest } = ui;
  return rest;
}

function control(ui: Ui, key: Key): Pressed {
  if (key.input === 'c') return { ui, command: { do: 'interrupt', orLeave: true } };
  if (key.input === 'l') return { ui, command: { do: 'redraw' } };
  if (key.input === 'z') return { ui, command: { do: 'suspend' } };
  return { ui };
}

function picking(ui: Ui, key: Key, world: World): Pressed {
  const rows = choiceRows(world, ui.filter);
  if (key.input === '/') return { ui: { ...ui, overlay: { kind: 'filter', input: ui.filter } } };
  if (key.name === 'escape' && ui.filter !== '') return { ui: { ...ui, filter: '' } };
  if (key.input === 'q' || key.name === 'escape') return { ui, command: { do: 'quit' } };
  const motion = motionOf(key, PAGE);
  const cursor = motion ? moved(ui.cursor.overview, motion, rows.length) : clamp(ui.cursor.overview, rows.length);
  const next = { ...ui, cursor: { ...ui.cursor, overview: cursor } };
  const chosen = rows[cursor];
  if (key.name !== 'return' || !chosen) return { ui: next };
  return chosen.mayAttach
    ? { ui: { ...initialUi, mouse: ui.mouse }, command: { do: 'choose', pid: chosen.pid } }
    : { ui: { ...next, notice: chosen.about } };
}

function consenting(ui: Ui, key: Key): Pressed {
  if (key.input === 'y') return { ui, command: { do: 'consent', given: true } };
  if (key.input === 'n' || key.name === 'escape') return { ui, command: { do: 'consent', given: false } };
  return { ui: { ...ui, notice: 'Answer y (take the reading) or n (go without it).' } };
}

function plainKey(ui: Ui, key: Key, world: World, size: Size): Pressed {
  if (key.name === 'paste')
    return { ui: { ...ui, notice: 'Pasted text goes where you type: a asks, / filters, : is a command.' } };
  if (key.name === 'left' || key.name === 'right') return sideways(ui, key.name, world, size);
  const digit = SCREENS[Number(key.input) - 1];
  if (digit) return { ui: { ...ui, screen: digit } };
  if (key.name === 'tab') return { ui: { ...ui, screen: neighbour(ui.screen, key.shift ? -1 : 1) } };
  if (key.name === 'escape') return { ui: back(ui) };
  if (key.name === 'return') return { ui: isOpened(ui) ? (toggled(world, ui, size) ?? ui) : enter(ui, world) };
  if (key.input === '}' || key.input === '{') return { ui: toSection(ui, key.input === '}' ? 1 : -1, world, size) };
  const motion = motionOf(key, bodySize(size).rows - 1);
  if (motion) return { ui: move(ui, motion, world, size) };
  if (isOpened(ui) && (key.input === 'o' || key.input === 'c')) return openedLetter(ui, key.input, world, size);
  return letter(ui, key.input, world);
}

/** In a tree: in and out of it. Elsewhere, in a replay: along the time line. */
function sideways(ui: Ui, way: 'left' | 'right', world: World, size: Size): Pressed {
  const there = isOpened(ui) ? (way === 'right' ? inwards : outwards)(world, ui, size) : undefined;
  if (there || !world.replay) return { ui: there ?? ui };
  return { ui, command: { do: 'seek', to: seekTo(world.replay, way === 'right' ? 1 : -1) } };
}

function openedLetter(ui: Ui, input: 'o' | 'c', world: World, size: Size): Pressed {
  if (input === 'o') return { ui: allToggled(world, ui, size) };
  const { rows, line, node } = openedAt(world, ui, size);
  const text = node?.label.trim() ?? plain(rows[line]?.line ?? []).trim();
  if (text === '') return { ui: { ...ui, notice: 'There is nothing on this line to copy.' } };
  return { ui: { ...ui, notice: 'The line is copied.' }, command: { do: 'copy', text } };
}

function letter(ui: Ui, input: string, world: World): Pressed {
  if (world.replay) {
    const pressed = replayLetter(ui, input, world.replay);
    if (pressed) return pressed;
  } else {
    const pressed = liveLetter(ui, input, world);
    if (pressed) return pressed;
  }
  switch (input) {
    case 'q':
      return { ui, command: { do: 'quit' } };
    case '?':
      return { ui: { ...ui, overlay: { kind: 'help', scroll: 0 } } };
    case ':':
      return { ui: { ...ui, overlay: { kind: 'palette', input: '', index: 0 } } };
    case '/':
      return filtering(ui);
    case 'w':
      return { ui, command: { do: 'write-report', pinned: ui.pinned } };
    case 'c':
      return copy(ui, world);
    case 'e':
      return pin(ui, world);
    case 'M':
      return toggleMouse(ui);
    default:
      return { ui };
  }
}

function filtering(ui: Ui): Pressed {
  if (!FILTERED.includes(ui.screen)) return { ui: { ...ui, notice: 'Nothing to filter here: 2 and 3 have lists.' } };
  return { ui: { ...ui, overlay: { kind: 'filter', input: ui.filter } } };
}

function liveLetter(ui: Ui, input: string, world: World): Pressed | undefined {
  switch (input) {
    case 'a':
      return { ui: { ...ui, overlay: { kind: 'ask', input: '' } } };
    case 's':
      return openSkills(ui, world);
    case 'p':
      return underWay(world)
        ? { ui, command: { do: 'hold', held: !world.run.held } }
        : { ui: { ...ui, notice: `There is nothing to pause; ${BEGINS}` } };
    case 'i':
      return underWay(world)
        ? { ui, command: { do: 'interrupt', orLeave: false } }
        : { ui: { ...ui, notice: `There is nothing to conclude; ${BEGINS}` } };
    case 'r':
      return underWay(world)
        ? { ui: { ...ui, notice: 'It is still investigating; i concludes it.' } }
        : { ui, command: { do: 'rerun', reason: world.run.reason } };
    default:
      return undefined;
  }
}

const BEGINS = 'r investigates, s chooses who does.';

function replayLetter(ui: Ui, input: string, replay: Replay): Pressed | undefined {
  switch (input) {
    case ' ':
      return { ui, command: { do: 'play' } };
    case '+':
    case '-':
      return { ui, command: { do: 'faster', by: input === '+' ? 2 : 0.5 } };
    case '[':
    case ']':
      return { ui, command: { do: 'step', by: input === ']' ? 1 : -1, notable: false } };
    case 'n':
    case 'N':
      return { ui, command: { do: 'step', by: input === 'n' ? 1 : -1, notable: true } };
    case 'm':
      return { ui: { ...ui, marked: replay.at, notice: 'Marked: d compares this moment with another.' } };
    case 'd':
      return ui.marked === undefined
        ? { ui: { ...ui, notice: 'Mark a moment first (m), then go to another and press d.' } }
        : { ui: { ...ui, overlay: { kind: 'compare' } } };
    case 'a':
      return { ui: { ...ui, overlay: { kind: 'note', input: '' } } };
    default:
      return undefined;
  }
}

/** Twenty steps over a recorded run: each key press is seen, and the end is near. */
const SEEK_STEPS = 20;

function seekTo({ at, from, to }: Replay, direction: number): number {
  return Math.min(to, Math.max(from, at + (direction * (to - from)) / SEEK_STEPS));
}

function copy(ui: Ui, world: World): Pressed {
  const culprit = world.run.insights[0]?.culprit;
  const text = ui.screen === 'report' ? reportText(world) : culprit ? place(culprit) : undefined;
  if (text === undefined) return { ui: { ...ui, notice: 'There is nothing to copy yet.' } };
  return { ui: { ...ui, notice: 'Copied.' }, command: { do: 'copy', text } };
}

function pin(ui: Ui, world: World): Pressed {
  const id =
    ui.opened ?? (ui.screen === 'evidence' ? evidenceRows(world, ui.filter)[ui.cursor.evidence]?.id : undefined);
  if (id === undefined) return { ui: { ...ui, notice: 'Choose a piece of evidence (3) to pin.' } };
  if (ui.pinned.includes(id))
    return { ui: { ...ui, pinned: ui.pinned.filter(p => p !== id), notice: `${id} is no longer pinned.` } };
  return { ui: { ...ui, pinned: [...ui.pinned, id], notice: `${id} is pinned to the report.` } };
}

function neighbour(screen: Screen, step: number): Screen {
  const at = (SCREENS.indexOf(screen) + step + SCREENS.length) % SCREENS.length;
  return SCREENS[at] ?? 'overview';
}

/** Escape always goes back one step and never leaves the program. */
function back(ui: Ui): Ui {
  if (ui.filter !== '') return { ...ui, filter: '' };
  if (ui.opened !== undefined) {
    const { opened: _closed, ...rest } = ui;
    return { ...rest, ...unread(ui) };
  }
  return { ...ui, screen: 'overview' };
}

function enter(ui: Ui, world: World): Ui {
  if (ui.screen === 'overview') return { ...ui, screen: world.run.insights.length > 0 ? 'report' : 'investigation' };
  if (ui.screen !== 'evidence') return ui;
  const row = evidenceRows(world, ui.filter)[ui.cursor.evidence];
  return row ? opening(ui, row.id) : ui;
}

/** Shows one piece of evidence from its beginning, folded as it comes. */
export function opening(ui: Ui, id: string): Ui {
  return { ...ui, ...unread(ui), screen: 'evidence', opened: id, filter: '' };
}

function unread(ui: Ui): Pick<Ui, 'line' | 'folds' | 'scroll'> {
  return { line: 0, folds: { own: {} }, scroll: { ...ui.scroll, evidence: 0 } };
}

/** Lists move a cursor; opened evidence, sources and reports scroll. */
function move(ui: Ui, motion: Motion, world: World, size: Size): Ui {
  const room = bodySize(size);
  if (isOpened(ui)) {
    const { rows, line } = openedAt(world, ui, size);
    return atLine(ui, moved(line, motion, rows.length), rows.length, room.rows);
  }
  const text = scrolledLines(world, ui, room.columns);
  if (text) {
    const places = Math.max(0, text.length - room.rows) + 1;
    return { ...ui, scroll: { ...ui.scroll, [ui.screen]: moved(ui.scroll[ui.screen], motion, places) } };
  }
  return { ...ui, cursor: { ...ui.cursor, [ui.screen]: moved(ui.cursor[ui.screen], motion, listLength(ui, world)) } };
}

function listLength(ui: Ui, world: World): number {
  if (ui.screen === 'evidence') return evidenceRows(world, ui.filter).length;
  if (ui.screen === 'investigation') return operatorRows(world, ui.filter).length;
  return world.run.insights.length;
}

type Input = Exclude<Overlay, { kind: 'none' | 'help' | 'compare' | 'skills' }>;

function typing(ui: Ui, overlay: Input, key: Key, world: World): Pressed {
  if (key.name === 'escape')
    return { ui: { ...ui, overlay: NONE, ...(overlay.kind === 'filter' ? { filter: '' } : {}) } };
  if (key.name === 'return') return submit({ ...ui, overlay: NONE }, overlay, world);
  const down = key.name === 'down' || key.name === 'wheelDown';
  if (overlay.kind === 'palette' && (down || key.name === 'up' || key.name === 'wheelUp')) {
    const count = paletteRows(overlay.input, world).length;
    const index = moved(overlay.index, { by: down ? 1 : -1 }, count);
    return { ui: { ...ui, overlay: { ...overlay, index } } };
  }
  const input =
    key.name === 'backspace'
      ? [...overlay.input].slice(0, -1).join('')
      : `${overlay.input}${printable(key.input)}`.slice(0, MAX_TYPED);
  const next: Ui = {
    ...ui,
    overlay: overlay.kind === 'palette' ? { ...overlay, input, index: 0 } : { ...overlay, input },
  };
  return { ui: overlay.kind === 'filter' ? { ...next, filter: input } : next };
}

/** A line of a screen is enough for a question. */
const MAX_TYPED = 200;

/** Pasted text may hold anything: what is not printable is left out, and a screen line is enough. */
function printable(input: string): string {
  return input
    .replace(/\s+/g, ' ')
    .replace(/[^\p{L}\p{N}\p{P}\p{S} ]/gu, '')
    .slice(0, MAX_TYPED);
}

function submit(ui: Ui, overlay: Input, world: World): Pressed {
  const text = overlay.input.trim();
  if (overlay.kind === 'filter') return { ui: { ...ui, filter: text, cursor: { ...ui.cursor, [ui.screen]: 0 } } };
  if (overlay.kind === 'note') return text === '' ? { ui } : { ui, command: { do: 'annotate', text } };
  if (overlay.kind === 'ask') return text === '' ? { ui } : { ui, command: { do: 'ask', text } };
  const row = paletteRows(overlay.input, world)[overlay.index];
  return row ? row.run(ui, world) : { ui: { ...ui, notice: `There is no command “${text}”.` } };
}
