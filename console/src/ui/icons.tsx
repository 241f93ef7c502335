import type { SVGProps } from 'react';

/** Line icons on a grid of 20, drawn for this console. */
const PATHS = {
  branch: 'M6 3v14M6 12c0-4 8-2 8-7M14 5a1.6 1.6 0 1 0 0-.1',
  plus: 'M10 4v12M4 10h12',
  plug: 'M7 3v4M13 3v4M5 7h10v3a5 5 0 0 1-10 0zM10 15v3',
  trash: 'M4 6h12M8 6V4h4v2M6 6l.7 10h6.6L14 6M8.5 9v4.500M11.500 9v4.500',
  history: 'M3.500 10a6.500 6.500 0 1 0 2-4.700L3.500 7M3.500 3.500V7H7M10 6.500V10l2.500 2',
  diff: 'M6 4v8M6 16a2 2 0 1 0 0-4 2 2 0 0 0 0 4zM14 8v8M14 4a2 2 0 1 0 0 4 2 2 0 0 0 0-4z',
  mask: 'M3 6c4-2 10-2 14 0 0 6-3 10-7 10S3 12 3 6zM6.500 9.500h2M11.500 9.500h2',
  list: 'M7 5h10M7 10h10M7 15h10M3.500 5h.1M3.500 10h.1M3.500 15h.1',
  gear: 'M10 12.500a2.500 2.500 0 1 0 0-5 2.500 2.500 0 0 0 0 5zM10 2.500v2M10 15.500v2M2.500 10h2M15.500 10h2M4.700 4.700l1.400 1.400M13.900 13.900l1.400 1.400M4.700 15.300l1.400-1.400M13.900 6.100l1.400-1.400',
  chart: 'M3 17h14M5 14V9M9 14V4M13 14v-7M17 14v-3',
  user: 'M10 10a3.200 3.200 0 1 0 0-6.400A3.200 3.200 0 0 0 10 10zM4 17c.5-3.500 3-5 6-5s5.500 1.500 6 5',
  copy: 'M7 7h9v10H7zM4 13V3h9',
  eye: 'M2 10c2-4 5-5.500 8-5.500s6 1.500 8 5.500c-2 4-5 5.500-8 5.500S4 14 2 10zM10 12.300a2.300 2.300 0 1 0 0-4.600 2.300 2.300 0 0 0 0 4.600z',
  search: 'M9 15A6 6 0 1 0 9 3a6 6 0 0 0 0 12zM13.500 13.500L17 17',
  lock: 'M5 9h10v8H5zM7 9V6.500a3 3 0 0 1 6 0V9',
  star: 'M10 3l2.100 4.600 5 .5-3.800 3.400 1.100 4.900L10 13.800l-4.400 2.600 1.100-4.900L2.900 8.100l5-.5z',
  chevron: 'M8 5l5 5-5 5',
  more: 'M4 10h.1M10 10h.1M16 10h.1',
  sun: 'M10 13.500a3.500 3.500 0 1 0 0-7 3.500 3.500 0 0 0 0 7zM10 2v2M10 16v2M2 10h2M16 10h2M4.300 4.300l1.400 1.400M14.300 14.300l1.400 1.400M4.300 15.700l1.400-1.400M14.300 5.700l1.400-1.400',
  moon: 'M15.500 12.500A6.500 6.500 0 0 1 7.500 4.500a6.500 6.500 0 1 0 8 8z',
  out: 'M8 3H4v14h4M8 10h9M14 7l3 3-3 3',
  play: 'M6 4l10 6-10 6z',
  pause: 'M7 4v12M13 4v12',
  check: 'M4 10.500l4 4 8-9',
  pencil: 'M4 16l1-4 8-8 3 3-8 8zM12 5l3 3',
  key: 'M7.500 12.500a3.500 3.500 0 1 0 0-7 3.500 3.500 0 0 0 0 7zM11 9h6v3M14 9v2',
  camera: 'M3 6h3l1.500-2h5L14 6h3v10H3zM10 13.500a2.700 2.700 0 1 0 0-5.400 2.700 2.700 0 0 0 0 5.400z',
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name, size = 16, ...more }: { name: IconName; size?: number } & SVGProps<SVGSVGElement>) {
  return (
    <svg
      viewBox="0 0 20 20"
      width={size}
      height={size}
      fill="none"
      stroke="currentColor"
      strokeWidth={name === 'more' ? 2.6 : 1.6}
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
      focusable="false"
      {...more}
    >
      <path d={PATHS[name]} />
    </svg>
  );
}

/** The product's sign: a stool with its shoots. */
export function Logo({ size = 26 }: { size?: number }) {
  return (
    <svg viewBox="0 0 32 32" width={size} height={size} aria-hidden="true" focusable="false" className="logo">
      <rect width="32" height="32" rx="8" />
      <path d="M16 27V6M16 20c0-5 7-4 7-10M16 24c0-5-7-4-7-9" fill="none" strokeWidth="2.6" strokeLinecap="round" />
    </svg>
  );
}
