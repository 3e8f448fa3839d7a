// Captured stacks become rows of a table, after the window and outside of all hooks.
import type { AsyncFrame } from '../../model/evidence/async-dump.js';
import { type Captured, sitesOf } from '../stack.js';

interface Site {
  getFileName(): string | null | undefined;
  getFunctionName(): string | null;
  getTypeName(): string | null;
  getLineNumber(): number | null;
  getColumnNumber(): number | null;
  isConstructor(): boolean;
  isAsync?(): boolean;
  isPromiseAll?(): boolean;
}

const OWN = 'lens:';

/** Distinct frames of all stacks; a stack is a list of indices into them, innermost first. */
export class Frames {
  readonly list: AsyncFrame[] = [];
  private readonly known = new Map<string, number>();

  /** Reads a captured stack without running the program's own prepareStackTrace. */
  read(holder: Captured): number[] {
    const sites = sitesOf([holder])[0] ?? [];
    return sites.map(site => this.indexOf(site as Site)).filter(index => index >= 0);
  }

  private indexOf(site: Site): number {
    const combinator = site.isPromiseAll?.() ?? false;
    const url = combinator ? '' : (site.getFileName() ?? '');
    if (url.startsWith(OWN)) return -1;
    const name = combinator ? 'Promise.all' : nameOf(site, url);
    const frame = {
      function: name,
      url,
      line: site.getLineNumber() ?? 0,
      column: site.getColumnNumber() ?? 0,
      suspended: site.isAsync?.() ?? false,
    };
    const key = `${frame.function}|${url}|${frame.line}|${frame.column}|${frame.suspended}`;
    const known = this.known.get(key);
    if (known !== undefined) return known;
    this.known.set(key, this.list.length);
    return this.list.push(frame) - 1;
  }
}

function nameOf(site: Site, url: string): string {
  const name = site.getFunctionName() ?? '';
  if (site.isConstructor()) return `new ${name}`;
  // A built-in's frame says only `then` or `race`: the receiver's type makes it `Promise.then`.
  return url ? name : `${typeName(site)}.${name}`;
}

function typeName(site: Site): string {
  try {
    return site.getTypeName() ?? '';
  } catch {
    return '';
  }
}
