import { notFound } from '../use-case.ts';
import type { AttemptFacts, LeasedEvent, TargetRecord } from '../ports/journey-store.ts';
import type { Ports } from '../ports/ports.ts';
import type { SendResult } from '../ports/sender.ts';
import { envelope } from '../rules/envelope.ts';
import { openHeaders } from '../rules/headers.ts';
import type { Vault } from '../rules/seal.ts';
import { plainSignature, type SigningKey, signedContent, signingKey, standardSignature } from '../rules/sign.ts';
import type { Settings } from '../settings.ts';
import type { AttemptError } from '../vocabulary.ts';
import type { SendTest } from '../use-case.ts';

/** An endpoint made ready to be sent to: keys opened and headers laid out once, not per delivery. */
export interface PreparedTarget {
  version: number;
  url: string;
  includeData: boolean;
  /** Newest first. */
  keys: { key: SigningKey; validUntil: number | null }[];
  ownHeaders: string[];
}

/** One attempt's request. Its timestamp is `seconds`: it may only be sent within that second, and to `target` as it is. */
export interface SignedRequest {
  target: PreparedTarget;
  seconds: number;
  headers: string[];
  body: Buffer;
}

/** What every request of this process says, and how long one may take. */
export interface SendSettings {
  brand: string;
  version: string;
  attemptTimeoutMs: number;
}

export function prepareTarget(record: TargetRecord, vault: Vault): PreparedTarget {
  return {
    version: record.version,
    url: record.url,
    includeData: record.includeData,
    keys: record.secrets.map(({ sealed, validUntil }) => ({
      key: signingKey(vault.open(sealed, record.publicId)),
      validUntil,
    })),
    ownHeaders: Object.entries(openHeaders(vault, record.publicId, record.sealedHeaders)).flat(),
  };
}

/** The third stage, in two steps: sign, then POST once and classify the answer. */
export function sign(
  settings: SendSettings,
  target: PreparedTarget,
  event: LeasedEvent,
  now: number,
  isTest: boolean,
): SignedRequest {
  const seconds = Math.floor(now / 1_000);
  const text = envelope(target.includeData ? event : { ...event, data: null });
  const { content, body } = signedContent(event.publicId, seconds, text);
  return { target, seconds, headers: requestHeaders(settings, target, event, { now, content, body, isTest }), body };
}

/** Whether what was signed ahead is still what `sign` would make of it. */
export function isAsSigned(request: SignedRequest, target: PreparedTarget, now: number): boolean {
  return request.target === target && request.seconds === Math.floor(now / 1_000);
}

/** Never throws. */
export async function send(
  ports: Pick<Ports, 'sender' | 'clock'>,
  settings: SendSettings,
  { target, headers, body }: SignedRequest,
): Promise<AttemptFacts & Pick<SendResult, 'retryAfter'>> {
  const startedAt = ports.clock.now();
  const result = await ports.sender.send({ url: target.url, headers, body, deadlineMs: settings.attemptTimeoutMs });
  return {
    startedAt,
    durationMs: Math.round(result.durationMs),
    responseCode: result.responseCode,
    error: result.error ?? errorOfStatus(result.responseCode),
    excerpt: result.excerpt,
    retryAfter: result.retryAfter,
  };
}

/** Success is 2xx, and nothing else is. */
export function errorOfStatus(responseCode: number | null): AttemptError | null {
  if (responseCode === null) return 'invalid_response';
  if (responseCode < 200) return 'http_1xx';
  if (responseCode < 300) return null;
  if (responseCode < 400) return 'http_3xx';
  return responseCode < 500 ? 'http_4xx' : 'http_5xx';
}

/**
 * The headers of one attempt, as name, value, name, value …. While a secret rotates both secrets sign
 * `webhook-signature`; the branded header stays on the old one until its time is over, and `-Next` carries the new one.
 */
function requestHeaders(
  settings: SendSettings,
  target: PreparedTarget,
  event: LeasedEvent,
  { now, content, body, isTest }: { now: number; content: Buffer; body: Buffer; isTest: boolean },
): string[] {
  const { brand, version } = settings;
  const keys = target.keys.filter(({ validUntil }) => validUntil === null || validUntil > now);
  const newest = keys[0];
  const oldest = keys.at(-1);
  const headers = [
    'content-type',
    'application/json',
    'user-agent',
    `Posthorn/${version}`,
    'webhook-id',
    event.publicId,
    'webhook-timestamp',
    String(Math.floor(now / 1_000)),
    'webhook-signature',
    keys.map(({ key }) => standardSignature(key, content)).join(' '),
    `X-${brand}-Event`,
    event.type,
  ];
  if (oldest !== undefined) headers.push(`X-${brand}-Signature`, plainSignature(oldest.key, body));
  if (newest !== undefined && newest !== oldest)
    headers.push(`X-${brand}-Signature-Next`, plainSignature(newest.key, body));
  if (isTest) headers.push(`X-${brand}-Test`, 'true');
  if (target.ownHeaders.length > 0) headers.push(...target.ownHeaders);
  return headers;
}

/** Sends one sample outside of the journey, for the test action. */
export function makeTestSender(ports: Ports, settings: Settings, vault: Vault): SendTest {
  return async (endpointId, sample) => {
    const record = await ports.store.journey.target(endpointId);
    if (record === null) throw notFound('endpoint');
    const request = sign(settings, prepareTarget(record, vault), sample, ports.clock.now(), true);
    const facts = await send(ports, settings, request);
    return { endpointVersion: record.version, attempt: facts, succeeded: facts.error === null };
  };
}
