/** What a command has printed, and a way to wait for more. */
export class Output {
  stdout = '';
  stderr = '';
  #isOver = false;
  readonly #watchers = new Set<() => void>();

  add(stream: 'stdout' | 'stderr', text: string): void {
    this[stream] += text;
    for (const watch of this.#watchers) watch();
  }

  /** Nothing will come any more. */
  end(): void {
    this.#isOver = true;
    for (const watch of this.#watchers) watch();
  }

  /** The first line of stdout or stderr that matches, however long ago it came. Rejects when the output ends without. */
  line(pattern: RegExp): Promise<string> {
    return new Promise((resolve, reject) => {
      const look = () => {
        const lines = [this.stdout, this.stderr].flatMap((text) => text.split('\n').slice(0, -1));
        const found = lines.find((each) => pattern.test(each));
        if (found === undefined && !this.#isOver) return;
        this.#watchers.delete(look);
        if (found === undefined) reject(new Error(`ended without ${pattern}: ${this.stdout}${this.stderr}`));
        else resolve(found);
      };
      this.#watchers.add(look);
      look();
    });
  }
}
