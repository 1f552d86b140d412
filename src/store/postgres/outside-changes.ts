import { Client } from 'pg';
import { connectionConfig } from './connection.ts';
import { dueChannel } from './transaction.ts';

const reconnectMs = 1_000;
/** A connection can die without a word; only asking finds out. */
const askMs = 15_000;

/** Listens for what other processes made due, on a connection of its own, which it opens again whenever it breaks. */
export class OutsideChanges {
  readonly #url: string;
  readonly #instance: string;
  readonly #listeners: (() => void)[] = [];
  #client: Client | null = null;
  #timer: NodeJS.Timeout | null = null;
  #closed = false;
  #connecting: Promise<void> | null = null;

  /** `instance`: what this process calls itself, whose own changes are no news to it. */
  constructor(url: string, instance: string) {
    this.#url = url;
    this.#instance = instance;
  }

  add(listener: () => void): void {
    this.#listeners.push(listener);
    this.#connect();
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#later(null);
    await this.#connecting;
    await this.#client?.end().catch(() => undefined);
  }

  #connect(): void {
    if (this.#closed || this.#client !== null) return;
    const client = new Client(connectionConfig(this.#url));
    this.#client = client;
    client.on('notification', ({ payload }) => {
      if (payload !== this.#instance) this.#call();
    });
    client.on('error', () => this.#lost(client));
    client.on('end', () => this.#lost(client));
    this.#connecting = this.#listen(client);
  }

  async #listen(client: Client): Promise<void> {
    try {
      await client.connect();
      await client.query(`listen ${dueChannel}`);
      this.#later(() => void this.#ask(client), askMs);
      // Whatever was told while nobody listened.
      this.#call();
    } catch {
      this.#lost(client);
    }
  }

  async #ask(client: Client): Promise<void> {
    try {
      await client.query('select 1');
      if (this.#client === client) this.#later(() => void this.#ask(client), askMs);
    } catch {
      this.#lost(client);
    }
  }

  #lost(client: Client): void {
    if (this.#client !== client) return;
    this.#client = null;
    void client.end().catch(() => undefined);
    this.#later(() => this.#connect(), reconnectMs);
  }

  #later(run: (() => void) | null, ms = 0): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = run === null || this.#closed ? null : setTimeout(run, ms).unref();
  }

  #call(): void {
    for (const listener of this.#listeners) listener();
  }
}
