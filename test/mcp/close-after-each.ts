import { afterEach } from 'vitest';

/** What is handed to the answered function is closed after the test, the last first. */
export function closeAfterEach(): <T extends { close(): Promise<void> }>(opened: T) => T {
  const all: { close(): Promise<void> }[] = [];
  afterEach(async () => {
    for (const opened of all.splice(0).reverse()) await opened.close();
  });
  return (opened) => {
    all.push(opened);
    return opened;
  };
}
