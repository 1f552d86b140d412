/** What the network says (Node) and what the server says as it goes away (SQLSTATE classes 08 and 57P). */
const lossCodes =
  /^(08...|57P0[1-3]|25P03|ECONN(REFUSED|RESET|ABORTED)|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|E(HOST|NET)UNREACH)$/;
/** What pg itself says, without a code. */
const lossMessages =
  /^(Connection terminated|timeout exceeded when trying to connect|Query read timeout|Client has encountered a connection error)/;

/** Whether the connection is gone, so that what it was asked last may or may not have happened. */
export function isConnectionLoss(error: unknown): boolean {
  const { code, message } = error as { code?: unknown; message?: unknown };
  if (typeof code === 'string') return lossCodes.test(code);
  return typeof message === 'string' && lossMessages.test(message);
}

/** Whether the server undid the transaction for the sake of another one: the same again will do. */
export function isCollision(error: unknown): boolean {
  const { code } = error as { code?: unknown };
  return code === '40001' || code === '40P01';
}
