import { createInterface, type Interface } from 'node:readline';
import type { UiCommand } from '../tui/ui.js';
import { type AttachOptions, attachTo, leaveOnSignals, sayAfterwards, whereOrChoices } from './attach.js';
import { EXIT } from './exit.js';
import { LinearFace, MENU } from './linear-face.js';
import { Live } from './live.js';

/** The live investigation as lines, for screen readers and for terminals that only print: no boxes, no redrawing. */
export async function runLinear(options: AttachOptions): Promise<number> {
  const input = createInterface({ input: process.stdin, output: process.stdout, terminal: false });
  const face = new LinearFace(text => process.stdout.write(`${text}\n`), MENU);
  const live = new Live(face, NO_DOOR, options);
  face.view = id => live.view(id);
  let failure: Error | undefined;
  const release = leaveOnSignals(
    code => (code === EXIT.interrupted ? live.perform({ do: 'interrupt', orLeave: true }) : live.leave(code)),
    error => {
      failure ??= error;
    },
  );
  input.on('line', line => obey(face.understand(line), live));
  input.on('close', () => live.leave(EXIT.done));
  try {
    const start = await whereOrChoices(options);
    const where = 'where' in start ? start.where : await live.choose(start.choices);
    const code = where ? await live.run(where, attachTo(where, live.left, face)) : EXIT.done;
    if (failure) throw failure;
    return code;
  } finally {
    release();
    close(input);
    sayAfterwards(undefined, live.kept);
  }
}

const NO_DOOR = { copy: () => undefined, mouse: () => undefined, redraw: () => undefined, suspend: () => undefined };

function close(input: Interface): void {
  input.removeAllListeners('close');
  input.close();
}

function obey(command: UiCommand | undefined, live: Live): void {
  if (command) live.perform(command);
}
