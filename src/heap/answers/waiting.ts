import { isUserCode } from '../../base/script-url.js';
import { NAME_BITS } from '../parse/fast-edges.js';
import { TYPE_BITS } from '../parse/fast-nodes.js';
import type { Baseline } from './baseline.js';
import type { ScriptPlace, Scripts } from './scripts.js';
import type { HeapView } from './view.js';

/** V8's record of a function that waits (async, generator) has its registers, and says which function it is. */
const REGISTERS = 'parameters_and_registers';

/** Functions of the program of which one call has been waiting, or on its way, since before the oldest file. */
export function longWaiting(view: HeapView, scripts: Scripts, oldest: Baseline): ScriptPlace[] {
  const { file, facts } = view.heap;
  const { kind, firstEdge, label, id } = file;
  const [named] = [...file.strings.find([REGISTERS])];
  if (!named) return [];
  const wanted = ((facts.edge.internal << NAME_BITS) | named[0]) >>> 0;
  const places: ScriptPlace[] = [];
  for (let node = 0; node < view.nodeCount; node++) {
    if ((kind[node]! & TYPE_BITS) !== facts.node.object) continue;
    const [from, to] = [firstEdge[node]!, firstEdge[node + 1]!];
    let edge = from;
    while (edge < to && label[edge] !== wanted) edge++;
    if (edge === to || oldest.find(id[node]!) < 0) continue;
    const waiting = view.child(node, 'internal', 'function');
    const place = waiting === undefined ? undefined : scripts.place(waiting);
    if (place && isUserCode(place.url)) places.push(place);
  }
  return places;
}
