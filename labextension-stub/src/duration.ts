// Formats a duration for the user, in whole minutes: a display that counts seconds down would distract.

import type { TranslationBundle } from '@jupyterlab/translation';

const MINUTE_SECONDS = 60;
const HOUR_SECONDS = 60 * MINUTE_SECONDS;
const DAY_SECONDS = 24 * HOUR_SECONDS;

/** Format `seconds` in whole minutes, hours or days, rounded down, so that it never promises more time than is left. */
export function duration(seconds: number, trans: TranslationBundle): string {
  if (seconds < MINUTE_SECONDS) {
    return trans.__('less than a minute');
  }
  if (seconds < HOUR_SECONDS) {
    return minutes(Math.floor(seconds / MINUTE_SECONDS), trans);
  }
  if (seconds >= 2 * DAY_SECONDS) {
    const days = Math.floor(seconds / DAY_SECONDS);
    return trans._n('%1 day', '%1 days', days, days);
  }
  const hours = Math.floor(seconds / HOUR_SECONDS);
  const rest = Math.floor((seconds % HOUR_SECONDS) / MINUTE_SECONDS);
  const text = trans._n('%1 hour', '%1 hours', hours, hours);
  return rest ? trans.__('%1 %2', text, minutes(rest, trans)) : text;
}

function minutes(count: number, trans: TranslationBundle): string {
  return trans._n('%1 minute', '%1 minutes', count, count);
}
