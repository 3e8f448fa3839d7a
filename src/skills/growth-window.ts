/**
 * The operators heap and collections share one reading. In their first seconds the measured services filled lists
 * and caches that stayed as they were later, and lists that leak had not come into being.
 */
export const GROWTH_PARAMS = { seconds: 20, warmSeconds: 9 } as const;
export const GROWTH_STAYS_MS = 120_000;
