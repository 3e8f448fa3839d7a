/** How a size developed over the window. Only `growing` (and `steps`, with time) is a leak's shape. */
export type CurveShape = 'growing' | 'slowing' | 'plateau' | 'drops' | 'steps' | 'unknown';

export interface Curve {
  readonly shape: CurveShape;
  /** Entries per second in the first and in the second half of the window. */
  readonly early: number;
  readonly late: number;
  /** Where a slowing curve would come to rest; undefined when it doesn't slow. */
  readonly levelsOffAt?: number;
}

interface Point {
  readonly at: number;
  readonly size: number;
}

/** Fewer readings have no shape: a container seen by the two walks alone. */
const FEWEST_POINTS = 5;
/** The last third's rate against the rest: below this nothing more is coming. */
const PLATEAU_RATIO = 0.1;
/** The second half's rate against the first: traffic alone varies by a third; a cache that fills fell from 0.6 to 0.4 as it was watched. */
const SLOWING_RATIO = 0.66;
/** Of a bounded set of keys that come at random new ones get rarer: a quarter less from quarter to quarter at first. */
const DECLINING_QUARTERS = 4;
const DECLINING_RATIO = 0.88;
/** Standard deviations of arrivals that come at random. */
const CHANCE = 3;
/** Growth that happened in so few of the intervals came in bursts. */
const STEP_INTERVALS = 2;

/** Classifies sizes read at `times` (seconds); nulls are readings that were left out. */
export function curveOf(times: readonly number[], sizes: readonly (number | null)[]): Curve {
  const points = pointsOf(times, sizes);
  const middle = points[Math.floor(points.length / 2)];
  const early = rate(points[0], middle);
  const late = rate(middle, points.at(-1));
  if (points.length < FEWEST_POINTS) return { shape: 'unknown', early, late };
  return { shape: shapeOf(points, early, late), early, late, ...restingPoint(points, early, late) };
}

function shapeOf(points: readonly Point[], early: number, late: number): CurveShape {
  const steps = points.slice(1).map((point, i) => point.size - (points[i] as Point).size);
  const lost = -steps.filter(step => step < 0).reduce((sum, step) => sum + step, 0);
  const gained = (points.at(-1) as Point).size - (points[0] as Point).size;
  if (gained <= 0 || lost > gained) return 'drops';
  const rising = steps.filter(step => step > 0).length;
  if (rising <= STEP_INTERVALS && steps.length > 2 * STEP_INTERVALS) return 'steps';
  const third = Math.floor((points.length * 2) / 3);
  if (rate(points[third], points.at(-1)) < PLATEAU_RATIO * rate(points[0], points[third])) return 'plateau';
  return late < SLOWING_RATIO * early || isDeclining(points, early, late) ? 'slowing' : 'growing';
}

/** Fewer new ones in each quarter than in the one before, by more than chance: what there is to hold is running out. */
function isDeclining(points: readonly Point[], early: number, late: number): boolean {
  if (points.length < 2 * DECLINING_QUARTERS || late > DECLINING_RATIO * early) return false;
  const at = (quarter: number) => points[Math.round((quarter * (points.length - 1)) / DECLINING_QUARTERS)];
  const rates = Array.from({ length: DECLINING_QUARTERS }, (_, i) => rate(at(i), at(i + 1)));
  if (!rates.slice(1).every((next, i) => next < (rates[i] ?? 0))) return false;
  const [first, last] = [points[0] as Point, points.at(-1) as Point];
  const fewer = ((early - late) * (last.at - first.at)) / 2;
  return fewer > CHANCE * Math.sqrt(last.size - first.size);
}

/** A rate that falls by the same factor in each half window sums to a finite rest. */
function restingPoint(points: readonly Point[], early: number, late: number): { levelsOffAt?: number } {
  if (!(early > 0) || late > DECLINING_RATIO * early) return {};
  const first = points[0] as Point;
  const last = points.at(-1) as Point;
  const ratio = Math.max(0, late / early);
  const half = (last.at - first.at) / 2;
  return { levelsOffAt: Math.round(last.size + Math.max(0, late) * half * (ratio / (1 - ratio))) };
}

function pointsOf(times: readonly number[], sizes: readonly (number | null)[]): Point[] {
  return times.flatMap((at, i) => {
    const size = sizes[i];
    return size === null || size === undefined ? [] : [{ at, size }];
  });
}

function rate(from: Point | undefined, to: Point | undefined): number {
  if (!from || !to || to.at <= from.at) return 0;
  return (to.size - from.size) / (to.at - from.at);
}
