import { AppError } from "../errors.js";

const JUDGED_EVERY_MILLISECONDS = 1_000;

/**
 * Judges something that is under way again every second, whatever it waits for, and aborts its signal at the first
 * refusal, with this as the reason. So what was taken back counts soon for what had begun before, in any process.
 */
export class CallWatch {
  readonly #judge: () => Promise<void>;
  readonly #controller = new AbortController();
  readonly #timer: NodeJS.Timeout;
  #isJudging = false;
  #refusal: AppError | null = null;

  constructor(judge: () => Promise<void>) {
    this.#judge = judge;
    this.#timer = setInterval(() => {
      if (!this.#isJudging) this.requirePermitted().catch(() => undefined);
    }, JUDGED_EVERY_MILLISECONDS).unref();
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  get refusal(): AppError | null {
    return this.#refusal;
  }

  /** Judges now. Throws the refusal, also one from before. */
  async requirePermitted(): Promise<void> {
    this.#isJudging = true;
    try {
      await this.#judge();
    } catch (error) {
      this.#refuse(error);
    } finally {
      this.#isJudging = false;
    }
    if (this.#refusal) throw this.#refusal;
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** What can't be judged isn't permitted. */
  #refuse(error: unknown): void {
    const refusal =
      error instanceof AppError ? error : new AppError("internal_error", undefined, { cause: error });
    this.#refusal ??= refusal;
    this.stop();
    this.#controller.abort(this.#refusal);
  }
}
