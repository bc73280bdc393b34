/** Told again this often while somebody goes on typing; the server forgets after twice that. */
const REPEAT_MS = 10_000;
/** Without a key for this long, nobody is typing. */
const IDLE_MS = 8_000;

/** Tells a room of typing without telling it of every key. */
export class TypingNotice {
  private toldTs = 0;
  private idle: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly tell: (isTyping: boolean) => void,
    private readonly now: () => number = Date.now,
  ) {}

  /** A key was pressed. */
  note(): void {
    clearTimeout(this.idle);
    this.idle = setTimeout(() => this.end(), IDLE_MS);
    if (this.now() - this.toldTs < REPEAT_MS) return;
    this.toldTs = this.now();
    this.tell(true);
  }

  /** The text was sent, emptied or left. */
  end(): void {
    clearTimeout(this.idle);
    if (this.toldTs === 0) return;
    this.toldTs = 0;
    this.tell(false);
  }
}
