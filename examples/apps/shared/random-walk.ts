// A market to look at: prices that walk at random, the same way for the same seed.

export interface Candle {
  time: string;
  open: number;
  high: number;
  low: number;
  close: number;
  volume: number;
}

/** Numbers in [0, 1), by the mulberry32 generator. */
export function randomNumbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

export class RandomWalk {
  private readonly random: () => number;

  constructor(
    public price: number,
    seed: number,
  ) {
    this.random = randomNumbers(seed);
  }

  /** Moves the price by at most 0.1 % and returns it. */
  step(): number {
    const change = (this.random() - 0.5) * 0.002;
    this.price = Number((this.price * (1 + change)).toFixed(2));
    return this.price;
  }

  /** Takes a few steps and sums them up. */
  candle(time: Date, steps = 8): Candle {
    const open = this.price;
    const prices = [open, ...Array.from({ length: steps }, () => this.step())];
    return {
      time: time.toISOString(),
      open,
      high: Math.max(...prices),
      low: Math.min(...prices),
      close: this.price,
      volume: Number((this.random() * 10).toFixed(3)),
    };
  }
}
