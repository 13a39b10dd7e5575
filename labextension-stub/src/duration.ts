// How long something takes, in words for a person. Seconds are never counted down before anybody's eyes.

import type { TranslationBundle } from '@jupyterlab/translation';

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** `seconds` in whole minutes, hours or days, rounded down, so that nobody is promised more than there is. */
export function duration(seconds: number, trans: TranslationBundle): string {
  if (seconds < MINUTE) {
    return trans.__('less than a minute');
  }
  if (seconds < HOUR) {
    return minutes(Math.floor(seconds / MINUTE), trans);
  }
  if (seconds >= 2 * DAY) {
    const days = Math.floor(seconds / DAY);
    return trans._n('%1 day', '%1 days', days, days);
  }
  const hours = Math.floor(seconds / HOUR);
  const rest = Math.floor((seconds % HOUR) / MINUTE);
  const text = trans._n('%1 hour', '%1 hours', hours, hours);
  return rest ? trans.__('%1 %2', text, minutes(rest, trans)) : text;
}

function minutes(count: number, trans: TranslationBundle): string {
  return trans._n('%1 minute', '%1 minutes', count, count);
}
