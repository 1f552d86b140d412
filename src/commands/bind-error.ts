/**
 * Why a port could not be opened, in one line with what to choose instead; any other error as it is. `option`: how the port
 * is given, as in `PORT=8787`.
 */
export function bindError(error: unknown, option: (port: number) => string): unknown {
  const { code, syscall, address, port } = error as NodeJS.ErrnoException & { address?: string; port?: number };
  if (syscall !== 'listen' || address === undefined || port === undefined) return error;
  if (code === 'EADDRINUSE') {
    const next = port < 65_535 ? port + 1 : port - 1;
    const text = `is taken on ${address} (${code}): end what listens there, or choose another port`;
    return new Error(`${option(port)} ${text}, for example ${option(next)}`);
  }
  if (code !== 'EACCES') return error;
  return new Error(`${option(port)} is closed to this user (${code}): choose a port above 1023`);
}
