import { sayBytes, sayCount, sayMs } from '../../base/say.js';
import type { Exceptions, ThrowSite } from '../../model/evidence/exceptions.js';
import type { InFlight } from '../../model/evidence/in-flight.js';
import type { Logs } from '../../model/evidence/logs.js';
import type { Suspended } from '../../model/evidence/suspended.js';
import type { EvidenceSection } from '../../tui/world.js';
import { frameText } from './handles.js';

export function logsSections(data: Logs): EvidenceSection[] {
  return [
    {
      kind: 'table',
      title: `${sayCount(data.lines)} lines, ${sayBytes(data.bytes)} in ${sayMs(data.seconds * 1000)}`,
      columns: ['lines', 'level', 'template', 'where'],
      rows: data.groups.map(g => [sayCount(g.count), g.level, g.template, frameText(g.frames[0])]),
    },
    {
      kind: 'table',
      title: 'Newest first',
      columns: ['time', 'level', 'message'],
      rows: data.recent.map(r => [new Date(r.at).toISOString().slice(11, 23), r.level, r.message]),
    },
  ];
}

export function exceptionsSections(data: Exceptions): EvidenceSection[] {
  const table = (title: string, sites: readonly ThrowSite[]): EvidenceSection => ({
    kind: 'table',
    title,
    columns: ['count', 'type', 'message', 'where'],
    rows: sites.map(s => [sayCount(s.count), s.type, s.message, frameText(s.frames[0])]),
  });
  return [
    table(`Caught by nobody: ${data.uncaught.count}`, data.uncaught.sites),
    table(`Rejections nobody handled: ${data.rejections.count}`, data.rejections.sites),
    ...(data.caught ? [table('Thrown and caught, by sample', data.caught.sites)] : []),
  ];
}

export function inFlightSections(data: InFlight): EvidenceSection[] {
  return [
    {
      kind: 'table',
      title: 'Requests the program is working on',
      columns: ['open', 'longest', 'method', 'route'],
      rows: data.routes.map(r => [String(r.count), sayMs(r.heldMs), r.method, r.route]),
    },
    {
      kind: 'table',
      title: 'Calls it waits for',
      columns: ['open', 'state', 'method', 'where'],
      rows: data.outgoing.map(o => [String(o.count), o.state, o.method, `${o.host}${o.path}`]),
    },
  ];
}

export function suspendedSections(data: Suspended): EvidenceSection[] {
  return [
    {
      kind: 'table',
      title: `What waits, innermost first (${sayCount(data.chains)} in all)`,
      columns: ['count', 'by a timer', 'with a request', 'where'],
      rows: data.stacks.map(({ count, timed, serving, frames }) => [
        sayCount(count),
        sayCount(timed),
        sayCount(serving),
        frames.map(frame => `${frame.function || '(anonymous)'} ${frame.url}:${frame.line}`).join(' ← '),
      ]),
    },
  ];
}
