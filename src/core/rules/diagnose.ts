import type { ConditionFault } from '../ports/conditions.ts';
import type { EndpointRecord } from '../ports/endpoint-store.ts';
import type { EventRecord } from '../ports/record-store.ts';
import type { AttemptError } from '../vocabulary.ts';
import { faultSentence } from './condition.ts';
import type { HealthLimits } from './health.ts';
import { wants } from './match.ts';
import { formatDuration, iso } from './times.ts';

/** The facts beside the endpoint that an answer to "why did nothing arrive?" needs. */
export interface Surroundings {
  now: number;
  /** Whether any process delivers. */
  delivering: boolean;
  limits: HealthLimits;
  latestEvent: Published | null;
  /** Whether a filter takes the latest event. */
  judgeLatest(filter: string): boolean | ConditionFault;
}
type Published = Pick<EventRecord, 'type' | 'createdAt'>;

/** What each error means, in our words: shown as `error_message` and inside diagnoses. */
export const errorSentences: Record<AttemptError, string> = {
  http_1xx: 'The receiver switched protocols instead of answering.',
  http_3xx: 'The receiver answered with a redirect, which is never followed.',
  http_4xx: 'The receiver refused the request.',
  http_5xx: 'The receiver failed while handling the request.',
  timeout: 'The receiver did not answer in time.',
  connect_refused: 'Nothing accepted the connection.',
  connection_reset: 'The connection broke before an answer came.',
  dns_failed: 'The host name could not be resolved.',
  tls_failed: 'The TLS handshake failed: the certificate is not valid for the host, expired or not trusted.',
  target_not_allowed: 'The URL leads to an address that may not be called.',
  response_too_large: 'The answer was larger than 64 KiB.',
  invalid_response: 'What came back is not HTTP.',
  interrupted: 'The process that made the attempt stopped before it ended.',
};

/** What to do about each. */
const remedies: Record<AttemptError, string> = {
  http_1xx: 'Check that the URL leads to a webhook receiver: an answer is a 2xx status.',
  http_3xx: 'Update the URL to the address that it redirects to.',
  http_4xx: 'Check the path, what the receiver expects, and how it verifies signatures.',
  http_5xx: "Look into the receiver's own log.",
  timeout: 'Answer 2xx first and work afterwards.',
  connect_refused: 'Check that the receiver runs and that its port is open.',
  connection_reset: 'Check the receiver, and the proxy or firewall in front of it.',
  dns_failed: 'Check the spelling of the host and its DNS records.',
  tls_failed: 'Renew or complete the certificate chain.',
  target_not_allowed: 'Use a public address, or ask the operator to allow this one.',
  response_too_large: 'Answer with a short body, or with none.',
  invalid_response: 'Check that the scheme and the port of the URL lead to an HTTP server.',
  interrupted: 'It is made again by itself.',
};

/** The sentence of an attempt, with the status code where there is one. */
export function errorMessage(error: AttemptError | null, responseCode: number | null): string | null {
  if (error === null) return null;
  const sentence = errorSentences[error];
  return responseCode === null ? sentence : `${sentence.slice(0, -1)} (HTTP ${responseCode}).`;
}

/** How an endpoint stands and what to do about it. Made from facts alone: no word of a receiver is in it. */
export function diagnose(endpoint: EndpointRecord, around: Surroundings): string {
  return `${stateSentence(endpoint, around)}${filterErrorsSentence(endpoint)}`;
}

function filterErrorsSentence({ filterErrors: { count, last, lastAt } }: EndpointRecord): string {
  if (count === 0 || last === null || lastAt === null) return '';
  const events = count === 1 ? '1 event' : `${count} events`;
  return ` Its filter had no value for ${events} since it was set, so it got none of them; the last was at ${iso(lastAt)}: ${last}.`;
}

function stateSentence(endpoint: EndpointRecord, around: Surroundings): string {
  const waiting = endpoint.pendingCount === 0 ? '' : ` ${deliveries(endpoint.pendingCount)} waiting.`;
  switch (endpoint.status) {
    case 'pending_approval':
      return `It waits for approval because its host is new to the workspace: ask someone with webhooks:approve.${waiting}`;
    case 'paused':
      return `It is paused, so nothing is sent: set status to active to go on.${waiting}`;
    case 'disabled':
      return `${disabledSentence(endpoint)}${waiting}`;
    case 'active':
      return activeSentence(endpoint, around);
  }
}

function disabledSentence(endpoint: EndpointRecord): string {
  if (endpoint.disabledReason === 'gone') {
    return 'It is disabled because the receiver answered 410 Gone: delete it, or correct the URL, set status to active, then replay what was missed.';
  }
  return `It is disabled after ${endpoint.failureCount} failed attempts in a row; ${lastFailure(endpoint)}: repair the receiver, set status to active, then replay what was missed.`;
}

function activeSentence(endpoint: EndpointRecord, around: Surroundings): string {
  if (!around.delivering) {
    const waiting = endpoint.pendingCount === 0 ? '' : ` ${deliveries(endpoint.pendingCount)} waiting.`;
    return `No process is delivering: start "posthorn serve" without POSTHORN_DISPATCH=off.${waiting}`;
  }
  if (endpoint.heldUntil !== null && endpoint.heldUntil > around.now) {
    return `The receiver asked to wait with Retry-After, so it is held back until ${iso(endpoint.heldUntil)}; retry a delivery or send a test to free it.`;
  }
  if (endpoint.failureCount > 0) return failingSentence(endpoint, around);
  if (endpoint.pendingCount === 0 && isSince(around.latestEvent, endpoint)) {
    return `${provenSentence(endpoint)}${unservedSentence(endpoint, around.latestEvent, around)}`;
  }
  if (endpoint.lastAttemptAt === null && endpoint.pendingCount === 0) {
    return 'Nothing has been published since it was made: publish an event, or send a test.';
  }
  if (endpoint.pendingCount === 0) return provenSentence(endpoint).trim();
  const owed = onTheWay(endpoint.pendingCount);
  return isProven(endpoint) ? `It works; ${owed}.` : `It has not delivered since it was made active; ${owed}.`;
}

/** Whether an event came that made no attempt of this endpoint. */
function isSince(latest: Published | null, { lastAttemptAt, createdAt }: EndpointRecord): latest is Published {
  if (latest === null) return false;
  return lastAttemptAt === null ? latest.createdAt >= createdAt : latest.createdAt > lastAttemptAt;
}

/** Whether its last attempt succeeded: being made active again forgets failures, and proves nothing. */
function isProven({ lastDeliveredAt, lastError }: EndpointRecord): boolean {
  return lastDeliveredAt !== null && lastError === null;
}

function provenSentence(endpoint: EndpointRecord): string {
  if (endpoint.lastAttemptAt === null) return '';
  return isProven(endpoint)
    ? `It works: the last delivery succeeded at ${iso(endpoint.lastDeliveredAt ?? endpoint.lastAttemptAt)}. `
    : 'It was made active again and has not been tried since: send a test, or replay what was missed. ';
}

function unservedSentence({ events, filter }: EndpointRecord, latest: Published, around: Surroundings): string {
  if (events.length === 0) return 'It has no trigger events, so only automations fire it.';
  const chosen = events.slice(0, 5).join(', ') + (events.length > 5 ? ', …' : '');
  if (!wants(events, latest.type)) {
    return `Events are published, but none that it wants: it chose ${chosen}, and the latest was ${latest.type}. Change its events, or publish one of these.`;
  }
  const verdict = filter === null || around.judgeLatest(filter);
  if (verdict === false) {
    return `The latest event, ${latest.type}, is of a type that it chose, but its filter excludes it: change the filter, or publish one that it takes.`;
  }
  if (verdict !== true) {
    return `The latest event, ${latest.type}, is of a type that it chose, but its filter has no value for it: ${faultSentence(verdict)}. Correct the filter, then replay what was missed.`;
  }
  return `The latest event, ${latest.type}, was published while it was not active or chose other events: replay what was missed.`;
}

function failingSentence(endpoint: EndpointRecord, around: Surroundings): string {
  const remedy = endpoint.lastError === null ? '' : remedies[endpoint.lastError];
  const attempts = endpoint.failureCount === 1 ? 'The last attempt' : `The last ${endpoint.failureCount} attempts`;
  const next = nextSentence(endpoint.nextAttemptAt, around.now);
  return [`${attempts} failed; ${lastFailure(endpoint)}.`, remedy, next, disablingSentence(around.limits)]
    .filter(Boolean)
    .join(' ');
}

function nextSentence(at: number | null, now: number): string {
  if (at === null) return 'Nothing more is due: replay what failed once that is done.';
  return at <= now ? 'The next attempt is due now.' : `The next attempt is due at ${iso(at)}.`;
}

function disablingSentence({ disableAfterFailures, disableAfterMs }: HealthLimits): string {
  const lasting = disableAfterMs === 0 ? '' : ` that go on for ${formatDuration(disableAfterMs)}`;
  return `It is disabled after ${disableAfterFailures} failures in a row${lasting}.`;
}

function lastFailure(endpoint: EndpointRecord): string {
  const message = errorMessage(endpoint.lastError, endpoint.lastResponseCode);
  return message === null ? 'the last error is not known' : `${message.charAt(0).toLowerCase()}${message.slice(1, -1)}`;
}

function onTheWay(count: number): string {
  return `${deliveries(count)} on ${count === 1 ? 'its' : 'their'} way`;
}

function deliveries(count: number): string {
  return count === 1 ? '1 delivery is' : `${count} deliveries are`;
}
