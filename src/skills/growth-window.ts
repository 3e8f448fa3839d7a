/** The operators heap and collections share one reading. */
export const GROWTH_PARAMS = { seconds: 20 } as const;
export const GROWTH_STAYS_MS = 120_000;
