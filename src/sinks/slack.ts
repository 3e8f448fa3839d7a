import type { WatchEvent } from '../model/watch-event.js';
import { sayWatchEvent } from '../report/say-watch-event.js';
import { hostOf, post } from './http.js';
import { isAlert, type Sink } from './sink.js';

/** Slack refuses longer texts of a section, and more blocks. */
const SECTION_CHARACTERS = 3000;
const MAX_BLOCKS = 50;

const MARK = { critical: ':red_circle:', warning: ':large_yellow_circle:', resolved: ':large_green_circle:' } as const;

/** Alerts and what investigations of them found, as messages of an incoming webhook. */
export function slackSink({ url }: { readonly url: string }): Sink {
  return {
    name: `slack ${hostOf(url)}`,
    batch: MAX_BLOCKS,
    wants: event => isAlert(event) || event.type === 'investigation.finished' || event.type === 'restart.pattern',
    async deliver(events, signal) {
      await post({ url, body: JSON.stringify(messageOf(events)), signal });
    },
  };
}

function messageOf(events: readonly WatchEvent[]): object {
  const lines = events.map(event => `${markOf(event)} ${escaped(sayWatchEvent(event) ?? event.type)}`);
  return {
    text: lines[0] ?? 'lens',
    blocks: lines.map(text => ({
      type: 'section',
      text: { type: 'mrkdwn', text: text.slice(0, SECTION_CHARACTERS) },
    })),
  };
}

function markOf(event: WatchEvent): string {
  if (event.type === 'alert.resolved') return MARK.resolved;
  return isAlert(event) ? MARK[event.alert.level] : ':mag:';
}

/** Slack's three control characters; a target's words must not become links or mentions. */
const escaped = (text: string): string => text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');
