import { callsOfPackage } from './bindings.js';
import { type CallSite, callSites, callsInFunction } from './calls.js';
import { ownerName } from './names.js';
import type { TextPosition } from './syntax.js';

/** What a description of data is asked, once it is built. */
const ASKS = /^(validate|parse|safeParse|cast|attempt)(Sync|Async)?$/;
/** Fewer calls build no description: one makes a value or reads a text. */
const LEAST_CALLS = 3;

/** True for the method by which a built description is used. */
export const asksSchema = (method: string): boolean => ASKS.test(method.split('.').at(-1) ?? '');

/**
 * True when the function at a position builds a description with a package (`Joi.object({ … })`, `z.object({ … })`) that
 * is asked where it was built, or by those who call the function, and then dropped: `shapeOf(tenant).validate(body)`.
 */
export function buildsSchema(text: string, { line0, column0 }: TextPosition, packageName: string): boolean {
  const inside = callsInFunction(text, line0, column0);
  const calls = callsOfPackage(text, packageName).filter(call => inside.some(one => isSame(one, call)));
  if (calls.filter(({ kind }) => kind === 'call').length < LEAST_CALLS) return false;
  const name = ownerName(text, line0, column0)?.split('.').at(-1);
  const roots = [...new Set(calls.map(({ callee }) => /[\w$]+/.exec(callee)?.[0] ?? '')), ...(name ? [name] : [])];
  const asked = callSites(text).filter(({ method, kind }) => kind === 'call' && asksSchema(method));
  return asked.some(({ callee }) => roots.some(root => isBuiltBy(text, callee, root)));
}

const isSame = (a: CallSite, b: CallSite): boolean => a.line0 === b.line0 && a.column0 === b.column0;

/** `root().validate`, `this.root().validate`, `root.object().parse`, or `shape.validate` after `shape = root…(`. */
function isBuiltBy(text: string, callee: string, root: string): boolean {
  const made = `${root.replace(/\$/g, '\\$')}\\b[\\w$.]*\\(`;
  if (new RegExp(`(^|[^\\w$])${made}`).test(callee)) return true;
  const variable = /^[\w$]+(?=\.\w+$)/.exec(callee)?.[0];
  const declared =
    variable &&
    `\\b(?:const|let|var)\\s+${variable.replace(/\$/g, '\\$')}\\s*=\\s*(?:await\\s+)?(?:[\\w$]+\\.)*${made}`;
  return declared !== undefined && new RegExp(declared).test(text);
}
