import { expect, test } from 'vitest';
import { RuleRound } from '../src/rule-round.js';

test('the rules of all play before anybody learns whether a cause is known', async () => {
  let known = false;
  const round = new RuleRound(() => known);
  const [quiet, busy] = [{}, {}];
  round.begin(quiet);
  round.begin(busy);
  round.leave(quiet);
  const learnt: boolean[] = [];
  const over = round.over().then(value => learnt.push(value));
  await Promise.resolve();
  expect(learnt).toEqual([]);
  known = true;
  round.leave(busy);
  round.leave(busy);
  await over;
  expect(learnt).toEqual([true]);
  expect(await round.over()).toBe(true);
});
