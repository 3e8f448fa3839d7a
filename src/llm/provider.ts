import type { Json } from '../model/json.js';
import type { Tokens } from '../model/model-use.js';

/** A tool as a model sees it; `schema` is a JSON schema of an object. */
export interface ToolSpec {
  readonly name: string;
  readonly description: string;
  readonly schema: { readonly [key: string]: Json };
}

export interface ModelCall {
  readonly id: string;
  readonly name: string;
  readonly args: Json;
  /** The text that was meant to be arguments and isn't JSON; `args` is then null. */
  readonly malformed?: string;
}

export interface CallAnswer {
  readonly id: string;
  readonly name: string;
  readonly text: string;
  readonly failed?: boolean;
}

/** `raw` is what one provider needs back word for word (signed thinking); others ignore it. */
export type Message =
  | { readonly role: 'user'; readonly text: string }
  | { readonly role: 'assistant'; readonly text: string; readonly calls: readonly ModelCall[]; readonly raw?: RawTurn }
  | { readonly role: 'tool'; readonly answers: readonly CallAnswer[] };

export interface RawTurn {
  readonly provider: string;
  readonly content: unknown;
}

export interface ModelRequest {
  /** The stable prefix: the same bytes on every call of a conversation, so that it can be cached. */
  readonly system: string;
  readonly tools: readonly ToolSpec[];
  readonly messages: readonly Message[];
  /** `none`: answer in words; `required`: call at least one. Default `auto`. */
  readonly toolChoice?: 'auto' | 'none' | 'required';
  readonly maxOutputTokens: number;
}

export type Usage = Tokens;

export interface ModelReply {
  readonly text: string;
  readonly calls: readonly ModelCall[];
  readonly stop: 'end' | 'calls' | 'length' | 'refusal';
  readonly usage: Usage;
  /** Who answered: differs from call to call in a chain. */
  readonly provider: string;
  readonly model: string;
  readonly raw?: RawTurn;
}

export interface CompleteOptions {
  readonly signal: AbortSignal;
  /** Words as they come, where the provider streams. */
  readonly onText?: (text: string) => void;
}

/** One model behind one wire. Rejects with a ModelError, or with the signal's reason. */
export interface Provider {
  /** `anthropic`, `openai`, `ollama`, or what a chain calls itself. */
  readonly name: string;
  readonly model: string;
  complete(request: ModelRequest, options: CompleteOptions): Promise<ModelReply>;
}

export const NO_USAGE: Usage = { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 };
