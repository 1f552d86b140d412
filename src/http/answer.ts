/** What a route answers. Neither `json` nor `text`: no body. */
export interface Answer {
  status: number;
  json?: unknown;
  text?: string;
  /** `application/json` when left out. */
  contentType?: string;
  headers?: Record<string, string>;
}

/**
 * An answer as a response. Its headers stay a plain object: that is the form which the Node adapter writes without
 * building a Headers object first.
 */
export function toResponse(answer: Answer, requestId: string): Response {
  const headers: Record<string, string> = {
    'x-request-id': requestId,
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    ...answer.headers,
  };
  const body = answer.text ?? (answer.json === undefined ? null : JSON.stringify(answer.json));
  if (body !== null) headers['content-type'] = answer.contentType ?? 'application/json';
  return new Response(body, { status: answer.status, headers });
}

/** Puts the headers that every answer carries onto a response that another handler made. */
export function withStandardHeaders(response: Response, requestId: string): Response {
  response.headers.set('x-request-id', requestId);
  response.headers.set('x-content-type-options', 'nosniff');
  if (!response.headers.has('cache-control')) response.headers.set('cache-control', 'no-store');
  return response;
}
