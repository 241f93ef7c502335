import { createTheme, type CSSVariablesResolver, type MantineColorsTuple } from '@mantine/core';

const leaf: MantineColorsTuple = [
  '#e8f6ef', '#d3eadf', '#a6d6be', '#76c09b', '#4faf7e', '#35a46c', '#1f8a56', '#14704a', '#0d5c3c', '#06492e',
];
/** Greys with a little green, so that dark is a wood at night and not a hole. */
const dark: MantineColorsTuple = [
  '#d5ddd8', '#b3beb8', '#93a19a', '#6b7b73', '#44534c', '#2f3c36', '#212b27', '#18201d', '#111815', '#0b100e',
];

export const theme = createTheme({
  primaryColor: 'leaf',
  primaryShade: { light: 7, dark: 7 },
  colors: { leaf, dark },
  defaultRadius: 'md',
  fontFamily: 'system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif',
  fontFamilyMonospace: 'ui-monospace, "SF Mono", "Cascadia Mono", Menlo, "DejaVu Sans Mono", monospace',
  headings: { fontWeight: '650' },
  cursorType: 'pointer',
  respectReducedMotion: true,
  components: {
    Modal: { defaultProps: { centered: true, closeButtonProps: { 'aria-label': 'Close' }, overlayProps: { backgroundOpacity: 0.45, blur: 2 }, transitionProps: { duration: 120 } } },
    Tooltip: { defaultProps: { openDelay: 350, withArrow: true } },
  },
});

/** Quiet text that still has a contrast of 4.5 on every ground that it stands on. */
export const variables: CSSVariablesResolver = () => ({
  variables: {},
  light: { '--mantine-color-body': '#f6f8f6', '--mantine-color-dimmed': '#53615a', '--mantine-color-placeholder': '#6b7871' },
  dark: { '--mantine-color-body': '#0d1311', '--mantine-color-dimmed': '#9fada6', '--mantine-color-placeholder': '#8d9b94' },
});
