// Bundles each agent (src/agents/NAME/index.ts) into the one script that is evaluated in a target (dist/agents/NAME.js).
import { readdirSync } from 'node:fs';
import { build } from 'esbuild';

const root = new URL('..', import.meta.url).pathname;

export async function buildAgents() {
  const agents = readdirSync(`${root}src/agents`, { withFileTypes: true }).filter(entry => entry.isDirectory());
  const built = await Promise.allSettled(agents.map(({ name }) => buildAgent(name)));
  const broken = built.find(({ status }) => status === 'rejected');
  if (broken) throw broken.reason;
}

// A target may be Node 18: what is injected is written down to its syntax.
const buildAgent = name =>
  build({
    entryPoints: [`${root}src/agents/${name}/index.ts`],
    outfile: `${root}dist/agents/${name}.js`,
    bundle: true,
    format: 'iife',
    globalName: '__lensPart',
    platform: 'neutral',
    target: 'node18',
    minifyWhitespace: true,
    minifySyntax: true,
    logLevel: 'warning',
  });

/** For vitest: an agent that does not compile fails the tests that use it, not every test. */
export const setup = () => buildAgents().catch(() => {}); // esbuild has printed why
