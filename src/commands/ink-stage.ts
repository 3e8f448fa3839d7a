import { render } from 'ink';
import { createElement } from 'react';
import { App, type Stage } from '../tui/app.js';
import type { FrameSink } from './terminal.js';

/** Mounts the app on the sink, which gets every frame whole. Returns the way to end it. */
export function mount(stage: Stage, sink: FrameSink): () => void {
  const ink = render(createElement(App, { stage }), {
    // Ink reads size, isTTY and write of its stdout, and listens to its resize: all of that the sink has.
    stdout: sink as unknown as NodeJS.WriteStream,
    exitOnCtrlC: false,
    patchConsole: false,
    debug: true,
  });
  return () => ink.unmount();
}
