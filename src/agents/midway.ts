import { capture, descend, sitesOf, wordsOf } from './stack.js';

/** Subscribers may be called from deep inside of whatever publishes; their own frames rarely reach deeper. */
const DEPTH = 60;

/**
 * True when the inspector interrupted Node's own code: a list of listeners, subscribers or timers may be half walked,
 * and changing it then crashes the program (Node 18's Channel.publish) or skips one of its listeners.
 */
export function isMidway(): boolean {
  const captured = capture(isMidway, DEPTH);
  const sites = sitesOf([captured])[0] ?? [];
  if (sites.length === 0) return isMidwayInWords(wordsOf(captured));
  const beneath = sites.filter(isOfOthers);
  const interrupted = beneath[0];
  return interrupted !== undefined && (isNodes(interrupted) || beneath.some(isPublish));
}

/** Where Error is frozen only the text of the stack is to be had. */
function isMidwayInWords(lines: readonly string[]): boolean {
  const beneath = lines.filter(line => !line.includes('lens:') && !line.includes('<anonymous>'));
  return beneath[0]?.includes('node:') === true || beneath.some(line => line.includes('publish (node:diagnostics_ch'));
}

/**
 * About 100 kB. V8 needs 40 to 70 kB to compile a function that is called the first time (measured on 18 to 26), and
 * lens' own calls a little. A program that recurses without end is interrupted close to its end as well, and what lens
 * does there would stop halfway.
 */
const LEVELS = 1_600;

/** False when the program's stack is nearly full. */
export function hasRoom(): boolean {
  try {
    return descend(LEVELS) === LEVELS;
  } catch {
    return false;
  }
}

const fileOf = (site: NodeJS.CallSite): string => site.getFileName() ?? '';
const isNodes = (site: NodeJS.CallSite): boolean => fileOf(site).startsWith('node:');

/** V8's builtins have no file. */
const isOfOthers = (site: NodeJS.CallSite): boolean => fileOf(site) !== '' && !fileOf(site).startsWith('lens:');

/** Node 18 walks the live list, so that also a subscriber of the program's may be on top. */
const isPublish = (site: NodeJS.CallSite): boolean =>
  fileOf(site) === 'node:diagnostics_channel' && site.getFunctionName() === 'publish';
