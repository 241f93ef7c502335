import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

// Where `npm run dev` finds a running server; its API answers as it does to the built console.
const server = process.env.COPPICE_API_URL ?? 'http://127.0.0.1:5480';

export default defineConfig({
  base: '/console/',
  plugins: [react()],
  build: {
    outDir: 'target/dist',
    emptyOutDir: true,
    target: 'es2022',
    sourcemap: false,
    // Inlined assets would need data: in the content security policy.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  server: {
    host: '127.0.0.1',
    proxy: { '/api/v2': { target: server, changeOrigin: true } },
  },
});
