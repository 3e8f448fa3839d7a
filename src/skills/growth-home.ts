import type { Bounds } from '../heap/growth/bounds.js';
import type { CodeLocation, ScriptPosition } from '../model/location.js';
import { declarationOf } from '../source/declarations.js';
import type { ScriptText } from '../source/script.js';

/** Sources searched for the name of a holder. */
export const MOST_SCRIPTS = 30;

/** Where a growing container is held and fed. */
export interface GrowthPlace {
  readonly culprit?: CodeLocation;
  readonly related: readonly CodeLocation[];
  /** Where the holder is declared. */
  readonly declared?: CodeLocation;
  /** What the holder's variable was called before a minifier shortened it. */
  readonly writtenName?: string;
  readonly fedBy?: {
    readonly place: CodeLocation;
    readonly how: string;
    readonly code?: string;
    /** The call is what has to change, and not the line that made what it calls: a client serves many. */
    readonly isCause?: boolean;
  };
  readonly bounds: Bounds;
  /** A line of the function that feeds it which cuts a text into pieces. */
  readonly cut?: string;
  readonly samplingId?: string;
}

export type Fed = NonNullable<GrowthPlace['fedBy']>;

/** Files of the application, as loaded. */
export type Files = readonly Pick<ScriptPosition, 'scriptId' | 'url'>[];

/** The script that declares what leads to a container, and by which name. */
export interface Home {
  readonly script: ScriptText;
  readonly spot: ScriptPosition;
  readonly name: string;
  readonly below: readonly string[];
}

/** Named by who adds to it, whatever holds it. */
export const isNamedByFeeder = (fault: string): boolean => isRegistration(fault) || fault === 'backpressure';

export const isRegistration = (fault: string): boolean =>
  fault === 'memory.leak.listener' || fault === 'memory.leak.timer';

/** Names this short may be a minifier's. */
const MINIFIED_NAME = 2;

/** What a variable that a minifier shortened was called where it was written, by the source map. */
export function writtenName({ script, spot, name }: Home): string | undefined {
  const found = name.length > MINIFIED_NAME ? undefined : declarationOf(script.text, name, spot.line);
  return found && script.original(found.line0, found.column0).name;
}
