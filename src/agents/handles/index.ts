import type { InstallPart, Part } from '../host.js';
import { Inside } from '../inside.js';
import { CreatorWatch, type Wanted } from './creators.js';
import { describer } from './describe.js';
import type { RawCreators, RawReading } from './raw.js';
import { Timers } from './timers.js';
import { HandleWindow } from './window.js';

/** A server with more open handles than this is counted by type only. */
const MAX_HANDLES = 20_000;
const MAX_WINDOWS = 8;

/** Methods of the part `handles`. */
export interface HandlesPart extends Part {
  /** One reading in the asker's window; the first one opens it. */
  read(asker: string): RawReading;
  close(asker: string): void;
  /** Begins to record where handles are made. */
  watch(wanted: Wanted): void;
  /** Ends the recording and tells. */
  creators(): RawCreators;
}

interface ActiveHandles {
  readonly _getActiveHandles?: () => object[];
}

const install: InstallPart = (host): HandlesPart => {
  const proc = host.require('node:process') as NodeJS.Process;
  const active = (proc as unknown as ActiveHandles)._getActiveHandles; // undocumented, since Node 0.9
  const describe = describer(host);
  const inside = new Inside(host);
  const timers = new Timers(host, inside);
  const windows = new Map<string, HandleWindow>();
  const handles = (): object[] => active?.call(proc) ?? [];
  let watch: CreatorWatch | undefined;

  const windowOf = (asker: string): HandleWindow => {
    const known = windows.get(asker);
    if (known !== undefined) return known;
    const oldest = windows.keys().next();
    if (windows.size >= MAX_WINDOWS && !oldest.done) windows.delete(oldest.value);
    const fresh = new HandleWindow(describe);
    windows.set(asker, fresh);
    return fresh;
  };

  return {
    read(asker) {
      const all = handles();
      const now = host.now();
      const looked = all.slice(0, MAX_HANDLES);
      const timer = timers.read();
      return {
        now,
        uptimeSeconds: proc.uptime(),
        groups: windowOf(asker).read(looked, now),
        timers: timer.timers,
        timerTotal: timer.total,
        listeners: looked.map(handle => describe.listener(handle)).filter(listener => listener !== undefined),
        ...countResources(proc),
        truncated: all.length > MAX_HANDLES || timer.truncated,
        timerFault: timer.fault,
      };
    },
    close(asker) {
      windows.delete(asker);
    },
    watch(wanted) {
      watch?.stop();
      watch = new CreatorWatch(host, inside, () => handles().map(handle => describe.native(handle) ?? handle), wanted);
    },
    creators() {
      const told = watch?.stop() ?? { creators: [], clientRequests: 0 };
      watch = undefined;
      return told;
    },
    dispose() {
      watch?.stop();
      watch = undefined;
      windows.clear();
      inside.dispose();
    },
  };
};

/** Names of operations under way among the active resources; all others are handles and timers. */
const REQUEST_ENDS = ['Req', 'ReqWrap', 'ReqCallback', 'ReqPromise', 'ConnectWrap', 'SendWrap'];
const REQUESTS = ['WriteWrap', 'ShutdownWrap'];

const isRequest = (type: string): boolean => REQUESTS.includes(type) || REQUEST_ENDS.some(end => type.endsWith(end));

function countResources(proc: NodeJS.Process): Pick<RawReading, 'resources' | 'requests'> {
  const resources: { [type: string]: number } = {};
  const requests: { [type: string]: number } = {};
  for (const type of proc.getActiveResourcesInfo()) {
    const into = isRequest(type) ? requests : resources;
    into[type] = (into[type] ?? 0) + 1;
  }
  return { resources, requests };
}

export default install;
