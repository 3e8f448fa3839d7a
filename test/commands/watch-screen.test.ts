import { expect, test } from 'vitest';
import { launch } from '../launch.js';
import { LensTerminal } from '../tui/terminal.js';
import { world } from './watching.js';

test('in a terminal a watch is a screen: the alert appears, a target opens, and q gives the terminal back', async () => {
  await using stage = await world('library');
  await using target = await launch(stage.program);
  const home = { XDG_STATE_HOME: `${stage.home}/state`, XDG_CONFIG_HOME: stage.home };
  const args = ['watch', `${target.pid}`, '--interval', '200ms', '--no-investigate'];
  await using lens = new LensTerminal(args, { columns: 100, rows: 24 }, home, stage.home);
  await lens.until(/✔ healthy watching .*1 up[\s\S]*library\.mjs .* MB/);
  expect(lens.alternate).toBe(true);
  target.child.kill('SIGUSR2');
  await lens.until(/▲ warning watching[\s\S]*WARNING .*fds\.open is \d+, beyond 150/);
  lens.press('\r');
  await lens.until(/fds\.open +\d+ .*█/);
  lens.resize(70, 18);
  await lens.until(/esc back/);
  lens.press('q');
  expect(await lens.exited).toBe(0);
  expect(lens.alternate).toBe(false);
  expect(lens.text()).toMatch(/WARNING .*fds\.open[\s\S]*stopped: you have left/);
  expect(target.child.exitCode).toBeNull();
});
