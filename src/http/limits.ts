/** What one connection and one request may cost. Durations are milliseconds. */
export const httpLimits = {
  /** From the first byte of a request to the end of its headers. */
  headersTimeoutMs: 10_000,
  /** From the first byte of a request to the end of its body. */
  requestTimeoutMs: 30_000,
  /** How often Node looks for connections past the two limits above; its default of 30 s would triple them. */
  timeoutCheckIntervalMs: 1_000,
  /** Longer than the 60 s that proxies keep an idle connection, so that they close it first and lose no request. */
  keepAliveTimeoutMs: 65_000,
  /** From the end of an answer's making to the end of its reading; streams of MCP end otherwise. */
  answerTimeoutMs: 60_000,
  headerBytesMax: 16 * 1024,
  /** A sign-in, whose sender nobody knows yet, with the form that it may bring along. */
  signInBytesMax: 16 * 1024,
  /** A form that was sent when the sign-in had expired; it comes back with the next sign-in. */
  expiredFormBytesMax: 12 * 1024,
  connectionsMax: 4_096,
  /** How long `close` lets answers under way end before it cuts them. */
  closeGraceMs: 5_000,
  /** Field errors in one problem; a body of five megabytes can hold a million wrong fields. */
  problemErrorsMax: 100,
  /** Host headers remembered as allowed; every port makes another one. */
  knownHostHeadersMax: 64,
} as const;
