import { LensError } from '../model/error.js';

const LIST = '`lens ps` lists the Node processes lens can see.';
const START_OPEN = 'Start it with `--inspect=127.0.0.1:0` (or NODE_OPTIONS) and attach again';

export const notLinux = (pid: number) =>
  new LensError(
    'inspector-not-opened',
    `Whether SIGUSR1 would kill process ${pid} can only be seen on Linux (/proc), so lens does not send it.`,
    `Send it yourself (\`kill -USR1 ${pid}\`), then use \`--port 9229\`; or start the program with --inspect.`,
  );

export const noSuchProcess = (pid: number) => new LensError('target-not-found', `No process has pid ${pid}.`, LIST);

export const zombie = (pid: number, parentPid: number) =>
  new LensError(
    'target-zombie',
    `Process ${pid} has ended; it is a zombie until its parent ${parentPid} collects it.`,
    `Look at the parent: \`ps -p ${parentPid}\`.`,
  );

export const stopped = (pid: number, state: string) =>
  new LensError(
    'target-stopped',
    `Process ${pid} is stopped (state ${state} in /proc/${pid}/status): ${state === 't' ? 'a debugger holds it' : 'it got SIGSTOP or Ctrl-Z'}.`,
    state === 't' ? 'Let the debugger go on, then attach.' : `Let it go on with \`kill -CONT ${pid}\`, then attach.`,
  );

export const otherUser = (pid: number, uid: number) =>
  new LensError(
    'target-not-permitted',
    `Process ${pid} belongs to user ${uid}, lens runs as user ${process.getuid?.() ?? '?'}.`,
    `Run lens as that user: \`sudo -u '#${uid}' lens run --pid ${pid}\`. An inspector that is already open is reached with \`--port\`.`,
  );

export const closed = (pid: number, uid: number) =>
  new LensError(
    'target-not-permitted',
    `Process ${pid} (user ${uid}) is closed to lens: /proc/${pid}/exe cannot be read, although lens runs as user ${process.getuid?.() ?? '?'}.`,
    'It is a thread of the kernel, or this container may not look into others: start it with `--cap-add SYS_PTRACE`.',
  );

export const otherRuntime = (pid: number, name: string) =>
  new LensError(
    'target-not-node',
    `Process ${pid} is ${name}, not Node; lens reads V8 through Node's own inspector.`,
    LIST,
  );

export const notNode = (pid: number, command: string) =>
  new LensError(
    'target-not-node',
    `Process ${pid} (${command || 'no command line'}) is not a Node process: SIGUSR1 would end it, so none was sent.`,
    LIST,
  );

export const signalDisabled = (pid: number, flag: string | undefined) =>
  new LensError(
    'inspector-disabled',
    flag === undefined
      ? `Process ${pid} opens no inspector on SIGUSR1: Node's signal thread does not wait in it.`
      : `Process ${pid} was started with ${flag}: Node opens no inspector on SIGUSR1 then.`,
    flag?.includes('permission') ? `${START_OPEN}; Node 24 and later also take --allow-inspector.` : `${START_OPEN}.`,
  );

export const handlerRemoved = (pid: number) =>
  new LensError(
    'inspector-disabled',
    `Process ${pid} added and removed its own SIGUSR1 handler, and with it Node's: the signal would end it, so none was sent.`,
    `${START_OPEN}.`,
  );

export const ownHandler = (pid: number) =>
  new LensError(
    'inspector-not-opened',
    `Process ${pid} is idle but opened no inspector on SIGUSR1: it most likely handles that signal itself.`,
    `${START_OPEN}.`,
  );

export const portTaken = (
  pid: number,
  port: number,
  holder: { pid: number; command: string; lens: boolean } | undefined,
) =>
  new LensError(
    'inspector-port-taken',
    `Process ${pid} would open its inspector on port ${port}, but ${
      holder
        ? `process ${holder.pid} (${holder.command}) listens there${holder.lens ? ' while another lens looks at it' : ''}`
        : 'that port is taken'
    }.`,
    holder?.lens
      ? 'Wait until that lens has detached, then attach again.'
      : `Free the port${holder ? ` (an inspector left open is closed by \`lens run --pid ${holder.pid}\`)` : ''}, or start the target with --inspect-port=0.`,
  );

export const otherNetwork = (pid: number) =>
  new LensError(
    'inspector-unreachable',
    `Process ${pid} lives in another network namespace (a container), and lens may not enter it.`,
    `Run lens inside: \`sudo nsenter -t ${pid} -n lens run --pid ${pid}\`, or \`docker exec\` / \`kubectl debug\` into it.`,
  );

export const unreachable = (host: string, port: number) =>
  new LensError(
    'inspector-unreachable',
    `No inspector answers on ${host}:${port}.`,
    'Is the program started with --inspect, and the port forwarded to here? `lens doctor --port` looks closer.',
  );

export const connectFailed = (url: string, cause: unknown) =>
  new LensError(
    'inspector-unreachable',
    `The inspector at ${url} took no connection: ${cause instanceof Error ? cause.message : String(cause)}.`,
    'The address changes with every start of the program; `--port` finds the current one.',
    { cause },
  );

export const wrongProcess = (pid: number, found: number) =>
  new LensError(
    'inspector-unreachable',
    `The inspector that lens found for process ${pid} belongs to process ${found}.`,
    'Attach again; if it stays so, give the address with `--url`.',
  );

export const locked = (pid: number, holder: { pid: number; command: string }) =>
  new LensError(
    'target-locked',
    `Another lens (pid ${holder.pid}: ${holder.command}) is looking at process ${pid}.`,
    "Two at a time would see each other's work as the program's. Wait for it, or end it with Ctrl-C.",
  );
