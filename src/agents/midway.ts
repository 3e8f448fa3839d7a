import { capture, sitesOf } from './stack.js';

/** Subscribers may be called from deep inside of whatever publishes; their own frames rarely reach deeper. */
const DEPTH = 60;

/**
 * True when the inspector interrupted Node's own code: a list of listeners, subscribers or timers may be half walked,
 * and changing it then crashes the program (Node 18's Channel.publish) or skips one of its listeners.
 */
export function isMidway(): boolean {
  const beneath = (sitesOf([capture(isMidway, DEPTH)])[0] ?? []).filter(isOfOthers);
  const interrupted = beneath[0];
  return interrupted !== undefined && (isNodes(interrupted) || beneath.some(isPublish));
}

const fileOf = (site: NodeJS.CallSite): string => site.getFileName() ?? '';
const isNodes = (site: NodeJS.CallSite): boolean => fileOf(site).startsWith('node:');

/** V8's builtins have no file. */
const isOfOthers = (site: NodeJS.CallSite): boolean => fileOf(site) !== '' && !fileOf(site).startsWith('lens:');

/** Node 18 walks the live list, so that also a subscriber of the program's may be on top. */
const isPublish = (site: NodeJS.CallSite): boolean =>
  fileOf(site) === 'node:diagnostics_channel' && site.getFunctionName() === 'publish';
