import type { EndpointRecord, LatestEvent } from '../ports.ts';
import type { AttemptError } from '../vocabulary.ts';
import { iso } from './times.ts';

/** The facts beside the endpoint that an answer to "why did nothing arrive?" needs. */
export interface Surroundings {
  now: number;
  /** Whether any process delivers. */
  delivering: boolean;
  disableAfterFailures: number;
  latestEvent: LatestEvent | null;
}

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

const remedies: Partial<Record<AttemptError, string>> = {
  http_3xx: 'Update the URL to the address that it redirects to.',
  http_4xx: 'Check the path, what the receiver expects, and how it verifies signatures.',
  http_5xx: "Look into the receiver's own log.",
  timeout: 'Answer 2xx first and work afterwards.',
  connect_refused: 'Check that the receiver runs and that its port is open.',
  dns_failed: 'Check the spelling of the host and its DNS records.',
  tls_failed: 'Renew or complete the certificate chain.',
  target_not_allowed: 'Use a public address, or ask the operator to allow this one.',
};

/** The sentence of an attempt, with the status code where there is one. */
export function errorMessage(error: AttemptError | null, responseCode: number | null): string | null {
  if (error === null) return null;
  const sentence = errorSentences[error];
  return responseCode === null ? sentence : `${sentence.slice(0, -1)} (HTTP ${responseCode}).`;
}

/** How an endpoint stands and what to do about it. Made from facts alone: no word of a receiver is in it. */
export function diagnose(endpoint: EndpointRecord, around: Surroundings): string {
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
  const cause =
    endpoint.disabledReason === 'gone'
      ? 'It is disabled because the receiver answered 410 Gone'
      : `It is disabled after ${endpoint.failureCount} failed attempts in a row; ${lastFailure(endpoint)}`;
  return `${cause}: repair the receiver, set status to active, then replay what was missed.`;
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
  if (endpoint.lastAttemptAt === null && endpoint.pendingCount === 0) {
    return unmatchedSentence(endpoint, around.latestEvent);
  }
  if (endpoint.pendingCount > 0) return `It works; ${deliveries(endpoint.pendingCount)} on their way.`;
  return `It works: the last delivery succeeded at ${iso(endpoint.lastDeliveredAt ?? endpoint.lastAttemptAt ?? around.now)}.`;
}

function unmatchedSentence(endpoint: EndpointRecord, latest: LatestEvent | null): string {
  if (latest === null || latest.createdAt < endpoint.createdAt) {
    return 'Nothing has been published since it was made: publish an event, or send a test.';
  }
  const chosen = endpoint.events.slice(0, 5).join(', ') + (endpoint.events.length > 5 ? ', …' : '');
  return `Events are published, but none that it wants: it chose ${chosen}, and the latest was ${latest.type}. Change its events, publish one of these, or replay if it was not active then.`;
}

function failingSentence(endpoint: EndpointRecord, around: Surroundings): string {
  const remedy = endpoint.lastError === null ? '' : (remedies[endpoint.lastError] ?? '');
  const next = endpoint.nextAttemptAt === null ? '' : ` The next attempt is due at ${iso(endpoint.nextAttemptAt)}.`;
  const attempts = endpoint.failureCount === 1 ? 'The last attempt' : `The last ${endpoint.failureCount} attempts`;
  return `${attempts} failed; ${lastFailure(endpoint)}. ${remedy}${next} It is disabled after ${around.disableAfterFailures} failures in a row.`.replaceAll(
    '  ',
    ' ',
  );
}

function lastFailure(endpoint: EndpointRecord): string {
  const message = errorMessage(endpoint.lastError, endpoint.lastResponseCode);
  return message === null ? 'the last error is not known' : `${message.charAt(0).toLowerCase()}${message.slice(1, -1)}`;
}

function deliveries(count: number): string {
  return count === 1 ? '1 delivery is' : `${count} deliveries are`;
}
