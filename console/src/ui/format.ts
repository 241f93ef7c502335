const UNITS = ['bytes', 'kB', 'MB', 'GB', 'TB', 'PB'];

export function bytes(value: number | null | undefined): string {
  if (value === null || value === undefined) {
    return '–';
  }
  let size = value;
  let unit = 0;
  while (size >= 1000 && unit < UNITS.length - 1) {
    size /= 1024;
    unit += 1;
  }
  return unit === 0 ? `${size} bytes` : `${size.toLocaleString('en', { maximumFractionDigits: size < 10 ? 1 : 0 })} ${UNITS[unit]}`;
}

const STEPS: readonly [number, string][] = [
  [60, 's'],
  [60, 'min'],
  [24, 'h'],
  [365, 'd'],
  [Infinity, 'y'],
];

/** A span of ms in its largest unit, like `5 min`. */
export function span(ms: number): string {
  let value = Math.max(0, Math.round(ms / 1000));
  for (const [size, unit] of STEPS) {
    if (value < size) {
      return `${value} ${unit}`;
    }
    value = Math.floor(value / size);
  }
  return '';
}

/** How long ago or how far ahead a moment is. */
export function relative(time: string | number | null | undefined, now: number): string {
  if (time === null || time === undefined) {
    return 'never';
  }
  const at = typeof time === 'number' ? time : Date.parse(time);
  if (at > now + 1000) {
    return `in ${span(at - now)}`;
  }
  return now - at < 5000 ? 'just now' : `${span(now - at)} ago`;
}

/** A moment with seconds and zone, for people. */
export function moment(time: string | number): string {
  return new Date(time).toLocaleString('en-GB', {
    day: '2-digit',
    month: 'short',
    year: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    timeZoneName: 'short',
  });
}

/** What an input of type datetime-local wants: local time, with seconds. */
export function localInput(time: number): string {
  const shifted = new Date(time - new Date(time).getTimezoneOffset() * 60_000);
  return shifted.toISOString().slice(0, 19);
}
