import { Command, CommanderError } from 'commander';
import { EXIT, exitOfError } from './commands/exit.js';
import { LensError } from './model/error.js';
import { version } from './version.js';

interface Entry {
  readonly name: string;
  readonly usage: string;
  readonly about: string;
  readonly load: () => Promise<Command>;
}

/** Every command is loaded only when it is called, so that `lens --help` costs little more than `node -e 0`. */
const COMMANDS: readonly Entry[] = [
  {
    name: 'ps',
    usage: '[--json]',
    about: 'the Node processes lens can see, and whether it may attach to each',
    load: async () => (await import('./commands/ps.js')).psCommand(),
  },
  {
    name: 'attach',
    usage: '[pid]',
    about: 'watch the investigation live in the terminal',
    load: async () => (await import('./commands/attach.js')).attachCommand(),
  },
  {
    name: 'run',
    usage: '[target] [--reason TEXT] [--json]',
    about: 'investigate a process and report the cause',
    load: async () => (await import('./commands/run.js')).runCommand(),
  },
  {
    name: 'check',
    usage: '[target] [--for 30s] [--load CMD] [-- cmd…]',
    about: 'a bounded health check for pipelines',
    load: async () => (await import('./commands/check.js')).checkCommand(),
  },
  {
    name: 'watch',
    usage: '[pid | --name PATTERN | --tree PID | --all]',
    about: 'watch processes: baselines, alerts, restarts, sinks',
    load: async () => (await import('./commands/watch.js')).watchCommand(),
  },
  {
    name: 'config',
    usage: 'print [--json]',
    about: 'every setting, and where it came from',
    load: async () => (await import('./commands/config.js')).configCommand(),
  },
  {
    name: 'ask',
    usage: '[target] "question"',
    about: 'a quick answer about a process, or about a finished run',
    load: async () => (await import('./commands/ask.js')).askCommand(),
  },
  {
    name: 'mcp',
    usage: '',
    about: 'serve the same read-only tools to an assistant, on stdio',
    load: async () => (await import('./commands/mcp.js')).mcpCommand(),
  },
  {
    name: 'trace',
    usage: '<pid> FILE:LINE|FUNCTION …',
    about: 'what happens at a line or in a function, without pausing the process',
    load: async () => (await import('./commands/trace.js')).traceCommand(),
  },
  {
    name: 'skills',
    usage: '[--json]',
    about: 'what lens can look at, and what it can ask',
    load: async () => (await import('./commands/skills.js')).skillsCommand(),
  },
  {
    name: 'report',
    usage: 'RUN [--output FMT=FILE]',
    about: 'render a recorded run again',
    load: async () => (await import('./commands/report.js')).reportCommand(),
  },
  {
    name: 'replay',
    usage: 'RUN',
    about: 'the screens of a recorded run, with a time line',
    load: async () => (await import('./commands/replay.js')).replayCommand(),
  },
  {
    name: 'doctor',
    usage: '[--pid N]',
    about: 'why lens can or cannot attach here',
    load: async () => (await import('./commands/doctor.js')).doctorCommand(),
  },
  {
    name: 'heap',
    usage: 'FILE | diff A B [C]',
    about: 'who holds the memory in a heapSnapshot file',
    load: async () => (await import('./commands/heap.js')).heapCommand(),
  },
  {
    name: 'cpu',
    usage: 'FILE.cpuprofile [--diff LATER] [--output FMT=FILE]',
    about: 'where the time went in a CPU profile',
    load: async () => (await import('./commands/cpu.js')).cpuCommand(),
  },
  {
    name: 'demo',
    usage: '',
    about: 'start a bundled sick server, investigate it, print the report',
    load: async () => (await import('./commands/demo.js')).demoCommand(),
  },
];

function program(): Command {
  const lens = new Command('lens')
    .description('The on-call engineer for a running Node process: attaches to a live pid and names the true cause.')
    .version(version, '-V, --version')
    .exitOverride()
    .showHelpAfterError('(lens --help shows what there is)')
    .addHelpText('after', HELP);
  for (const entry of COMMANDS)
    lens
      .command(entry.name)
      .usage(entry.usage)
      .description(entry.about)
      .helpOption(false)
      .allowUnknownOption()
      .allowExcessArguments()
      .argument('[args...]');
  return lens;
}

const HELP = `
A target is named by --pid N, --port N, --url ws://…, --name PATTERN, or -- cmd args…;
with none of these: the only Node process besides lens.

Examples:
  lens ps
  lens run --pid 4242 --reason "high memory"
  lens run --name api/server.js --json > report.json
  lens demo

Exit codes: 0 nothing at or above --fail-on, 1 something is, 2 usage, 3 inconclusive,
4 a model was required and there is none, 5 cannot attach, 6 target lost, 70 a bug in lens, 130/143/129 after a signal.`;

async function main(argv: readonly string[]): Promise<void> {
  const [name, ...args] = argv;
  const entry = COMMANDS.find(command => command.name === (name === 'help' ? args[0] : name));
  if (!entry) {
    await program().parseAsync(argv.length === 0 ? ['--help'] : [...argv], { from: 'user' });
    return;
  }
  const command = (await entry.load())
    .exitOverride()
    .showHelpAfterError(`(lens ${entry.name} --help shows what there is)`);
  await command.name(`lens ${entry.name}`).parseAsync(name === 'help' ? ['--help'] : args, { from: 'user' });
}

/** A reader that closed the pipe has what it wanted: that is no error of ours. */
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  // A run under way listens too: it ends its reading and leaves the target in order.
  if (error.code === 'EPIPE' && process.stdout.listenerCount('error') > 1) return;
  if (error.code === 'EPIPE') process.exit(process.exitCode ?? EXIT.done);
  throw error;
});

/** Progress that cannot be written (a full disk, a closed terminal) must end nothing: Node throws at once for a file. */
function tolerateStderr(): void {
  const write = process.stderr.write.bind(process.stderr) as (...all: unknown[]) => boolean;
  process.stderr.on('error', () => undefined);
  process.stderr.write = (...all: unknown[]): boolean => {
    try {
      return write(...all);
    } catch {
      return true;
    }
  };
}

/** A bug of ours must not cost the target anything: its connections are closed in order before lens ends. */
async function failHard(error: unknown): Promise<void> {
  process.exitCode = fail(error);
  const { leaveAtOnce } = await import('./commands/signals.js');
  await leaveAtOnce(process.exitCode);
}
process.on('uncaughtException', error => void failHard(error));
process.on('unhandledRejection', error => void failHard(error));

try {
  tolerateStderr();
  await main(process.argv.slice(2));
} catch (error) {
  process.exitCode = fail(error);
}

/** stdout is a file on a full disk, or a device that takes nothing. */
function isUnwritten(error: unknown): error is NodeJS.ErrnoException {
  const { syscall, code } = (error ?? {}) as NodeJS.ErrnoException;
  return syscall === 'write' && ['ENOSPC', 'EIO', 'EDQUOT', 'EFBIG', 'EBADF'].includes(code ?? '');
}

function fail(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage;
  if (error instanceof LensError) {
    if (process.argv.some(arg => arg === '--json' || arg === '--json=stream'))
      process.stdout.write(
        `${JSON.stringify({ error: { code: error.code, message: error.message, hint: error.hint ?? null } })}\n`,
      );
    process.stderr.write(`lens: ${error.message}${error.hint ? `\n      ${error.hint}` : ''}\n`);
    return exitOfError(error);
  }
  if (isUnwritten(error)) {
    process.stderr.write(
      `lens: The output could not be written: ${error.message}.\n      Is the disk full? A run is kept all the same: \`lens report RUN\` prints it again.\n`,
    );
    return EXIT.inconclusive;
  }
  process.stderr.write(
    `lens: this is a bug in lens, please report it.\n${error instanceof Error ? error.stack : String(error)}\n`,
  );
  return EXIT.bug;
}
