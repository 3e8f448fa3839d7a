import type { Notification } from '../model/notification.js';
import { type Flowing, flows, isStuck } from './flow.js';

const WAITS = /^(waiting|pool|queue|downstream)\./;

/** True for a finding that says for what requests wait. */
export const isWait = ({ faultClass }: Pick<Notification, 'faultClass'>): boolean => WAITS.test(faultClass);

/** Requests a second that begin to wait and don't end: of each route that holds them, and of all together. */
export function pilingRates(traffic: Flowing): number[] {
  const rates = flows(traffic)
    .filter(isStuck)
    .map(flow => ((flow.in - flow.out) * 1000) / traffic.windowMs)
    .filter(rate => rate > 0);
  return rates.length > 1 ? [...rates, rates.reduce((sum, rate) => sum + rate, 0)] : rates;
}
