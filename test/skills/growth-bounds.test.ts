import { expect, test } from 'vitest';
import type { Suspect } from '../../src/heap/growth/suspects.js';
import type { PathStep } from '../../src/model/evidence/collection-growth.js';
import { boundsAt } from '../../src/skills/growth-bounds.js';
import { ScriptText } from '../../src/source/script.js';

const spot = { scriptId: '1', url: 'file:///srv/loads.js', line: 0, column: 0 };
const one: PathStep = { kind: 'map-value' };
const field: PathStep = { kind: 'private', name: '#last' };

function bounds(code: string, path: readonly PathStep[], kin?: number) {
  const script = new ScriptText({ scriptId: '1', url: spot.url, text: code, sha256: '' } as never); // its text only
  const suspect = { row: { path, ...(kin !== undefined && { kin }) } } as Suspect; // what bounds look at
  return boundsAt({ script, spot, name: '#last', below: [] }, suspect);
}

const TRIMMED = `class Loads {
  #last = new Map();
  take(load) {
    const of = this.#last.get(load.farm) ?? [];
    of.push(load);
    if (of.length > 40) of.splice(0, 20);
    this.#last.set(load.farm, of);
  }
}`;

test('a list in a map that its function trims under another name is bounded, each of so many', () => {
  expect(bounds(TRIMMED, [field, one], 30)).toMatchObject({
    sizeCheck: { limit: 40, each: 30 },
    removal: { line0: 5 },
  });
});

test('what trims the lists says nothing of the map that has them', () => {
  expect(bounds(TRIMMED, [field]).sizeCheck).toBeUndefined();
});

test('the same name in another function says nothing', () => {
  const code =
    'class A { #last = new Map(); add(k) { const of = this.#last.get(k); of.push(1); } }\nfunction f(of) { if (of.length > 9) of.shift(); }';
  expect(bounds(code, [field, one], 3).sizeCheck).toBeUndefined();
});
