/** What the server on this database goes by, for the processes that share the database with it. */
export interface SettingsStore {
  /** The text that was recorded last; null when no server ever ran here. */
  recorded(): Promise<string | null>;
  /** Records it for `server`. Answers what another server had recorded that has not released it since; else null. */
  record(text: string, server: string): Promise<string | null>;
  /** The server has stopped. What it recorded stays. */
  release(server: string): Promise<void>;
}
