import { setTimeout as pause } from 'node:timers/promises';
import { messageOf } from '../errors.ts';
import type { Alert } from '../lake/owner-events.ts';
import type { Alerts, Logger } from '../ports.ts';

/* Telling people: always a log line, and a web hook where one is configured. */

const attempts = 3;

/** A line of the log for each alert, with the fact `alert` to filter by. */
export function createLogAlerts(logger: Logger): Alerts {
  return {
    async send({ text, ...alert }) {
      logger.warn({ alert: alert.kind, dataset: alert.dataset, at: alert.at }, text);
    },
  };
}

export type WebhookOptions = {
  readonly url: string;
  readonly timeoutMs: number;
  /** Before the second attempt; twice as long before the third. */
  readonly betweenMs?: number;
  readonly logger: Logger;
};

/**
 * Posts each alert as JSON. A web hook that is down must not hold the owner of the windows up: after
 * three attempts the log says that nobody was told.
 */
export function createWebhookAlerts(options: WebhookOptions): Alerts {
  const { url, timeoutMs, betweenMs = 500, logger } = options;
  return {
    async send(alert) {
      for (let attempt = 1; ; attempt += 1) {
        const fault = await post(url, alert, timeoutMs);
        if (fault === null) return;
        if (attempt === attempts) {
          logger.error({ alert: alert.kind, fault }, 'the alert web hook was not reached');
          return;
        }
        await pause(betweenMs * attempt);
      }
    },
  };
}

/** `null`: taken. The address may hold a secret, so no message names it. */
async function post(url: string, alert: Alert, timeoutMs: number): Promise<string | null> {
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(alert),
      redirect: 'error',
      signal: AbortSignal.timeout(timeoutMs),
    });
    await response.body?.cancel();
    return response.ok ? null : `answered ${response.status}`;
  } catch (error) {
    return messageOf(error);
  }
}

/** Tells all of them, one after the other. */
export function joinAlerts(all: readonly Alerts[]): Alerts {
  return {
    async send(alert) {
      for (const each of all) await each.send(alert);
    },
  };
}
