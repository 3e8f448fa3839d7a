export const SEVERITIES = ['info', 'warning', 'critical'] as const;
export type Severity = (typeof SEVERITIES)[number];

/** An operator's view of its skill's share of the target. */
export type HealthState = 'healthy' | 'observing' | 'warning' | 'critical';
