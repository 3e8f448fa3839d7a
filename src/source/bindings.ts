import { type CallSite, callSites } from './calls.js';

/** Variables that a script binds to a package by import or require. */
export function boundNames(text: string, packageName: string): string[] {
  const quoted = `["'\`]${packageName.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&')}(?:/[^"'\`]*)?["'\`]`;
  const required = new RegExp(`(?:const|let|var)\\s+([\\w$]+|\\{[^}]*\\})\\s*=[^;\\n]*?require\\(${quoted}\\)`, 'g');
  const imported = new RegExp(`import\\s+([^;'"]*?)\\s+from\\s*${quoted}`, 'g');
  const clauses = [...text.matchAll(required), ...text.matchAll(imported)].map(match => match[1] ?? '');
  return clauses.flatMap(clause => clause.match(/[\w$]+(?=\s*(?:,|\}|$))/g) ?? []);
}

/** True for a callee that begins with a variable, also as compilers write it: `(0, variable.call)`. */
export const isCalledOn = (callee: string, variable: string): boolean =>
  new RegExp(`(^|[^\\w$.])${variable.replace(/[$]/g, '\\$')}($|[^\\w$])`).test(callee);

/** True for a callee that compilers name after a package: `(0, import_p_map.default)`, `p_map_1.default`. */
export function isNamedAfter(callee: string, packageName: string): boolean {
  const name = (packageName.split('/').at(-1) ?? '').replace(/\W/g, '_');
  return new RegExp(`(^|[^\\w$.]|_)${name}(_|\\b)`).test(callee);
}

/** Calls of what a script binds to a package, those within functions before what runs once when the script is loaded. */
export function callsOfPackage(text: string, packageName: string): CallSite[] {
  const bound = boundNames(text, packageName);
  if (bound.length === 0) return [];
  const calls = callSites(text).filter(
    ({ kind, callee }) => (kind === 'call' || kind === 'new') && bound.some(name => isCalledOn(callee, name)),
  );
  return [...calls.filter(({ within }) => within >= 0), ...calls.filter(({ within }) => within < 0)];
}

/** Variables that the script at `url` binds to a file of the application: `const pool = require('./db')`. */
export function namesOfModule(text: string, url: string, file: string): string[] {
  const specifiers = [...text.matchAll(/(?:require\(|\bfrom\s*)["'`](\.[^"'`]*)["'`]/g)].map(match => match[1] ?? '');
  const fitting = specifiers.filter(
    specifier => withoutEnding(resolved(specifier, url)) === withoutEnding(pathOf(file)),
  );
  return [...new Set(fitting)].flatMap(specifier => boundNames(text, specifier));
}

const pathOf = (url: string): string => url.replace(/^file:\/\//, '');
const withoutEnding = (path: string): string => path.replace(/(?:\/index)?\.[cm]?[jt]sx?$/, '');

function resolved(specifier: string, url: string): string {
  const steps = pathOf(url).split('/').slice(0, -1);
  for (const step of specifier.split('/')) {
    if (step === '..') steps.pop();
    else if (step !== '.') steps.push(step);
  }
  return steps.join('/');
}
