/** When is the kernel asked?  Soon after something happened, one question at a time, and seldom if answers take long. */

const SOON = 300; // ms
const REST = 4; // times as long as the last answer took

export class Rhythm {
  private timer = 0;
  private asking = false;
  private question = 0;
  private everything = false;
  private wanted = false;
  private rested = 0;

  /** `ask` gets whether everything is to be asked for, and tells after how many ms to ask for the rest; 0 for never. */
  constructor(private readonly ask: (everything: boolean) => Promise<number>) {}

  request(everything: boolean, after = SOON): void {
    this.everything ||= everything;
    this.wanted = true;
    if (!this.timer && !this.asking) {
      this.timer = setTimeout(() => void this.now(), Math.max(after, this.rested - performance.now()));
    }
  }

  /** Waits no longer for the answer to the last question: it may never come. */
  reset(): void {
    clearTimeout(this.timer);
    this.timer = 0;
    this.question += 1;
    this.asking = this.everything = this.wanted = false;
  }

  private async now(): Promise<void> {
    const { everything } = this;
    const question = ++this.question;
    this.timer = 0;
    this.asking = true;
    this.everything = this.wanted = false;
    const began = performance.now();
    const after = await this.ask(everything);
    if (question !== this.question) {
      return;
    }
    const ended = performance.now();
    this.rested = ended + REST * (ended - began);
    this.asking = false;
    if (this.wanted || after) {
      this.request(false, this.wanted ? SOON : after);
    }
  }
}
