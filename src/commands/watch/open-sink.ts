import { LensError } from '../../model/error.js';
import { alertmanagerSink } from '../../sinks/alertmanager.js';
import { commandSink } from '../../sinks/command.js';
import { ndjsonSink } from '../../sinks/ndjson.js';
import { pagerDutySink } from '../../sinks/pagerduty.js';
import { prometheusSink } from '../../sinks/prometheus.js';
import type { Sink } from '../../sinks/sink.js';
import { slackSink } from '../../sinks/slack.js';
import { webhookSink } from '../../sinks/webhook.js';
import { fromEnvironment, type SinkSettings } from '../settings.js';

export interface SinkSeat {
  readonly now: () => number;
  readonly version: string;
  readonly env: NodeJS.ProcessEnv;
}

/** What is two ways out behind one entry of the settings, as two. */
export const eachSink = (sinks: readonly SinkSettings[]): readonly SinkSettings[] =>
  sinks.flatMap(sink =>
    sink.type === 'otlp' && sink.signal === undefined
      ? (['metrics', 'logs'] as const).map(signal => ({ ...sink, signal }))
      : [sink],
  );

/** The sink that the settings describe, its secrets read from the environment. Throws LensError `usage`. */
export async function openSink(settings: SinkSettings, { now, version, env }: SinkSeat): Promise<Sink> {
  const plain = (text: string) => fromEnvironment(text, env);
  switch (settings.type) {
    case 'ndjson':
      return ndjsonSink(settings.path);
    case 'webhook': {
      const { url, secret } = settings;
      return webhookSink({ url: plain(url), ...(secret !== undefined && { secret: plain(secret) }) }, now);
    }
    case 'slack':
      return slackSink({ url: plain(settings.url) });
    case 'pagerduty': {
      const { routingKey, url } = settings;
      return pagerDutySink({ routingKey: plain(routingKey), ...(url !== undefined && { url: plain(url) }) });
    }
    case 'alertmanager':
      return alertmanagerSink({ url: plain(settings.url) });
    case 'command':
      return commandSink(settings);
    case 'prometheus':
      return listening(settings);
    case 'otlp': {
      const { endpoint, signal = 'metrics', headers = {} } = settings;
      const said = Object.entries(headers).map(([name, value]) => [name, plain(value)] as const);
      // OpenTelemetry's SDK takes longer to load than all the rest of a watch.
      const { otlpSink } = await import('../../sinks/otlp.js');
      return otlpSink({ endpoint: plain(endpoint), signal, headers: Object.fromEntries(said) }, version);
    }
    default:
      return settings satisfies never;
  }
}

async function listening({ port, host }: Extract<SinkSettings, { type: 'prometheus' }>): Promise<Sink> {
  const sink = prometheusSink({ port, ...(host !== undefined && { host }) });
  try {
    const bound = await sink.listen();
    process.stderr.write(`metrics at http://${host ?? '127.0.0.1'}:${bound}/metrics\n`);
    return sink;
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new LensError('usage', `The Prometheus endpoint can't listen: ${why}.`, 'Choose another port.', { cause });
  }
}
