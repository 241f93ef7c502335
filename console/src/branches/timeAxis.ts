const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** What the axis may mark, from now back. */
const MARKS: readonly [number, string][] = [
  [MINUTE, '1 min'],
  [10 * MINUTE, '10 min'],
  [HOUR, '1 h'],
  [6 * HOUR, '6 h'],
  [DAY, '1 d'],
  [7 * DAY, '7 d'],
  [30 * DAY, '30 d'],
  [180 * DAY, '6 mon'],
  [730 * DAY, '2 y'],
];

/** A scale from the oldest moment (0) to now (1), finer the nearer to now: of yesterday minutes matter, of last year days. */
export class TimeAxis {
  private readonly span: number;

  constructor(
    private readonly oldest: number,
    readonly now: number,
  ) {
    this.span = TimeAxis.weight(Math.max(now - oldest, 10 * MINUTE));
  }

  private static weight(age: number): number {
    return Math.log1p(Math.max(0, age) / MINUTE);
  }

  /** 0 to 1. */
  at(time: number): number {
    return Math.min(1, Math.max(0, 1 - TimeAxis.weight(this.now - time) / this.span));
  }

  /** The moment at a place from 0 to 1; the inverse of {@link at}. */
  time(place: number): number {
    return this.now - Math.expm1((1 - place) * this.span) * MINUTE;
  }

  /** Marks that are far enough from each other, given how wide the axis is, in pixels. */
  marks(width: number): { place: number; label: string }[] {
    const marks: { place: number; label: string }[] = [];
    let last = 1 - 20 / width;
    for (const [age, label] of MARKS) {
      if (age > Math.max(this.now - this.oldest, 10 * MINUTE)) {
        break;
      }
      const place = this.at(this.now - age);
      if ((last - place) * width >= 46 && place * width >= 12) {
        marks.push({ place, label });
        last = place;
      }
    }
    return marks;
  }
}
