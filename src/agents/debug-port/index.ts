import type { InstallPart } from '../host.js';

/** Gives the process its inspector's port back (the one SIGUSR1 opens) when lens leaves or is gone. */
const install: InstallPart<{ readonly port: number }> = (host, { port }) => {
  const proc = host.require('node:process') as NodeJS.Process;
  return {
    dispose() {
      proc.debugPort = port;
    },
  };
};

export default install;
